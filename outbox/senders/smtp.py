"""Mail to a relay over aiosmtplib (RFC 5321): kept connections, TLS that cannot be stripped, errors by their stage."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiosmtplib
from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from outbox.errors import (
    AuthFailed,
    Deferred,
    Detail,
    Insecure,
    InvalidAddress,
    Misconfigured,
    Offline,
    Refused,
    SendError,
    TooLong,
    Unavailable,
    UnknownResult,
)
from outbox.senders.base import Envelope, Sent
from outbox.senders.mime import build_mail, recipient_of, sender_of
from outbox.senders.pool import Pool
from outbox.senders.wire import is_loopback

PARALLEL = 2
SECONDS = 30.0
# Relays close idle connections after minutes; asking first costs less than a mail whose fate is unknown.
IDLE_SECONDS = 20.0
QUIT_SECONDS = 2.0
# Who is greylisted and comes back within a minute or two is sent away again; most lists wait for five (RFC 6647 5).
GREYLISTED = timedelta(minutes=5)
PORTS = {"none": 25, "starttls": 587, "tls": 465}

_LOST = (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError, TimeoutError)


class _Call:
    """A connection that is closed again when nobody waits for it any more."""

    def __init__(self, address: tuple[str, int], seconds: float) -> None:
        self._address, self._seconds = address, seconds
        self._socket: socket.socket | None = None
        self._over = False

    def dial(self) -> socket.socket:
        self._socket = socket.create_connection(self._address, self._seconds)
        if self._over:
            self._socket.close()
        return self._socket

    def hang_up(self) -> None:
        self._over = True
        if self._socket is not None:
            self._socket.close()


class SmtpSender:
    """Settings: host, port, tls (none, starttls, tls), username, from, return_path (plain, tagged), ca_file, timeout,
    parallel. Secret: password. `id_header`: one in which the provider wants our id, to bring it back with its news.
    """

    def __init__(
        self, config: Mapping[str, Any], secrets: Mapping[str, str], *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC), id_header: str | None = None, **_wiring: Any,
    ) -> None:  # fmt: skip
        self.parallel = int(config.get("parallel") or PARALLEL)
        self._id_header = id_header
        self._host = str(config.get("host") or "localhost")
        self._tls = str(config.get("tls") or "starttls")
        self._port = int(config.get("port") or PORTS.get(self._tls, 25))
        self._username = config.get("username") or secrets.get("username")
        self._password = secrets.get("password") or ""
        self._from = str(config.get("from") or "")
        self._tagged = config.get("return_path") == "tagged"
        self._seconds = float(config.get("timeout") or SECONDS)
        self._clock = clock
        self._context = ssl.create_default_context(cafile=config.get("ca_file"))
        self._pool = Pool(self.parallel, "smtp-connect")
        self._idle: list[tuple[float, SMTP]] = []
        self._closed = False

    async def send(self, envelope: Envelope) -> Sent:
        self._check_settings()
        _, sender = sender_of(self._from)
        recipient = recipient_of(envelope)
        mail = build_mail(envelope, self._from, now=self._clock())
        if self._id_header:
            mail[self._id_header] = str(envelope.id)
        client = await self._connection(sender)
        try:
            await _hand_over(client, self._return_path(sender, envelope), recipient, mail.as_bytes(), str(envelope.id))
        except SendError:
            await self._reset(client)
            raise
        except BaseException:
            _drop(client)
            raise
        self._keep(client)
        return Sent(str(mail["Message-ID"]))

    def _check_settings(self) -> None:
        """Mail goes only over TLS, or to this machine."""
        if self._tls not in PORTS or (self._tls == "none" and not is_loopback(self._host)):
            raise Misconfigured(detail={"setting": "tls"})

    def _return_path(self, sender: str, envelope: Envelope) -> str:
        """Where bounces go: an address that names the message, when the provider brings mail for `name+anything`."""
        if not self._tagged:
            return sender
        name, _, domain = sender.rpartition("@")
        return f"{name}+{envelope.id.hex}@{domain}"

    async def _connection(self, sender: str) -> SMTP:
        """A kept connection that still answers, or a new one."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            since, client = self._idle.pop()
            if client.is_connected and (now - since < IDLE_SECONDS or await _answers(client)):
                return client
            _drop(client)
        return await self._connect(sender.rpartition("@")[2])

    async def _connect(self, domain: str) -> SMTP:
        sock = await self._open_socket()
        client = SMTP(
            hostname=self._host, sock=sock, use_tls=self._tls == "tls", start_tls=False, tls_context=self._context,
            local_hostname=domain, timeout=self._seconds,
        )  # fmt: skip
        try:
            await self._greet(client)
        except BaseException:
            _drop(client)
            sock.close()
            raise
        return client

    async def _open_socket(self) -> socket.socket:
        """Look up and connect in a thread of our own: a name server that hangs must not fill the loop's threads."""
        call = _Call((self._host, self._port), self._seconds)
        try:
            sock = await self._pool.run(call.dial)
        except (OSError, UnicodeError) as error:
            raise Offline(detail={"exception": type(error).__name__}) from None
        except asyncio.CancelledError:
            call.hang_up()
            raise
        sock.setblocking(False)
        return sock

    async def _greet(self, client: SMTP) -> None:
        try:
            await client.connect()
            if self._tls == "starttls":
                await self._start_tls(client)
            else:
                await client.ehlo()
        except SendError:
            raise
        except SMTPResponseException as error:
            raise Unavailable(detail={"status": error.code}) from None
        except (SMTPException, OSError) as error:
            tls = isinstance(error.__cause__, ssl.SSLError)
            raise (Insecure if tls else Offline)(detail={"exception": type(error).__name__}) from None
        if self._username:
            await self._log_in(client)

    async def _start_tls(self, client: SMTP) -> None:
        await client.ehlo()
        if not client.supports_extension("starttls"):
            raise Insecure(detail={"starttls": "not offered"})
        try:
            await client.starttls()
            await client.ehlo()
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError):
            raise
        except (SMTPException, OSError) as error:
            raise Insecure(detail={"exception": type(error).__name__}) from None

    async def _log_in(self, client: SMTP) -> None:
        try:
            await client.login(str(self._username), self._password)
        except SMTPResponseException as error:
            kind = AuthFailed if error.code >= 500 else Unavailable
            raise kind(detail={"status": error.code}) from None
        except _LOST as error:
            raise Offline(detail={"exception": type(error).__name__}) from None
        except SMTPException:
            raise AuthFailed(detail={"auth": "not offered"}) from None

    def _keep(self, client: SMTP) -> None:
        if self._closed or not client.is_connected or len(self._idle) >= self.parallel:
            _drop(client)
        else:
            self._idle.append((asyncio.get_running_loop().time(), client))

    async def _reset(self, client: SMTP) -> None:
        """Keep the connection after a refusal, when it can start afresh."""
        try:
            await client.rset()
        except (SMTPException, OSError):
            _drop(client)
        else:
            self._keep(client)

    async def close(self) -> None:
        self._closed = True
        self._pool.close()
        while self._idle:
            _, client = self._idle.pop()
            transport = client.transport
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=QUIT_SECONDS)
            _abort(transport)
        await asyncio.sleep(0)  # the loop lets go of a transport one turn later


