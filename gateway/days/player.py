"""Plays a day: what stands before it, each step at its time, and a look wherever something is expected.

Texts to a channel that is away wait outside, as mail servers and the telephone network keep them, and come when it is
back, each with its own date.
"""

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import assert_never

from sqlalchemy import select

from gateway.days import stage as staging
from gateway.days.acts import ACTS, Doing
from gateway.days.clockwork import LeapingLoop
from gateway.days.doors import open_page, post_mail, post_text
from gateway.days.lines import DayError
from gateway.days.looks import Looker, queued
from gateway.days.machine import Machine
from gateway.days.model import HTTP, MAIL, MODEM, Act, Day, Outage, Power, Step, Text, Tick
from gateway.days.past import put_before
from gateway.days.record import Record
from gateway.days.stage import Stage, built
from gateway.days.wishes import Wish
from gateway.days.wishes.base import BEFORE, look_key
from gateway.days.wishes.pages import ref_of
from gateway.days.wishes.sends import SendWish
from gateway.errors import VoceroError
from gateway.reports import REPORT

CHECKS = -1
CHANNEL_OF: Mapping[str, str] = {"modem": MODEM, "http": HTTP, "email": MAIL}
# The order of things at the same moment. Looks belong to what was before; what happens outside comes before the ticks
# of that moment, what people do after them.
LOOK, OUTSIDE, DEED = 0, 1, 2

Deed = Callable[[], Awaitable[None]]


def play(day: Day, database_url: str | None = None) -> Record:
    """Play the whole day and give what happened.

    Raises Conflict for a database that is not empty, DayError where the file wants what cannot be done at that moment.
    """
    with built(day, database_url) as stage, asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(Player(stage).play())


