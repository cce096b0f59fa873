"""What is done from time to time. The timer only ticks: what is due is computed from rows and the wall clock.

APScheduler 3 sleeps on the monotonic clock until a wall-clock moment, so it stops when the clock is set back. A watch
on the monotonic clock compares the two and, after a jump, makes every tick due at once.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from gateway.alerts import escalate_due, tell_more_due
from gateway.announcing import queue_announcements
from gateway.bounces import watch_bounces
from gateway.budgets import watch_budgets
from gateway.clock import Clock
from gateway.digests.schedule import run_for_a_while
from gateway.house import House
from gateway.links import watch_links
from gateway.pins import forget_attempts
from gateway.reminders import ask_again
from gateway.rerouting import mail_instead, reroute
from gateway.same_event import propose
from gateway.silence_watch import watch_silence
from gateway.upkeep import beat, expire_questions, give_up_parts

WATCH_EVERY_S = 2.0
JUMP = timedelta(seconds=5)

_log = logging.getLogger("vocero.ticks")


@dataclass(frozen=True, slots=True)
class Tick:
    """`run` is called in the tick thread and writes through the house's writer, a little at a time."""

    name: str
    every: timedelta
    run: Callable[[House], object]


TICKS = (
    Tick("heartbeat", timedelta(seconds=20), beat),
    Tick("alerts", timedelta(seconds=5), escalate_due),
    Tick("more on alerts", timedelta(seconds=20), tell_more_due),
    Tick("digests", timedelta(seconds=10), run_for_a_while),
    Tick("questions", timedelta(minutes=1), expire_questions),
    Tick("reminders", timedelta(minutes=1), ask_again),
    Tick("silence", timedelta(minutes=1), watch_silence),
    Tick("bounces", timedelta(minutes=1), watch_bounces),
    Tick("announcements", timedelta(seconds=10), queue_announcements),
    Tick("links", timedelta(minutes=1), watch_links),
    Tick("same event", timedelta(seconds=20), propose),
    Tick("budgets", timedelta(minutes=1), watch_budgets),
    Tick("routes", timedelta(seconds=5), reroute),
    Tick("mail instead", timedelta(seconds=30), mail_instead),
    Tick("parts", timedelta(minutes=5), give_up_parts),
    Tick("personal numbers", timedelta(hours=1), forget_attempts),
)


def since_boot() -> float:
    """Seconds since the machine was started, those it slept included; time.monotonic leaves them out."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Jumps:
    """Compares wall and steady time: `seen` says by how much the wall clock jumped since it was asked last."""

    def __init__(self, clock: Clock, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._last = (clock(), monotonic())

    def seen(self) -> timedelta:
        """The jump, positive when forward; nothing for less than JUMP."""
        (wall, steady), now, mono = self._last, self._clock(), self._monotonic()
        self._last = (now, mono)
        jump = (now - wall) - timedelta(seconds=mono - steady)
        return jump if abs(jump) > JUMP else timedelta(0)


class Ticker:
    """Runs TICKS until stopped. `on_jump` is told at a jump of the wall clock by how much it was set (the rest of the
    jump the machine slept), `ticked` of each run's name and end."""

    def __init__(
        self, house: House, *, ticks: tuple[Tick, ...] = TICKS, on_jump: Callable[[timedelta], None] | None = None,
        ticked: Callable[[str, str], None] | None = None,
    ) -> None:  # fmt: skip
        self._house = house
        self._ticks = ticks
        self._on_jump = on_jump
        self._ticked = ticked
        self._jumps = Jumps(house.clock)
        self._steps = Jumps(house.clock, since_boot)
        self._thread = ThreadPoolExecutor(1, "ticks")
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )  # fmt: skip

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until `stop`; the tick under way is finished."""
        for tick in self._ticks:
            seconds = tick.every.total_seconds()
            self._scheduler.add_job(
                self._one, "interval", seconds=seconds, args=[tick], id=tick.name, next_run_time=datetime.now(UTC)
            )
        self._scheduler.start()
        try:
            while not stop.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_EVERY_S):
                        await stop.wait()
                self.look()
        finally:
            self._scheduler.shutdown(wait=False)
            await asyncio.get_running_loop().run_in_executor(self._thread, lambda: None)
            self._thread.shutdown(wait=False)

    def look(self) -> None:
        """After a jump of the wall clock make every tick due now."""
        jump, step = self._jumps.seen(), self._steps.seen()
        if not jump and not step:
            return
        _log.warning("the wall clock jumped by %d seconds", jump.total_seconds())
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))
        if self._on_jump is not None:
            self._on_jump(step)

    async def _one(self, tick: Tick) -> None:
        result: Any = "done"
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, tick.run, self._house)
        except Exception:
            result = "failed"
            _log.exception("tick %s failed", tick.name)
        if self._ticked is not None:
            self._ticked(tick.name, result)
