"""Ticks, and a wall clock that jumps under them."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from gateway.house import House
from gateway.incoming import Incoming
from gateway.intake import Intake
from gateway.standing import MESSAGE
from gateway.ticks import TICKS, Jumps, Tick, Ticker
from gateway.upkeep import PARTS_WAIT, PIECE, QUESTION, beat, expire_questions, give_up_parts, last_beat
from tests.conftest import HandClock
from tests.gateway.at_work import until


class Steady:
    """A monotonic clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def until_true(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await until(holds)


JUMPS = {
    "no jump": (2.0, 2.0, 0.0),
    "a slow second": (2.0, 3.5, 0.0),
    "a leap of four": (2.0, 6.0, 0.0),
    "a day back": (2.0, 2.0 - 86_400, -86_400.0),
    "a day forward, or a sleep": (2.0, 2.0 + 86_400, 86_400.0),
    "from 1970 to today": (2.0, 2.0 + 56 * 31_557_600, 56 * 31_557_600.0),
    "ten years back": (2.0, 2.0 - 315_576_000, -315_576_000.0),
}


@pytest.mark.parametrize("label", JUMPS)
def test_a_jump_is_what_wall_and_steady_time_differ_by(label: str, clock: HandClock) -> None:
    steady_passed, wall_passed, wanted = JUMPS[label]
    steady = Steady()
    jumps = Jumps(clock, steady)
    steady.now += steady_passed
    clock.advance(timedelta(seconds=wall_passed))
    assert jumps.seen() == timedelta(seconds=wanted)
    assert jumps.seen() == timedelta(0)


def run_ticker(house: House, tick: Callable[[House], object], story: Callable[[Ticker, asyncio.Event], object]) -> None:
    """Run one hourly tick while the async `story` goes on."""

    async def whole() -> None:
        stop = asyncio.Event()
        ticker = Ticker(house, ticks=(Tick("one", timedelta(hours=1), tick),))
        task = asyncio.create_task(ticker.run(stop))
        try:
            await story(ticker, stop)  # type: ignore[misc]
        finally:
            stop.set()
            await task

    asyncio.run(whole())


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1), timedelta(days=-3650)])
def test_every_tick_is_due_at_once_after_a_jump(house: House, clock: HandClock, jump: timedelta) -> None:
    ran: list[datetime] = []

    async def story(ticker: Ticker, _stop: asyncio.Event) -> None:
        await until_true(lambda: len(ran) == 1)
        clock.advance(jump)
        ticker.look()
        await until_true(lambda: len(ran) == 2)

    run_ticker(house, lambda house: ran.append(house.clock()), story)
    assert ran[1] - ran[0] == jump


def test_a_tick_that_fails_is_counted_and_the_next_runs(house: House) -> None:
    ends: list[tuple[str, str]] = []

    def fails(_house: House) -> None:
        raise ZeroDivisionError

    async def whole() -> None:
        stop = asyncio.Event()
        every = timedelta(milliseconds=50)
        ticks = (Tick("fails", every, fails), Tick("works", every, lambda house: None))
        ticker = Ticker(house, ticks=ticks, ticked=lambda name, result: ends.append((name, result)))
        task = asyncio.create_task(ticker.run(stop))
        await until_true(lambda: min(ends.count(("fails", "failed")), ends.count(("works", "done"))) == 2)
        stop.set()
        await task

    asyncio.run(whole())
    assert ("fails", "done") not in ends


def test_every_tick_runs_on_an_empty_house(house: House) -> None:
    for tick in TICKS:
        tick.run(house)


def test_a_heartbeat_tells_when_it_was(house: House, clock: HandClock) -> None:
    assert house.read_now(last_beat) is None
    beat(house)
    clock.advance(timedelta(seconds=20))
    beat(house)
    assert house.read_now(last_beat) == clock.now


def test_a_question_whose_time_is_over_is_ended_once(house: House, clock: HandClock) -> None:
    rows = [
        {
            "id": uuid7(), "sender_hash": number.to_bytes(16), "message_id": uuid7(), "form": "incident",
            "ask": "place", "choices": [], "state": "open", "asked_at": clock.now,
            "expires_at": clock.now + timedelta(hours=24),
        }
        for number in range(PIECE + 50)
    ]  # fmt: skip
    house.writer.write_now(lambda conn: conn.execute(insert(QUESTION), rows))
    assert expire_questions(house) == 0
    clock.advance(timedelta(hours=24))
    assert expire_questions(house) == PIECE + 50
    assert expire_questions(house) == 0
    states = house.read_now(lambda conn: set(conn.execute(select(QUESTION.c.state, QUESTION.c.ended_at)).all()))
    assert states == {("expired", clock.now)}


def test_a_part_that_waited_a_day_for_the_others_is_shown_to_a_person(house: House, clock: HandClock) -> None:
    part = Incoming(
        channel="telco",
        sender="tel:+50255550101",
        text="inc rob",
        heard_at=clock.now,
        external_id="1",
        part=("17", 1, 2),
    )
    Intake(house).keep_now([part])
    assert give_up_parts(house) == 0
    clock.advance(PARTS_WAIT)
    assert give_up_parts(house) == 1
    assert house.read_now(lambda conn: conn.execute(select(MESSAGE.c.state, MESSAGE.c.reason)).one()) == (
        "unread",
        "parts",
    )


def test_what_reacts_to_a_jump_is_told_by_how_much_the_clock_was_set(house: House, clock: HandClock) -> None:
    told: list[timedelta] = []
    ticker = Ticker(house, ticks=(), on_jump=told.append)
    ticker.look()
    clock.advance(timedelta(days=3))
    ticker.look()
    ticker.look()
    assert [round(step / timedelta(days=1), 3) for step in told] == [3.0]
