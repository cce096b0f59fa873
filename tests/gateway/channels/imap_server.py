"""A small IMAP4rev1 server on loopback: one folder list, one person, faults on demand."""

import contextlib
import re
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass
class Stored:
    uid: int
    raw: bytes
    at: datetime
    flags: set[str] = field(default_factory=set)


@dataclass
class Folder:
    validity: int = 1
    next_uid: int = 1
    mails: list[Stored] = field(default_factory=list)

    def add(self, raw: bytes, at: datetime | None = None) -> int:
        self.mails.append(Stored(self.next_uid, raw, at or datetime.now(UTC)))
        self.next_uid += 1
        return self.next_uid - 1


class ImapServer:
    """`capabilities` are told after the login. `cut_fetches`: how many fetches end in the middle of the mail."""

    def __init__(self, password: str = "pw", capabilities: str = "IDLE MOVE UIDPLUS") -> None:
        self.folders = {"INBOX": Folder()}
        self.password = password
        self.capabilities = capabilities
        self.cut_fetches = 0
        self.logins = 0
        self.fetched: list[int] = []
        self.commands: list[str] = []
        self.idling = threading.Event()
        self._news = threading.Condition()
        self._connections: list[socket.socket] = []
        self._talks: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]

    def deliver(self, raw: bytes, at: datetime | None = None) -> int:
        """A new mail; who idles is told."""
        with self._news:
            uid = self.inbox.add(raw, at)
            self._news.notify_all()
        return uid

    def make_anew(self) -> None:
        """The inbox as after a restore: the same mails, another UIDVALIDITY, other numbers."""
        old = self.inbox
        new = Folder(validity=old.validity + 1, next_uid=500)
        for mail in old.mails:
            new.add(mail.raw, mail.at)
        self.folders["INBOX"] = new

    def hang_up(self) -> None:
        """Cut every connection."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        with self._news:
            self._news.notify_all()
        for thread in (self._thread, *self._talks):
            thread.join(5)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                self._talks.append(threading.Thread(target=self._talk, args=(connection,), daemon=True))
                self._talks[-1].start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as lines:
            Session(self, connection).greet()
            session = Session(self, connection)
            while line := lines.readline():
                if not session.obey(line.decode().rstrip("\r\n"), lines):
                    return


class Session:
    def __init__(self, server: ImapServer, connection: socket.socket) -> None:
        self.server = server
        self.connection = connection
        self.folder = Folder()
        self.known = 0

    def greet(self) -> None:
        self.say("* OK [CAPABILITY IMAP4rev1] ready")

    def say(self, line: str, raw: bytes = b"") -> None:
        self.connection.sendall(line.encode() + raw + b"\r\n")

    def obey(self, line: str, lines: object) -> bool:
        tag, _, rest = line.partition(" ")
        words = rest.split()
        name = (words[0] + " " + words[1] if words[0].upper() == "UID" else words[0]).upper()
        self.server.commands.append(rest if name != "LOGIN" else "LOGIN")
        if name == "LOGOUT":
            self.say("* BYE bye")
            self.say(f"{tag} OK done")
            return False
        if name == "IDLE":
            self._idle(tag, lines)
            return True
        self.say(f"{tag} {getattr(self, '_' + name.lower().replace(' ', '_'))(rest)}")
        return True

    def _capability(self, _rest: str) -> str:
        self.say(f"* CAPABILITY IMAP4rev1 {self.server.capabilities}")
        return "OK done"

    def _login(self, rest: str) -> str:
        self.server.logins += 1
        return "OK done" if rest.endswith(f'"{self.server.password}"') else "NO [AUTHENTICATIONFAILED] no"

    def _select(self, rest: str) -> str:
        folder = self.server.folders.get(rest.split(None, 1)[1].strip('"'))
        if folder is None:
            return "NO no such folder"
        self.folder = folder
        self.known = len(folder.mails)
        self.say(f"* {self.known} EXISTS")
        self.say(f"* OK [UIDVALIDITY {folder.validity}] so")
        self.say(f"* OK [UIDNEXT {folder.next_uid}] so")
        return "OK [READ-WRITE] done"

    def _list(self, rest: str) -> str:
        name = rest.split()[-1].strip('"')
        if name in self.server.folders:
            self.say(f'* LIST () "/" "{name}"')
        return "OK done"

    def _create(self, rest: str) -> str:
        self.server.folders[rest.split(None, 1)[1].strip('"')] = Folder()
        return "OK done"

    def _uid_search(self, rest: str) -> str:
        asked = re.search(r"UID (\d+):\* ?(?:SINCE (\d+)-(\w+)-(\d+))?$", rest)
        assert asked, rest
        low = int(asked[1])
        day = datetime(int(asked[4]), MONTHS.index(asked[3]) + 1, int(asked[2]), tzinfo=UTC) if asked[2] else None
        # As the standard has it, the last mail fits `n:*` even when its number is below n.
        last = self.folder.mails[-1:]
        found = [mail for mail in self.folder.mails if mail.uid >= low or mail in last]
        self.say("* SEARCH " + " ".join(str(mail.uid) for mail in found if day is None or mail.at >= day))
        return "OK done"

    def _uid_fetch(self, rest: str) -> str:
        uid = int(rest.split()[2])
        mail = next((one for one in self.folder.mails if one.uid == uid), None)
        if mail is None:
            return "OK done"
        if "BODY" not in rest:
            at = f"{mail.at.day:2d}-{MONTHS[mail.at.month - 1]}-{mail.at:%Y %H:%M:%S} +0000"
            self.say(f'* 1 FETCH (UID {uid} RFC822.SIZE {len(mail.raw)} INTERNALDATE "{at}")')
            return "OK done"
        part = re.search(r"<0\.(\d+)>", rest)
        raw = mail.raw[: int(part[1])] if part else mail.raw
        head = f"* 1 FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n"
        if self.server.cut_fetches:
            self.server.cut_fetches -= 1
            self.connection.sendall(head.encode() + raw[: len(raw) // 2])
            self.connection.shutdown(socket.SHUT_RDWR)
            return ""
        self.server.fetched.append(uid)
        self.connection.sendall(head.encode() + raw)
        self.say(")")
        return "OK done"

    def _uid_store(self, rest: str) -> str:
        _, _, uid, _, flags = rest.split(None, 4)
        for mail in self.folder.mails:
            if mail.uid == int(uid):
                mail.flags |= set(flags.strip("()").split())
        return "OK done"

    def _uid_copy(self, rest: str) -> str:
        _, _, uid, name = rest.split(None, 3)
        mail = next(one for one in self.folder.mails if one.uid == int(uid))
        self.server.folders[name.strip('"')].add(mail.raw, mail.at)
        return "OK done"

    def _uid_move(self, rest: str) -> str:
        self._uid_copy(rest)
        self.folder.mails = [one for one in self.folder.mails if one.uid != int(rest.split()[2])]
        return "OK done"

    def _uid_expunge(self, rest: str) -> str:
        self.folder.mails = [one for one in self.folder.mails if one.uid != int(rest.split()[2])]
        return "OK done"

    def _idle(self, tag: str, lines: object) -> None:
        self.say("+ idling")
        self.server.idling.set()
        done = threading.Event()

        def wait_for_done() -> None:
            with contextlib.suppress(OSError, ValueError):
                lines.readline()  # type: ignore[attr-defined]
            with self.server._news:
                done.set()
                self.server._news.notify_all()

        threading.Thread(target=wait_for_done, daemon=True).start()
        with self.server._news:
            while not done.is_set():
                if len(self.folder.mails) > self.known:
                    self.known = len(self.folder.mails)
                    self.say(f"* {self.known} EXISTS")
                self.server._news.wait(5)
        self.server.idling.clear()
        self.say(f"{tag} OK done")


@contextlib.contextmanager
def imap_server(**arguments: str) -> Iterator[ImapServer]:
    server = ImapServer(**arguments)
    try:
        yield server
    finally:
        server.close()
