"""Asks providers for what was missed: at the start, with new settings, when a link is back, and every hour.

Up to when a channel was caught up stands in its row, so that a text missed while anything was down is asked for however
long that was. `since` goes back further by the kind's `reach`, since phones and operators have clocks of their own, but
never to before the channel was made. What is here already is known by its id and not kept again.
"""

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from gateway.channels import CHANNELS
from gateway.channels.base import ChannelConfig, Surroundings
from gateway.channels.live import LiveChannels
from gateway.channels.registry import CHANNEL
from gateway.house import House
from outbox.errors import SendError

EVERY = timedelta(hours=1)
LOOK_EVERY_S = 1.0
FIRST_RETRY_S = 15.0
LONGEST_RETRY_S = 300.0
LIMIT_S = 120.0

_log = logging.getLogger("vocero.channels")


class CatchingUp:
    """Runs `Kind.catch_up` of every channel that has one, each in a task of its own."""

    def __init__(self, house: House, channels: LiveChannels, around: Surroundings) -> None:
        self._house = house
        self._channels = channels
        self._around = around
        self._done: dict[str, datetime] = {}
        self._next: dict[str, float] = {}
        self._retry: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._known: dict[str, ChannelConfig] = {}
        self._wishes: Counter[str] = Counter()

    def link_is_back(self, channel: str) -> None:
        """Ask again now, however lately it was, and also when it is being asked at this moment."""
        self._wishes[channel] += 1
        self._done.pop(channel, None)
        self._next.pop(channel, None)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; what is under way then is broken off, and asked for again at the next start."""
        while not stop.is_set():
            for config in self._channels.configs():
                self._look(config)
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _look(self, config: ChannelConfig) -> None:
        if self._known.get(config.name) != config:
            self._known[config.name] = config
            self.link_is_back(config.name)
        running = self._tasks.get(config.name)
        if (running is not None and not running.done()) or not self._is_due(config):
            return
        self._tasks[config.name] = asyncio.create_task(self._catch_up(config))

    def _is_due(self, config: ChannelConfig) -> bool:
        if CHANNELS[config.kind].catch_up is None or _monotonic() < self._next.get(config.name, 0.0):
            return False
        done = self._done.get(config.name)
        return done is None or not timedelta(0) <= self._house.clock() - done < EVERY

    async def _catch_up(self, config: ChannelConfig) -> None:
        began, name, wish = self._house.clock(), config.name, self._wishes[config.name]
        try:
            since = await self._house.read(lambda connection: _since(connection, config))
            if since is not None:
                async with asyncio.timeout(LIMIT_S):
                    await _ask(config, self._around, since)
                await self._house.write(lambda connection: _mark(connection, name, began))
        except (SendError, TimeoutError) as error:
            self._failed(name, getattr(error, "code", "timeout"))
        except Exception as error:
            self._failed(name, type(error).__name__)
        else:
            if self._wishes[name] == wish:
                self._done[name] = began
            self._retry.pop(name, None)
            _log.info("channel %s is caught up", name)

    def _failed(self, name: str, why: str) -> None:
        pause = self._retry.get(name, FIRST_RETRY_S)
        self._next[name] = _monotonic() + pause
        self._retry[name] = min(pause * 2, LONGEST_RETRY_S)
        if pause == FIRST_RETRY_S:
            _log.warning("channel %s could not be caught up: %s", name, why)


def _since(connection: Connection, config: ChannelConfig) -> datetime | None:
    """From when on texts are asked for; None when the channel is gone."""
    columns = (CHANNEL.c.caught_up_at, CHANNEL.c.created_at)
    row = connection.execute(select(*columns).where(CHANNEL.c.name == config.name)).first()
    if row is None:
        return None
    made: datetime = row.created_at
    return max(made, row.caught_up_at - CHANNELS[config.kind].reach) if row.caught_up_at else made


async def _ask(config: ChannelConfig, around: Surroundings, since: datetime) -> None:
    ask = CHANNELS[config.kind].catch_up
    if ask is not None:
        await ask(config, around, since)


def _mark(connection: Connection, name: str, at: datetime) -> None:
    connection.execute(update(CHANNEL).where(CHANNEL.c.name == name).values(caught_up_at=at))


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
