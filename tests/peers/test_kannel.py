"""The real Kannel with its own fake SMSC: texts and answers, receipts out of order, and a gateway that is away."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.peers.conftest import need
from tests.peers.kannel import FAKESMSC, PASSWORD, Kannel, version
from tests.peers.table import Table
from tests.served import Served

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]

TOKEN = "kannel-token-of-the-test"
PEOPLE = [f"502555501{number:02}" for number in range(1, 21)]
UCS2 = "inc rob nebaj ayer chi nimab’anik ñ"


@pytest.fixture
def peer() -> str:
    need("bearerbox", "smsbox", FAKESMSC)
    return f"Kannel {version()}"


@pytest.fixture
def kannel(peer: str, served: Served, tmp_path: Path) -> Iterator[Callable[..., Kannel]]:
    """Start Kannel beside a gateway with the channel `kannel`; more settings of smsbox as arguments."""
    made: list[Kannel] = []

    def start(**settings: Any) -> Kannel:
        folder = tmp_path / "kannel"
        folder.mkdir()
        one = Kannel(folder, served.url, TOKEN, **settings)
        made.append(one)
        served.set_up()
        given = {"token": TOKEN, "send_url": one.send_url, "username": "gw", "password": PASSWORD, "from": "1500"}
        pairs = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
        served.run("channel", "add", "kannel", "kannel", *pairs)
        served.start()
        one.start()
        return one

    yield start
    for one in made:
        one.close()


def heard(served: Served) -> list[dict[str, Any]]:
    return [row for row in served.export("messages") if row["channel"] == "kannel"]


def sent(served: Served) -> list[dict[str, Any]]:
    return [row for row in served.export("outbox") if row["channel"] == "kannel"]


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """True once it holds, False when it never did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.3)
    return False


def say(kannel: Kannel, number: int = 20) -> list[str]:
    """`number` texts of many people, every fourth in UCS-2; each of those that may have been sent."""
    texts = [f"{UCS2} {index}" if index % 4 == 3 else f"inc rob nebaj ayer {index} heridos" for index in range(20)]
    lines = [
        f"{person} 1500 ucs2 {quote(text.encode('utf-16-be'))}" if "ñ" in text else f"{person} 1500 text {text}"
        for person, text in zip(PEOPLE, texts, strict=True)
    ]
    kannel.say(lines, number)
    return texts


def settle(table: Table, peer: str, rows: list[dict[str, Any]], *faults: str, number: int = 20) -> None:
    """A row of the table; nothing may be doubled, whatever happened."""
    lost, doubled = max(0, number - len(rows)), max(0, len(rows) - number)
    table.row("kannel", peer=peer, texts_in=len(rows), faults=faults, lost=lost, doubled=doubled)
    assert (lost, doubled) == (0, 0)


def test_texts_come_in_answers_go_out_and_receipts_settle_them(
    kannel: Callable[..., Kannel], served: Served, table: Table, peer: str
) -> None:
    one = kannel()
    texts = say(one)
    assert until(lambda: len(heard(served)) == 20)
    rows = heard(served)
    assert {row["text"] for row in rows} <= set(texts)
    assert until(lambda: {row["state"] for row in sent(served)} == {"delivered"})
    answers = sent(served)
    assert until(lambda: len(one.taken()) == len(answers))
    receipts = one.answered() - len(rows)
    assert receipts >= 2 * len(answers)
    assert TOKEN not in (served.folder / "serve.log").read_text()
    table.row("kannel", peer=peer, texts_out=len(answers), receipts=receipts)
    settle(table, peer, rows)


def test_a_gateway_that_is_away_for_less_than_the_retries_costs_no_text(
    kannel: Callable[..., Kannel], served: Served, table: Table, peer: str
) -> None:
    """Kannel's smsbox asks every second, 10,000 times: with its ten seconds, more than a day."""
    one = kannel(retries=10_000, delay=1)
    served.kill()
    say(one)
    time.sleep(6)
    served.start()
    until(lambda: len(heard(served)) >= 20)
    rows = heard(served)
    table.outage("kannel, 10000 retries", peer=peer, down="killed; 5 retries", sent=20, arrived=len(rows),
                 how="smsbox asked again")  # fmt: skip
    settle(table, peer, rows, "gateway killed")


def test_a_stopped_smsbox_leaves_the_texts_on_the_disk_of_bearerbox(
    kannel: Callable[..., Kannel], served: Served, table: Table, peer: str
) -> None:
    """smsbox is stopped with the gateway; then all of Kannel is killed, as a power cut does."""
    one = kannel(retries=10_000, delay=1)
    smsbox = one.boxes.pop()
    smsbox.stop()
    served.kill()
    say(one)
    assert until(lambda: one.stored() >= 20)
    one.boxes.pop().kill()
    for phone in one.phones:
        phone.kill()
    served.start()
    one.start()
    until(lambda: len(heard(served)) >= 20)
    rows = heard(served)
    table.outage("kannel, smsbox bound", peer=peer, down="gateway, smsbox, bearerbox killed", sent=20,
                 arrived=len(rows), how="bearerbox kept them on disk")  # fmt: skip
    settle(table, peer, rows, "smsbox stopped", "bearerbox killed")


LOSING = {
    "no retries, Kannel's default": ({"retries": 0}, False),
    "smsbox killed while it asks again": ({"retries": 10_000, "delay": 1}, True),
}


@pytest.mark.parametrize("label", LOSING)
def test_what_kannel_itself_loses_is_known_and_told_of(
    kannel: Callable[..., Kannel], served: Served, table: Table, peer: str, label: str
) -> None:
    """Not ours to mend: the guide warns of it. Should Kannel learn better, this test says so."""
    settings, kill_smsbox = LOSING[label]
    one = kannel(**settings)
    served.kill()
    say(one, 5)
    time.sleep(2)
    if kill_smsbox:
        one.boxes.pop().kill()
        one.boxes.pop().kill()
        for phone in one.phones:
            phone.kill()
    served.start()
    if kill_smsbox:
        one.start()
    until(lambda: len(heard(served)) >= 5, 5)
    arrived = len(heard(served))
    table.outage(f"kannel, {label}", peer=peer, down="killed", sent=5, arrived=arrived, how="Kannel drops them")
    assert arrived < 5
