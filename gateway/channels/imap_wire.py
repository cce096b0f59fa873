"""A mailbox over IMAP4rev1 (RFC 3501) by imap-tools: the few things the gateway asks of one, from one thread.

imap-tools' own `flag` and `move` expunge the folder, which would delete what a person has marked there; the commands
are given here one by one.
"""

import contextlib
import re
import select
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from imaplib import IMAP4
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError
from imap_tools.utils import encode_folder

from outbox.senders.wire import is_loopback

SECONDS = 30.0
PORTS = {"tls": 993, "starttls": 143, "none": 143}
WHOLE = 10 * 1024 * 1024
FIRST = 512 * 1024

_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
_UID = re.compile(rb"\bUID (\d+)")
_DATE = re.compile(rb'INTERNALDATE " ?(\d{1,2})-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})"')
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxError(Exception):
    """The mailbox cannot be read now; `code` says why in a word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LoginRefused(MailboxError):
    """User name or password are wrong; trying often would only lock the account."""


@dataclass(frozen=True, slots=True)
class Folder:
    """Numbers of an opened folder (RFC 3501 2.3.1.1): UIDs mean something only within one `validity`."""

    validity: int
    next_uid: int


@dataclass(frozen=True, slots=True)
class Found:
    """One mail: whole, or its first part when it is larger than WHOLE bytes. `at`: when the server took it."""

    uid: int
    raw: bytes
    whole: bool
    at: datetime | None


class Wire:
    """One connection, logged in with a folder open. Every call may raise MailboxError; then the connection is over."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._folder = settings.get("folder") or "INBOX"
        self._can: list[str] = []
        self._made: set[str] = set()
        try:
            self._box = _connect(settings)
        except ssl.SSLError:
            raise MailboxError("insecure") from None
        except (OSError, UnicodeError):
            raise MailboxError("offline") from None
        except IMAP4.abort:
            raise MailboxError("offline") from None
        except (ImapToolsError, IMAP4.error):
            raise MailboxError("insecure" if _tls(settings) == "starttls" else "refused") from None
        try:
            self._log_in(settings)
        except BaseException:
            self.abort()
            raise

    def _log_in(self, settings: Mapping[str, str]) -> None:
        user, password = settings.get("username") or "", settings.get("password") or ""
        plain = user.isascii() and password.isascii()
        try:
            (self._box.login if plain else self._box.login_utf8)(user, password, initial_folder=None)
            # Many servers tell what they can only to who is logged in.
            kind, words = self._box.client.capability()
            self._can = words[0].decode().upper().split() if kind == "OK" and words[0] else []
        except (ImapToolsError, IMAP4.error) as error:
            lost = isinstance(error, IMAP4.abort)
            raise (MailboxError("offline") if lost else LoginRefused("auth_failed")) from None
        except OSError:
            raise MailboxError("offline") from None

    @property
    def idles(self) -> bool:
        return "IDLE" in self._can

    def _ask(self, *command: Any) -> list[Any]:
        try:
            kind, data = self._box.client.uid(*command)
        except (IMAP4.error, OSError) as error:
            raise MailboxError(f"lost: {type(error).__name__}") from None
        if kind != "OK":
            raise MailboxError(f"refused: {command[0]}")
        return list(data)

    def look(self) -> Folder:
        """The folder opened anew: other programs may have changed it, or made it again under the same name."""
        try:
            self._box.folder.set(self._folder)
            told = {name: self._box.client.response(name)[1] for name in ("UIDVALIDITY", "UIDNEXT")}
            numbers = {name: int(values[-1]) for name, values in told.items() if values and values[-1]}
            if len(numbers) < len(told):
                numbers = self._box.folder.status(self._folder, list(told))
            return Folder(numbers["UIDVALIDITY"], numbers["UIDNEXT"])
        except ImapToolsError:
            raise MailboxError("no_folder") from None
        except (IMAP4.error, OSError, ValueError, KeyError):
            raise MailboxError("offline") from None

    def uids_after(self, uid: int, since: datetime | None = None) -> list[int]:
        """UIDs above `uid`, ascending, of mails that came since the day before `since`. What is marked read counts."""
        criteria = f"UID {uid + 1}:*"
        if since is not None:
            day = since - timedelta(days=1)
            criteria += f" SINCE {day.day:02d}-{MONTHS[day.month - 1]}-{day.year}"
        found = self._ask("SEARCH", criteria)
        # `n:*` gives the last mail even when its number is below n.
        return sorted(number for number in map(int, (found[0] or b"").split()) if number > uid)

    def fetch(self, uid: int) -> Found | None:
        """The mail, without marking it read; None when somebody took it away meanwhile."""
        facts = self._facts(self._ask("FETCH", str(uid), "(UID RFC822.SIZE INTERNALDATE)"), uid)
        if facts is None:
            return None
        size = _SIZE.search(facts)
        whole = size is None or int(size[1]) <= WHOLE
        part = "BODY.PEEK[]" if whole else f"BODY.PEEK[]<0.{FIRST}>"
        for item in self._ask("FETCH", str(uid), f"(UID {part})"):
            if isinstance(item, tuple) and (told := _UID.search(item[0])) and int(told[1]) == uid:
                return Found(uid, bytes(item[1]), whole, _moment(facts))
        return None

    @staticmethod
    def _facts(data: list[Any], uid: int) -> bytes | None:
        lines = [item[0] if isinstance(item, tuple) else item for item in data if item]
        return next((line for line in lines if (told := _UID.search(line)) and int(told[1]) == uid), None)

    def mark_read(self, uid: int) -> None:
        self._ask("STORE", str(uid), "+FLAGS", r"(\Seen)")

    def move(self, uid: int, folder: str) -> None:
        """Into `folder`, which is made when it is missing. Without MOVE (RFC 6851) by COPY and a mark for deletion."""
        self._make_folder(folder)
        name = encode_folder(folder)
        if "MOVE" in self._can:
            self._ask("MOVE", str(uid), name)
            return
        self._ask("COPY", str(uid), name)
        self._ask("STORE", str(uid), "+FLAGS", r"(\Deleted)")
        if "UIDPLUS" in self._can:
            self._ask("EXPUNGE", str(uid))

    def _make_folder(self, folder: str) -> None:
        if folder in self._made:
            return
        try:
            if not self._box.folder.exists(folder):
                self._box.folder.create(folder)
        except (ImapToolsError, IMAP4.error, OSError):
            raise MailboxError("no_folder") from None
        self._made.add(folder)

    def start_idle(self) -> None:
        """Be told of news (RFC 2177) until `end_idle`."""
        idle: Any = self._box.idle
        try:
            idle.start()
        except (ImapToolsError, IMAP4.error, OSError) as error:
            raise MailboxError(f"lost: {type(error).__name__}") from None

    def wait(self, seconds: float) -> bool:
        """Whether there was news, or the connection ended, within `seconds` of idling."""
        client = self._box.client
        # What TLS has read already does not wake whoever waits for the socket.
        pending = getattr(client.sock, "pending", None)
        if pending is not None and pending():
            return True
        try:
            events = _readable(client.sock, seconds)
            return events and (self._box.idle.poll(timeout=0) is not None)
        except (ImapToolsError, IMAP4.error, OSError, ValueError) as error:
            raise MailboxError(f"lost: {type(error).__name__}") from None

    def end_idle(self) -> None:
        idle: Any = self._box.idle
        try:
            idle.stop()
        except (ImapToolsError, IMAP4.error, OSError) as error:
            raise MailboxError(f"lost: {type(error).__name__}") from None

    def close(self) -> None:
        with contextlib.suppress(ImapToolsError, IMAP4.error, OSError):
            self._box.client.logout()
        self.abort()

    def abort(self) -> None:
        """End the connection at once; a call under way in another thread fails."""
        with contextlib.suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError):
            self._box.client.shutdown()