class Player:
    """One playing of one day."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._day = stage.day
        self._record = stage.record
        self._queue: list[tuple[datetime, int, int, Deed]] = []
        self._order = itertools.count()
        self._held: dict[str, list[tuple[Text, datetime, str]]] = defaultdict(list)
        self._away: set[str] = set()
        self._texts = 0
        self._machine: Machine

    async def play(self) -> Record:
        self._machine = machine = Machine(self._stage)
        await machine.on()
        try:
            await put_before(self._day, machine, self.say)
            await self._begin()
            for step in self._day.steps:
                self._plan(step.at, partial(self._do, step), OUTSIDE if isinstance(step.action, Outage) else DEED)
            while self._queue:
                at, rank, _, deed = heapq.heappop(self._queue)
                await machine.go(at, ticking=rank != OUTSIDE)
                machine.stir()
                await deed()
            await machine.go(self._horizon())
            await self._look(CHECKS, self._needs(self._day.checks), only=None)
            await self._close_record()
        finally:
            await machine.off()
        return self._record

    async def say(self, text: Text, sent_at: datetime, delivery: str) -> None:
        """A text is handed over at this moment."""
        if text.via == "email":
            await post_mail(self._stage.listen, text, sent_at=sent_at, delivery=delivery)
        else:
            await post_text(self._machine.port, self._stage.token, text, sent_at=sent_at, delivery=delivery)
        await self._machine.settle()

    def _plan(self, at: datetime, deed: Deed, rank: int = DEED) -> None:
        heapq.heappush(self._queue, (at, rank, next(self._order), deed))

    async def _begin(self) -> None:
        """The day begins: what was sent before it is forgotten, and everything that ticks is due."""
        self._machine.jump(self._day.start)
        house = self._machine.house
        await house.write(lambda connection: staging.begin(connection, house, self._stage))
        self._record.sends.clear()
        self._record.queues.clear()
        await self._machine.stop_by()

    def _horizon(self) -> datetime:
        """When the last expectation of a message has had its time."""
        ends = [self._machine.now]
        for step in self._day.steps:
            spans = [wish.within for wish in step.wishes if isinstance(wish, SendWish)]
            ends += [self._record.ends[step.number] + span for span in spans]
        return max(ends)

    async def _do(self, step: Step) -> None:
        needs = self._needs(step.wishes)
        await self._look(step.number, needs, only=BEFORE)
        await self._act(step)
        self._record.ends[step.number] = self._machine.now
        for delay in needs:
            if isinstance(delay, timedelta):
                at = self._machine.now + delay
                look = partial(self._look, step.number, needs, only=delay)
                if delay:
                    self._plan(at, look, LOOK)
                else:
                    await look()

    async def _act(self, step: Step) -> None:
        action = step.action
        if isinstance(action, Text):
            await self._text(action, step)
        elif isinstance(action, Outage):
            self._stage.wire(action.channel).down()
            self._away.add(action.channel)
            self._plan(action.until, partial(self._back, action.channel), OUTSIDE)
            await self._machine.stop_by()
        elif isinstance(action, Power):
            await self._machine.cut()
            self._machine.jump(step.at + action.off_for)
            await self._machine.on()
            await self._machine.stop_by()
        elif isinstance(action, Tick):
            await self._machine.go(action.to)
        elif isinstance(action, Act):
            await self._admin(action, step)
        elif action is not None:
            assert_never(action)

    async def _text(self, text: Text, step: Step) -> None:
        delivery = text.delivery or f"day-{step.number}"
        self._texts += 1
        await self._bring(text, step.at, delivery)

    async def _bring(self, text: Text, sent_at: datetime, delivery: str) -> None:
        """Hand a text over, unless its channel is away or it arrives later."""
        channel = CHANNEL_OF[text.via]
        if channel in self._away:
            self._held[channel].append((text, sent_at, delivery))
        elif text.arrives is not None and text.arrives > self._machine.now:
            self._plan(text.arrives, partial(self._bring, text, sent_at, delivery), OUTSIDE)
        else:
            await self.say(text, sent_at, delivery)

    async def _back(self, channel: str) -> None:
        """The link is back: what waited outside comes in the order in which it was written."""
        self._stage.wire(channel).up()
        self._away.discard(channel)
        held, self._held[channel] = self._held[channel], []
        for text, sent_at, delivery in held:
            await self._bring(text, sent_at, delivery)
        await self._machine.stop_by()

    async def _admin(self, action: Act, step: Step) -> None:
        house = self._machine.house
        ground = replace(self._day.ground, calendar=self._day.ground.calendar.after(step.at))
        doing = Doing(action.do, action.values, house, ground)
        try:
            await house.write(lambda connection: ACTS[action.do].run(connection, doing))
        except VoceroError as error:
            raise DayError(action.line, f"admin {action.do}: {error}") from error
        await self._machine.running.channels.look()
        await self._machine.settle()

    def _needs(self, wishes: tuple[Wish, ...]) -> dict[timedelta | str, set[str]]:
        """When to look, and which pages to open then."""
        needs: dict[timedelta | str, set[str]] = defaultdict(set)
        for wish in wishes:
            for when, pages in wish.needs.items():
                needs[when].update(pages)
        return needs

    async def _look(
        self, number: int, needs: Mapping[timedelta | str, set[str]], *, only: timedelta | str | None
    ) -> None:
        """Take the looks that are wanted now; `only` one of them, or all."""
        for when, paths in needs.items():
            if only is not None and when != only:
                continue
            pages = {path: await self._page(path) for path in sorted(paths)}
            looker = Looker(self._machine.house, self._day, self._record)
            look = await self._machine.house.read(partial(looker.look, texts=self._texts, pages=pages))
            key = (number, BEFORE) if isinstance(when, str) else look_key(number, when)
            self._record.looks[key] = look

    async def _page(self, path: str) -> str:
        house, ref = self._machine.house, ref_of(path)
        if ref is not None:
            found = await house.read(lambda conn: conn.scalar(select(REPORT.c.id).where(REPORT.c.ref == ref)))
            if found is None:
                return f"(there is no R{ref})"
            path = f"/reports/{found}"
        cookie = await house.write(lambda connection: staging.log_in(connection, self._stage.clock))
        return await open_page(self._machine.port, cookie, path)

    async def _close_record(self) -> None:
        """Only the database knows of which kind a message was, and since when it waited."""
        house = self._machine.house
        rows = await house.read(lambda connection: queued(connection, house.sealer))
        sends = self._record.sends
        for index, send in enumerate(sends):
            # A mail without a Message-ID of its own has one that begins with the id of its row.
            kind, at = rows.get(send.id) or rows.get(send.id.strip("<>").partition("@")[0]) or ("", None)
            sends[index] = replace(send, kind=kind, queued_at=at)
        self._record.end = self._machine.now
