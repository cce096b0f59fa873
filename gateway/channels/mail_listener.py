"""Listeners for mail: SMTP (RFC 5321) and LMTP (RFC 2033) on the event loop, `250` only after the commit."""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.channels.base import ChannelConfig, Listener, Surroundings
from gateway.channels.checks import split_endpoint
from gateway.channels.mail_reading import MailReader
from gateway.errors import Busy

SIZE_LIMIT = 10 * 1024 * 1024
LINE_LIMIT = 1024 * 1024
CONNECTIONS = 64
OF_ONE_PEER = 24
RECIPIENTS = 100
IDLE_S = 180.0

OK = "250 2.0.0 Kept"
LATER = "451 4.3.2 Not kept; try again later"
FULL = "452 4.3.1 Not kept; storage is nearly full, try again later"

_log = logging.getLogger("vocero.mail")


class MailDesk:
    """aiosmtpd's handler for one channel, shared by its listeners: has each mail kept, and answers."""

    def __init__(self, config: ChannelConfig, around: Surroundings) -> None:
        self._name = config.name
        self._around = around
        self._reader = MailReader(config, around)
        self._under_way = 0
        self.idle = asyncio.Event()
        self.idle.set()

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # fmt: skip # noqa: E501, N802
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._under_way += 1
        self.idle.clear()
        try:
            to = envelope.rcpt_tos[0] if envelope.rcpt_tos else None
            raw = bytes(envelope.original_content or b"")
            await self._reader.keep(raw, mail_from=envelope.mail_from or "", to=to)
        except Busy as error:
            self._around.heard(self._name, "busy")
            return FULL if "disk" in str(error) else LATER
        except Exception:
            _log.exception("a mail could not be kept")
            self._around.heard(self._name, "refused")
            return LATER
        finally:
            self._under_way -= 1
            if not self._under_way:
                self.idle.set()
        self._around.heard(self._name, "kept")
        return OK

    async def handle_exception(self, error: Exception) -> str:
        _log.error("mail session failed", exc_info=error)
        return "451 4.3.0 Internal error; try again later"

    def close(self) -> None:
        self._reader.close()


class Bounded(SMTP):
    """An SMTP session that counts against its listener's connections. Long lines are taken, RFC 5322 or not."""

    line_length_limit = LINE_LIMIT
    command_size_limit = 2048

    def __init__(self, desk: MailDesk, door: "MailListener") -> None:
        super().__init__(
            desk, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, ident="Vocero", hostname="vocero", timeout=IDLE_S,
            loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._door = door
        self._counted: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = str((transport.get_extra_info("peername") or ("",))[0])
        super().connection_made(transport)
        self._counted = peer
        if not self._door.enter(peer, self):
            transport.write(b"421 4.7.0 Too many connections\r\n")  # type: ignore[attr-defined]
            transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self._counted is not None:
            self._door.leave(self._counted, self)
            self._counted = None
        super().connection_lost(error)


class PerRecipient(Bounded, LMTP):
    """LMTP: after the final dot one answer for each recipient, which aiosmtpd does not give (RFC 2033 4.2)."""

    _owed = 0

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        try:
            await super().smtp_DATA(arg)
        finally:
            self._owed = 0

    async def push(self, status: Any) -> None:
        text = status if isinstance(status, str) else status.decode("ascii", "replace")
        repeat = max(1, self._owed)
        if text.startswith("354") and self.envelope is not None:
            self._owed = len(self.envelope.rcpt_tos)
        await super().push("\r\n".join([text] * repeat))


class MailListener:
    """One port of one channel."""

    def __init__(self, session: type[Bounded], desk: MailDesk, endpoint: str) -> None:
        self._session = session
        self._desk = desk
        self._host, self._port = split_endpoint(endpoint)
        self._server: asyncio.Server | None = None
        self._sessions: set[Bounded] = set()
        self._peers: Counter[str] = Counter()

    @property
    def port(self) -> int:
        """The port that is listened on; 0 before the start."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server else 0

    def enter(self, peer: str, session: Bounded) -> bool:
        self._sessions.add(session)
        self._peers[peer] += 1
        return len(self._sessions) <= CONNECTIONS and self._peers[peer] <= OF_ONE_PEER

    def leave(self, peer: str, session: Bounded) -> None:
        self._sessions.discard(session)
        self._peers[peer] -= 1
        if self._peers[peer] <= 0:
            del self._peers[peer]

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._session(self._desk, self), self._host, self._port)

    async def stop(self, grace_s: float = 5.0) -> None:
        if self._server is not None:
            self._server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._desk.idle.wait()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        self._desk.close()


def listeners(config: ChannelConfig, around: Surroundings) -> list[Listener]:
    """A listener for each of `listen` (SMTP) and `lmtp` that is set."""
    desk = MailDesk(config, around)
    wanted: list[tuple[type[Bounded], str]] = [(Bounded, config.get("listen")), (PerRecipient, config.get("lmtp"))]
    return [MailListener(session, desk, endpoint) for session, endpoint in wanted if endpoint]
