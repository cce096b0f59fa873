"""Listens to folders or tables that a modem's daemon fills: read, commit, and only then put away."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.channels.base import ChannelConfig, StatusReport, Surroundings
from gateway.errors import Busy
from gateway.incoming import Incoming

T = TypeVar("T")

POLL_S = 1.0
# Found at one look; the rest comes with the next.
AT_ONCE = 200

_log = logging.getLogger("vocero.spool")


@dataclass(frozen=True, slots=True)
class Found:
    """A text or a receipt; `done` puts it away once it is committed, and may be called again after a crash."""

    what: Incoming | StatusReport
    done: Callable[[], None]


class SpoolListener:
    """Looks every `poll` seconds, in a thread of its own. `look` gives at most AT_ONCE and does no harm.

    What cannot be kept stays where it lies and is found by the next look. `check` raises OSError when there is nothing
    to look at; the channel is then shown as not started and tried again.
    """

    def __init__(
        self, config: ChannelConfig, around: Surroundings, look: Callable[[], Sequence[Found]],
        check: Callable[[], None],
    ) -> None:  # fmt: skip
        self._name = config.name
        self._around = around
        self._look = look
        self._check = check
        self._poll_s = float(config.get("poll") or POLL_S)
        self._thread = ThreadPoolExecutor(1, "spool")
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._run(self._check)
        self._task = asyncio.create_task(self._listen())

    async def stop(self, grace_s: float = 5.0) -> None:
        self._stop.set()
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await asyncio.shield(self._task)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                await self.look()
            except Exception as error:
                _log.warning("channel %s: a look failed: %s", self._name, type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._stop.wait()

    async def look(self) -> int:
        """Take in what lies there now; returns how much was kept."""
        found = await self._run(self._look)
        kept = await asyncio.gather(*(self._take(one) for one in found))
        return sum(kept)

    async def _take(self, one: Found) -> bool:
        try:
            if isinstance(one.what, StatusReport):
                assert self._around.note is not None
                await self._around.note(self._name, one.what)
            else:
                assert self._around.intake is not None
                await self._around.intake.receive(one.what)
                self._around.heard(self._name, "kept")
        except Busy:
            self._around.heard(self._name, "busy")
            return False
        await self._run(one.done)
        return True

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def put_away(path: Path, kept: Path | None) -> None:
    """Move a file into `kept`, or remove it. One that is gone already was put away before."""
    with suppress(FileNotFoundError):
        if kept is None:
            path.unlink()
        else:
            kept.mkdir(mode=0o700, exist_ok=True)
            path.rename(kept / path.name)