def _moment(facts: bytes) -> datetime | None:
    """INTERNALDATE in UTC; month names are read here because strptime reads them in the machine's language."""
    if (found := _DATE.search(facts)) is None:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    try:
        number = MONTHS.index(month.decode().title()) + 1
        local = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5]))
        return local + offset if zone[:1] == b"-" else local - offset
    except (ValueError, OverflowError):
        return None


def _readable(sock: socket.socket, seconds: float) -> bool:
    """`poll` has no limit on file numbers, which `select` has."""
    poller = select.poll()
    poller.register(sock.fileno(), select.POLLIN)
    return bool(poller.poll(seconds * 1000))


class _StartTls(BaseMailBox):
    """The library's own leaves a socket open when encryption is refused."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext) -> None:
        self._address = host, port
        self._context = context
        super().__init__()

    def _get_mailbox_client(self) -> IMAP4:
        client = IMAP4(*self._address, timeout=SECONDS)
        try:
            if "STARTTLS" not in client.capabilities:
                raise ssl.SSLError("not offered")
            client.starttls(self._context)
        except BaseException:
            client.shutdown()
            raise
        return client


def _tls(settings: Mapping[str, str]) -> str:
    return settings.get("imap_tls") or "tls"


def _connect(settings: Mapping[str, str]) -> BaseMailBox:
    host, tls = settings["imap_host"], _tls(settings)
    port = int(settings.get("imap_port") or PORTS[tls])
    if tls == "none":
        if not is_loopback(host):
            raise MailboxError("not_encrypted")
        return MailBoxUnencrypted(host, port, timeout=SECONDS)
    context = ssl.create_default_context(cafile=settings.get("ca_file"))
    if tls == "starttls":
        return _StartTls(host, port, context)
    return MailBox(host, port, timeout=SECONDS, ssl_context=context)
