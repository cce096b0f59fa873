"""The machine of a played day: the real program in this process, switched on and off, and time that is moved for it."""

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, func, select

from gateway import ticks
from gateway.days.clockwork import LeapingLoop
from gateway.days.record import Waiting
from gateway.days.stage import Stage
from gateway.house import House, open_house
from gateway.http_server import bind
from gateway.install import check
from gateway.models import Alert
from gateway.running import Running
from outbox.dispatcher import Dispatcher
from outbox.rows import OUTBOUND

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]

STRIDE = timedelta(minutes=1)
LONG_STRIDE = timedelta(minutes=5)
NEAR = timedelta(minutes=15)
NUDGE = timedelta(milliseconds=50)
ROUNDS = 2000
PEEK_S = 0.001


class Machine:
    """`on` before all else. `go` moves time on; nothing is under way when one of these returns."""

    house: House
    running: Running

    def __init__(self, stage: Stage) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapingLoop)
        self._loop = loop
        self.stage = stage
        self.is_on = False
        self.port = 0
        self._ticked: dict[str, datetime] = {}
        self._behind = timedelta(0)
        self._stirred_at = stage.clock.now
        self._is_unsettled = False
        self._thread = ThreadPoolExecutor(1, "day-ticks")

    @property
    def now(self) -> datetime:
        return self.stage.clock.now

    async def on(self) -> None:
        """Start from the database, as after any stop."""
        check(self.stage.settings)
        self.house = open_house(self.stage.settings, self.stage.clock)
        self.running = Running(self.house, timer=False)
        listening = bind("127.0.0.1", 0)
        self.port = listening.getsockname()[1]
        await self.running.start(listening)
        await self.running.warm.wait()
        self._ticked.clear()
        self.is_on = True

    async def off(self) -> None:
        """Stop as on SIGTERM."""
        if self.is_on:
            self.is_on = False
            await self.running.stop()
            self.house.close()
        self._thread.shutdown()

    async def cut(self) -> None:
        """The power fails: what is under way is not finished and not recorded."""
        self.is_on = False
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self._loop.close_servers()
        await self.running.let_go()
        self.house.close()

    def jump(self, to: datetime) -> None:
        """Set the clock without anything being done in between."""
        if to > self.now:
            self._behind += to - self.now
            self.stage.clock.now = to

    async def go(self, to: datetime, *, ticking: bool = True) -> None:
        """Let time pass, stopping at every full minute, or every fifth where nothing is near; not `ticking`: what is
        due at `to` itself is left to do."""
        while self.now < to:
            near = self._is_unsettled or self.now - self._stirred_at < NEAR
            self.jump(min(to, _next_stop(self.now, STRIDE if near else LONG_STRIDE)) if self.is_on else to)
            if self.is_on and (ticking or self.now < to):
                await self.stop_by()

    def stir(self) -> None:
        """Something happens: what comes of it may be due at any minute."""
        self._stirred_at = self.now

    async def stop_by(self) -> None:
        """Do everything that is due at this moment."""
        await self.tick()
        await self.settle()

    async def tick(self) -> None:
        for tick in ticks.TICKS:
            last = self._ticked.get(tick.name)
            if last is None or self.now - last >= tick.every:
                self._ticked[tick.name] = self.now
                await self._loop.run_in_executor(self._thread, tick.run, self.house)

    async def settle(self) -> None:
        """Until everything that may be sent now is sent and recorded; what waits for a channel that is away, waits."""
        sends, away = len(self.stage.record.sends), self._away()
        for round_ in range(ROUNDS):
            # The steady clock follows, and goes on past the short pauses that the dispatcher makes.
            self._loop.leap(self._behind + NUDGE * min(1 + round_, 20))
            self._behind = timedelta(0)
            self._dispatcher.wake()
            while not self._dispatcher.at_rest:  # noqa: ASYNC110 - it rests when other threads have done their part
                await asyncio.sleep(PEEK_S)
            if away != self._away():
                # What is noted of channels is written behind the dispatcher's back.
                await self.house.write(_nothing)
            queued, may_be_sent, self._is_unsettled = await self.house.read(self._standing)
            if not may_be_sent:
                break
        if len(self.stage.record.sends) > sends or self._away() != away:
            self.stir()
        self.stage.record.queues.append(Waiting(self.now, queued))

    @property
    def _dispatcher(self) -> Dispatcher:
        assert self.running.dispatcher is not None
        return self.running.dispatcher

    def _standing(self, connection: Connection) -> tuple[dict[str, int], bool, bool]:
        """How much waits by channel, whether some of it may be sent now, and whether anything is unsettled."""
        counted = select(OUTBOUND.c.channel, OUTBOUND.c.not_before <= self.now, func.count())
        rows = connection.execute(counted.where(OUTBOUND.c.state == "queued").group_by(*counted.selected_columns[:2]))
        queued: dict[str, int] = defaultdict(int)
        due = set()
        for channel, is_due, number in rows:
            queued[channel] += number
            due |= {channel} if is_due else set()
        alert = connection.execute(select(ALERT.c.id).where(ALERT.c.state == "open").limit(1)).first()
        held_up = self._away() | self._paused()
        return dict(queued), bool(due - held_up), bool(set(queued) - held_up) or alert is not None

    def _away(self) -> set[str]:
        return set(self.running.activity.offline())

    def _paused(self) -> set[str]:
        sending = self.running.channels.sending()
        return {name for name in self.stage.providers if name not in sending} | {
            name for name, channel in sending.items() if channel.paused
        }


def _next_stop(at: datetime, stride: timedelta) -> datetime:
    """The next full multiple of `stride` within the hour."""
    hour = at.replace(minute=0, second=0, microsecond=0)
    return hour + ((at - hour) // stride + 1) * stride


def _nothing(_connection: Connection) -> None:
    """A place in the writer's queue."""
