"""A dispatcher at work, a sender that answers as it is told, and ways to wait for them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from outbox_cast import Box

from gateway.db import Writer
from outbox.dispatcher import Dispatcher, SendingChannel
from outbox.errors import SendError
from outbox.senders.base import Envelope, Sent

SOON = 5.0


@dataclass
class Script:
    """A sender that answers as it is told, in turn, then says yes."""

    answers: list[SendError | Exception | Callable[[], Awaitable[Any]]] = field(default_factory=list)
    parallel: int = 1
    taken: list[Envelope] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def send(self, envelope: Envelope) -> Sent:
        self.taken.append(envelope)
        self.times.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await answer()
        return Sent(f"id-{len(self.taken)}")

    async def close(self) -> None:
        pass


class Office:
    """A dispatcher over the box's database, its writer thread, and what it said of its channels."""

    def __init__(self, box: Box, **arguments: Any) -> None:
        self.box = box
        self.writer = Writer(box.engine)
        self.writer.start()
        self.channels: dict[str, SendingChannel] = {}
        self.said: list[tuple[str, str, str]] = []
        self.stop = asyncio.Event()
        self.dispatcher = Dispatcher(
            write=self.writer.write, seals=box.seals, clock=lambda: box.now, channels=lambda: self.channels,
            owner="office", on_state=lambda *said: self.said.append(said), **arguments,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Office"]:
        task = asyncio.create_task(self.dispatcher.run(self.stop))
        try:
            yield self
        finally:
            self.stop.set()
            self.dispatcher.wake()
            await asyncio.wait_for(task, SOON + 12)
            self.writer.stop()

    async def states(self) -> dict[str, int]:
        return await self.writer.write(lambda conn: self.box.states_in(conn))

    async def until(self, wanted: dict[str, int], seconds: float = SOON) -> None:
        """Ask, again and again, until the messages are in these states."""
        async with asyncio.timeout(seconds):
            while await self.states() != wanted:  # noqa: ASYNC110 - the database knows nothing of this test
                await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool], seconds: float = SOON) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of this test
            await asyncio.sleep(0.01)


def run(job: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(job, 60))  # type: ignore[arg-type]


async def all_paused(office: Office) -> None:
    """Until every line has seen the channels as they are now."""
    office.dispatcher.wake()
    await until(lambda: all(line.paused for line in office.dispatcher._lines.values()))