def _drop(client: SMTP) -> None:
    """Let go at once: a TLS farewell to a peer that may be gone would linger."""
    transport = client.transport
    client.close()
    _abort(transport)


def _abort(transport: asyncio.BaseTransport | None) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


async def _answers(client: SMTP) -> bool:
    try:
        await client.noop(timeout=5)
    except (SMTPException, OSError):
        return False
    return True


async def _hand_over(client: SMTP, sender: str, recipient: str, mail: bytes, envelope_id: str) -> None:
    """Raises a SendError that fits the stage. Lost before DATA, nothing was taken; lost after, nobody knows."""
    try:
        await client.mail(sender, options=_options(client, mail, envelope_id))
        await client.rcpt(recipient)
    except SMTPResponseException as error:
        raise _refusal(error) from None
    except _LOST as error:
        raise Deferred(detail={"exception": type(error).__name__, "stage": "envelope"}) from None
    try:
        await client.data(mail)
    except SMTPResponseException as error:
        raise _refusal(error) from None
    except _LOST as error:
        raise UnknownResult(detail={"exception": type(error).__name__, "stage": "data"}) from None


def _options(client: SMTP, mail: bytes, envelope_id: str) -> list[str]:
    """The size (RFC 1870), so that a relay can refuse before the mail crosses a slow line; an id that bounces bring
    back (RFC 3461). Raises TooLong when the relay has said that it takes less."""
    options = []
    if client.supports_extension("size"):
        limit = str(client.esmtp_extensions.get("size") or "").strip()
        if limit.isdigit() and 0 < int(limit) < len(mail):
            raise TooLong(detail={"limit": int(limit)})
        options.append(f"SIZE={len(mail)}")
    if client.supports_extension("dsn"):
        options += ["RET=HDRS", f"ENVID={envelope_id}"]
    return options


def _refusal(error: SMTPResponseException) -> SendError:
    """4xx may go later, 5xx never; RFC 3463 codes (5.1.x address, 5.7.x policy) tell which kind of never."""
    detail: Detail = {"status": error.code, "enhanced": error.message.partition(" ")[0][:8]}
    if error.code == 421:
        return Unavailable(detail=detail)
    if error.code < 500:
        return Deferred(retry_after=GREYLISTED, detail=detail)
    if error.code in (530, 535):
        return AuthFailed(detail=detail)
    if error.code == 552:
        return TooLong(detail=detail)
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return Misconfigured(detail=detail)
    policy = error.message.startswith("5.7")
    is_address = isinstance(error, aiosmtplib.SMTPRecipientRefused) and error.code in (550, 551, 553) and not policy
    return InvalidAddress(detail=detail) if is_address else Refused(detail=detail)
