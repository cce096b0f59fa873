"""The wall clock is set while `vocero serve` runs; the steady clock goes on as it does."""

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.crew import Phones, Tally, kept, until
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

DAY = 86_400
TEN_YEARS = 3653 * DAY
MARTA = "+50255550201"
MENACE = "urgente amenaza de linchamiento hoy en"
PLACES = ("sacapulas", "nebaj", "chajul", "cunen", "uspantan")
JUMPS = {"a day back": -DAY, "ten years back": -TEN_YEARS, "a day forward": DAY}
WAITED = {"a day back": (0, -DAY), "from 2016 to today": (-TEN_YEARS, 0)}


class Clock:
    """The wall clock of every process of the installation, in seconds before the true one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set(0)

    def set(self, ahead: int) -> None:
        with self.path.open("r+b" if self.path.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("<q", ahead))


@pytest.fixture
def clock(served: Served, wall_clock: Path) -> Iterator[Clock]:
    one = Clock(served.folder / "clock")
    served.more = {"LD_PRELOAD": str(wall_clock), "WALL_CLOCK": str(one.path)}
    return one


def menace(served: Served, number: int) -> str:
    """Post an urgent report of an event of its own; the number of the monitor who sent it."""
    sender, place = f"+502555501{number:02d}", PLACES[number % len(PLACES)]
    answer = served.post({"id": f"m{number}", "from": sender, "text": f"{MENACE} {place} {number}"}, timeout=20)
    assert answer.status_code == 202
    return sender


def seconds_for(served: Served, phones: Phones, number: int, ref: str) -> tuple[float, float]:
    """From posting an urgent report until its alert and its confirmation are heard."""
    started = time.monotonic()
    sender = menace(served, number)
    phones.wait_for(MARTA, ref)
    alert = time.monotonic() - started
    phones.wait_for(sender, ref)
    return alert, time.monotonic() - started


def jumps_seen(served: Served) -> int:
    return (served.folder / "serve.log").read_text().count("the wall clock jumped")


def check(served: Served, name: str) -> bool:
    return bool(httpx.get(f"{served.url}/readyz", timeout=20).json()["checks"][name]["ok"])


@pytest.mark.parametrize("label", JUMPS)
def test_alert_and_confirmation_leave_within_five_seconds_of_a_jump(
    served: Served, phones: Phones, clock: Clock, label: str
) -> None:
    served.start()
    menace(served, 1)
    phones.wait_for(MARTA, "R3000")
    clock.set(JUMPS[label])
    alert, confirmation = seconds_for(served, phones, 2, "R3001")
    until(lambda: jumps_seen(served) == 1)
    until(lambda: check(served, "last_tick") and check(served, "outbox"))
    once_more, _ = seconds_for(served, phones, 3, "R3002")
    doubled = sum(times - 1 for times in phones.times.values())
    tally = Tally(label, 1, 3, len(phones.times), doubled)
    tally.tell(alert_s=round(alert, 2), confirmation_s=round(confirmation, 2), once_more_s=round(once_more, 2))
    assert max(alert, confirmation, once_more) < 5
    assert doubled == 0
    assert served.stop() == 0


@pytest.mark.parametrize("label", WAITED)
def test_what_waits_for_another_try_when_the_clock_jumps_goes_out_soon(
    served: Served, phones: Phones, clock: Clock, label: str
) -> None:
    before, after = WAITED[label]
    clock.set(before)
    phones.status = 503
    served.start()
    menace(served, 1)
    until(lambda: phones.count(MARTA) > 0)
    phones.status, refused = 200, len(phones.heard)
    clock.set(after)
    took = until(lambda: any(message["to"] == MARTA for _, message in phones.heard[refused:]))
    until(lambda: {row["state"] for row in kept(served, "outbox")} == {"sent"}, every=0.2)
    Tally(f"{label}, with a text waiting", 1, 1, len(phones.times)).tell(alert_s=round(took, 2))
    assert took < 20
    assert served.stop() == 0


def test_ten_years_forward_and_back_sends_nothing_twice_and_skips_no_digest(
    served: Served, phones: Phones, clock: Clock
) -> None:
    served.run("subscription", "add", MARTA, "--by", "sms", "--at", "06:00", "--places", "14")
    served.start()
    menace(served, 1)
    phones.wait_for(MARTA, "R3000")
    for round_ in range(2):
        clock.set(TEN_YEARS + round_ * DAY)
        until(lambda seen=2 * round_ + 1: jumps_seen(served) == seen)
        until(lambda made=round_ + 1: len(digests(served)) == made, 40, every=0.2)
        clock.set(0)
        until(lambda seen=2 * round_ + 2: jumps_seen(served) == seen)
        menace(served, 2 + round_)
        phones.wait_for(MARTA, f"R{3001 + round_}")
    clock.set(DAY)
    until(lambda: len(digests(served)) == 3, 40, every=0.2)
    until(lambda: {row["state"] for row in kept(served, "outbox")} == {"sent"}, every=0.2)
    told = [ref for row in digests(served) for ref in (3000, 3001, 3002) if str(ref) in row["text"]]
    outbox = kept(served, "outbox")
    doubled = sum(times - 1 for times in phones.times.values())
    tally = Tally(
        "ten years forward and back", 2, 3, len(phones.times), doubled, len(outbox) - len(phones.times)
    ).tell()
    assert served.process is not None
    assert served.process.poll() is None
    assert (tally.doubled, tally.lost) == (0, 0)
    assert sorted(told) == [3000, 3001, 3002], json.dumps([row["text"] for row in digests(served)])
    assert served.stop() == 0


def digests(served: Served) -> list[dict[str, str]]:
    return [row for row in kept(served, "outbox") if row["kind"] == "digest"]
