"""The real gammu-smsd with its own dummy phone, by its database and by its folders."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outbox.segments import split
from tests.peers.conftest import need
from tests.peers.daemon import Daemon, filled
from tests.peers.table import Table
from tests.served import Served

pytestmark = [pytest.mark.peers, pytest.mark.timeout(300)]
SCHEMA = Path("/usr/share/doc/gammu-smsd/examples/sqlite.sql")
PEOPLE = [f"+502555501{number:02}" for number in range(1, 9)]
PLACES = ("nebaj", "chajul", "cotzal", "ixcan", "sacapulas", "cunen", "uspantan", "joyabaj")
SMS = """[SMSBackup000]
PDU = Deliver
SMSC = "+50230000000"
DateTime = {at}
State = UnRead
Number = "{number}"
NumberUnicode = {hexnumber}
Name = ""
{udh}Text00 = {text}
Coding = Unicode_No_Compression
Folder = 1
Length = {length}
Class = -1
ReplySMSC = False
RejectDuplicates = False
ReplaceMessage = 0
MessageReference = 0
"""


class Desk:
    """gammu-smsd and its phone, in one folder; `service` is sql or files."""

    def __init__(self, folder: Path, service: str) -> None:
        self.folder, self.service = folder / "gammu", service
        for number in range(1, 6):
            (self.folder / "phone" / "sms" / str(number)).mkdir(parents=True)
        for name in ("inbox", "outbox", "sent", "error"):
            (self.folder / name).mkdir()
        if service == "sql":
            with sqlite3.connect(self.folder / "smsd.db") as connection:
                connection.executescript(SCHEMA.read_text())
            connection.close()
        self._config = filled("gammu-smsdrc", self.folder, SERVICE=service)
        self._next = 10
        self.daemon = self.begin()

    def begin(self) -> Daemon:
        self.daemon = Daemon(["gammu-smsd", "-c", str(self._config)], self.folder)
        return self.daemon

    @property
    def settings(self) -> list[str]:
        if self.service == "sql":
            return ["--set", f"database={self.folder / 'smsd.db'}"]
        names = ("inbox", "outbox", "sent", "error")
        return [word for name in names for word in ("--set", f"{name}={self.folder / name}")]

    def write(self, number: str, text: str) -> int:
        """A text in the phone's memory, in as many parts as it needs; returns how many."""
        parts = split(text)
        for index, part in enumerate(parts, 1):
            udh = f"UDH = 0500032A{len(parts):02X}{index:02X}\n" if len(parts) > 1 else ""
            self._store(number, part, udh)
        return len(parts)

    def _store(self, number: str, text: str, udh: str) -> None:
        def octets(words: str) -> str:
            return words.encode("utf-16-be").hex().upper()

        lines = [octets(text)[at : at + 200] for at in range(0, len(octets(text)), 200)]
        words = "\n".join(f"Text{index:02} = {line}" for index, line in enumerate(lines)).removeprefix("Text00 = ")
        self._next += 1
        made = self.folder / f"{self._next}.part"
        at = datetime.now(UTC).astimezone()
        made.write_text(
            SMS.format(
                at=f"{at:%Y%m%dT%H%M%S}", number=number, hexnumber=octets(number), udh=udh, text=words, length=len(text)
            )
        )
        made.rename(self.folder / "phone" / "sms" / "1" / str(self._next))

    @property
    def sent(self) -> list[str]:
        """Our ids of what the daemon sent."""
        if self.service == "sql":
            connection = sqlite3.connect(self.folder / "smsd.db", timeout=10)
            rows = connection.execute("SELECT CreatorID FROM sentitems WHERE SequencePosition = 1").fetchall()
            connection.close()
            return [row[0] for row in rows]
        return [path.name.rpartition("_")[2] for path in (self.folder / "sent").glob("OUT*")]

    def close(self) -> None:
        self.daemon.kill()


@pytest.fixture(params=["sql", "files"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    need("gammu-smsd")
    one = Desk(tmp_path, request.param)
    yield one
    one.close()


def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def open_for(served: Served, desk: Desk) -> None:
    served.set_up()
    served.run("channel", "add", "gammu", "modem", *desk.settings, "--set", "wait=10")
    served.start()


def states(served: Served) -> Counter[str]:
    return Counter(row["state"] for row in served.export("outbox"))


def test_texts_and_answers_go_both_ways_through_faults(served: Served, desk: Desk, table: Table) -> None:
    open_for(served, desk)
    for number, sender in enumerate(PEOPLE[:6]):
        desk.write(sender, f"inc rob {PLACES[number]} ayer {number + 1} heridos")
    desk.write(PEOPLE[6], "inc ame chajul ayer 3 heridos " + "dicen que viven con miedo ’ñ’ " * 4)
    until(lambda: states(served)["sent"] == 7)
    desk.daemon.kill()
    desk.daemon.process.wait()
    desk.write(PEOPLE[0], "inc ame cunen hoy 2 heridos")
    desk.begin()
    until(lambda: states(served)["sent"] == 8)
    served.kill()
    desk.write(PEOPLE[1], "inc ame ixcan hoy 4 heridos")
    served.start()
    until(lambda: states(served)["sent"] == 9)
    reports = served.export("reports")
    assert len(reports) == 9
    assert "’ñ’" in "".join(message["text"] for message in served.export("messages"))
    doubled = len(desk.sent) - len(set(desk.sent))
    assert doubled == 0 and len(desk.sent) == 9
    table.row(
        "gammu", peer=f"gammu-smsd 1.42, {desk.service}", texts_in=len(reports), texts_out=len(desk.sent),
        faults=("daemon killed and back", "kill -9 of the gateway", "several parts, UCS-2"), lost=9 - len(reports),
        doubled=doubled,
    )  # fmt: skip


def test_what_was_sent_while_the_gateway_was_down_waits_for_it(served: Served, desk: Desk, table: Table) -> None:
    open_for(served, desk)
    served.kill()
    for number, sender in enumerate(PEOPLE):
        desk.write(sender, f"inc rob {PLACES[number]} ayer {number + 1} heridos")
    until(lambda: not list((desk.folder / "phone" / "sms" / "1").iterdir()))
    served.start()
    until(lambda: states(served)["sent"] == len(PEOPLE))
    table.outage(
        "gammu", peer=f"gammu-smsd 1.42, {desk.service}", down="until the daemon held all; it keeps texts for ever",
        sent=len(PEOPLE), arrived=len(served.export("reports")), how="its inbox is read at the start",
    )  # fmt: skip
