"""The real smsd with a modem that speaks AT commands over TCP."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outbox.segments import split
from tests.peers.conftest import need
from tests.peers.daemon import Daemon, filled
from tests.peers.table import Table
from tests.served import Served, free_port

pytestmark = [pytest.mark.peers, pytest.mark.timeout(420)]
PEER = "smstools 3.1, AT modem"
PEOPLE = [f"+502555501{number:02}" for number in range(1, 9)]
PLACES = ("nebaj", "chajul", "cotzal", "ixcan", "sacapulas", "cunen", "uspantan", "joyabaj")
FOLDERS = ("incoming", "outgoing", "checked", "sent", "failed", "report", "stats")


class Desk:
    """A modem on a desk and smsd that owns it, each of which may die."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder / "sms", free_port()
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)
        self.modem = self.plug()
        self._config = filled("smsd.conf", self.folder, PORT=self.port)
        self.daemon = self.begin()

    def plug(self) -> Daemon:
        command = [sys.executable, "-m", "tests.peers.atmodem", str(self.port), str(self.folder)]
        root = Path(__file__).parents[2]
        self.modem = Daemon(
            command, self.folder, port=self.port, name="modem", environment={"PYTHONPATH": str(root)}
        )  # fmt: skip
        return self.modem

    def begin(self) -> Daemon:
        self.daemon = Daemon(["smsd", "-c", str(self._config), "-n", "MAINPROCESS", "-t"], self.folder, name="smsd-out")
        return self.daemon

    def write(self, sender: str, text: str, udh: str = "") -> None:
        """A person sends a text."""
        name = f"{time.monotonic_ns()}.json"
        made = self.folder / name
        made.write_text(json.dumps({"from": sender, "text": text, "udh": udh}))
        made.rename(self.folder / "mo" / name)

    def write_long(self, sender: str, text: str) -> int:
        pieces = split(text)
        for number, piece in reversed(list(enumerate(pieces, 1))):
            self.write(sender, piece, f"0500032a{len(pieces):02x}{number:02x}")
        return len(pieces)

    @property
    def heard(self) -> list[dict[str, Any]]:
        """What phones received."""
        path = self.folder / "mt.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def doubled(self) -> int:
        counted = Counter((one["to"], one["text"]) for one in self.heard)
        return sum(number - 1 for number in counted.values())

    def close(self) -> None:
        self.daemon.kill()
        self.modem.kill()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    need("smsd")
    one = Desk(tmp_path)
    yield one
    one.close()


def until(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def open_for(served: Served, desk: Desk) -> None:
    served.set_up()
    served.run("channel", "add", "smstools", "modem", "--set", f"spool={desk.folder}", "--set", "wait=10")
    served.start()


def states(served: Served) -> Counter[str]:
    return Counter(row["state"] for row in served.export("outbox"))


def text_of(number: int) -> str:
    return f"inc rob {PLACES[number]} ayer {number + 1} heridos"


def test_texts_answers_and_reports_go_both_ways_through_faults(served: Served, desk: Desk, table: Table) -> None:
    open_for(served, desk)
    for number, sender in enumerate(PEOPLE):
        desk.write(sender, text_of(number))
    parts = desk.write_long(PEOPLE[0], "inc ame chajul ayer 3 heridos " + "dicen que viven con miedo ’ñ’ " * 4)
    until(lambda: states(served)["delivered"] == 9)
    (desk.folder / "fail").touch()
    desk.write(PEOPLE[1], "inc ase sacapulas hoy 2 heridos")
    until(lambda: len(served.export("reports")) == 10)
    until(lambda: "Fail_reason: +CMS ERROR: 500" in (desk.folder / "smsd.log").read_text() + failures(desk))
    (desk.folder / "fail").unlink()
    desk.modem.kill()
    desk.modem.process.wait()
    time.sleep(1)
    desk.plug()
    # smsd's modem process ends with a line over TCP; a serial line only gives errors.
    desk.daemon.kill()
    desk.daemon.process.wait()
    desk.begin()
    (desk.folder / "full").touch()
    desk.write(PEOPLE[2], "inc ase cunen hoy 3 heridos")
    time.sleep(1)
    (desk.folder / "full").unlink()
    until(lambda: len(served.export("reports")) == 11)
    served.kill()
    served.start()
    until(lambda: states(served)["delivered"] == 11, 240)
    messages = served.export("messages")
    assert len(messages) == 10 + parts
    assert desk.doubled == 0
    table.row(
        "smstools", peer=PEER, texts_in=len(messages), texts_out=len(desk.heard), receipts=states(served)["delivered"],
        faults=("CMS ERROR 500", "modem and smsd killed", "SIM full", "kill -9 of the gateway", "parts reversed"),
        lost=10 + parts - len(messages), doubled=desk.doubled,
    )  # fmt: skip
    assert (desk.folder / "stats" / "status").exists()


def failures(desk: Desk) -> str:
    return "".join(path.read_text(errors="replace") for path in (desk.folder / "failed").iterdir())


def test_what_was_sent_while_the_gateway_was_down_waits_in_the_spool(served: Served, desk: Desk, table: Table) -> None:
    open_for(served, desk)
    served.kill()
    for number, sender in enumerate(PEOPLE):
        desk.write(sender, text_of(number))
    until(lambda: len(list((desk.folder / "incoming").iterdir())) == len(PEOPLE))
    served.start()
    until(lambda: states(served)["delivered"] == len(PEOPLE))
    assert desk.doubled == 0
    table.outage(
        "smstools", peer=PEER, down="until the spool held all; smsd keeps files for ever", sent=len(PEOPLE),
        arrived=len(served.export("reports")), how="the spool is read at the start",
    )  # fmt: skip
