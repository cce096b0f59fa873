"""Digests under fire: three workers, kills in the middle, a clock that jumps, zones with summer time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.house import House
from tests.conftest import HandClock
from tests.faults.digest_crew import Crew

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# The clocks of New York are put forward on the 8th.
START = datetime(2026, 3, 7, 0, 0, tzinfo=UTC)


@pytest.fixture
def crew(house: House, clock: HandClock, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Crew]:
    one = Crew(house, clock, tmp_path, request.param)
    yield one
    one.close()


def go(crew: Crew, to: datetime, *, reports: int = 10, kills: int = 1) -> None:
    """The clock comes near while workers are killed, reports come, then it is time; what ended must be made."""
    near = to - MINUTE
    crew.expect(near)
    crew.set_clock(near)
    for _ in range(kills):
        crew.kill()
    crew.wait()
    crew.report(reports, near)
    crew.expect(to)
    crew.set_clock(to)
    crew.wait()


def play(crew: Crew, kills: int, reports: int, turns: int) -> None:
    crew.begin(START)
    go(crew, START + 6 * HOUR, reports=reports, kills=kills)
    for turn in range(2, turns + 1):
        go(crew, START + turn * 6 * HOUR, kills=kills if turn % 2 else 0)
    assert crew.count("days on end").tell().is_exact
    now = START + turns * 6 * HOUR
    behind(crew, now - DAY, kills)
    go(crew, now + 30 * HOUR)
    assert crew.count("a day back").tell().is_exact
    go(crew, now + 60 * HOUR, kills=kills)
    behind(crew, now + 36 * HOUR, kills)
    go(crew, now + 96 * HOUR)
    assert crew.count("a day forward and back").tell().is_exact
    go(crew, now + 3653 * DAY, reports=0, kills=kills)
    behind(crew, now + 96 * HOUR, kills)
    go(crew, now + 130 * HOUR)
    assert crew.count("ten years forward and back").tell().is_exact


def behind(crew: Crew, at: datetime, kills: int) -> None:
    """The clock is set back, and reports come."""
    crew.set_clock(at)
    crew.report(10, at)
    for _ in range(kills):
        crew.kill()
    crew.wait_noticed()


@pytest.mark.parametrize("crew", [8], indirect=True)
@pytest.mark.timeout(240)
def test_each_period_is_told_once_while_workers_die_and_the_clock_jumps(crew: Crew) -> None:
    play(crew, kills=1, reports=60, turns=6)


@pytest.mark.faults
@pytest.mark.parametrize("crew", [200], indirect=True)
@pytest.mark.timeout(900)
def test_two_hundred_coordinators_are_told_each_period_once(crew: Crew) -> None:
    play(crew, kills=3, reports=700, turns=17)
    assert crew.kills >= 30
