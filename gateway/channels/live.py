"""The channels of a running process: doors, listeners and senders that follow the channel table within a second."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from gateway.channels import CHANNELS
from gateway.channels.base import ChannelConfig, Door, Letter, Listener, RoundDoor, Surroundings
from gateway.channels.registry import load
from gateway.errors import Busy
from gateway.house import House, config_stamp
from gateway.incoming import Receipt

if TYPE_CHECKING:
    from gateway.channels.letters import LetterDesk
    from outbox.dispatcher import SendingChannel

LOOK_EVERY_S = 0.5
RETRY_EVERY_S = 5.0

_log = logging.getLogger("vocero.channels")


@dataclass
class _Live:
    config: ChannelConfig
    listeners: list[Listener] = field(default_factory=list)
    sending: "SendingChannel | None" = None
    letters: "LetterDesk | None" = None


class LiveChannels:
    """`listens`: take calls and mail; `sends`: have senders. `problems` says by channel what could not be started.

    `share` is how many processes send, this one among them.
    """

    def __init__(self, house: House, around: Surroundings, *, listens: bool, sends: bool) -> None:
        self.doors: Mapping[str, Door | RoundDoor] = {}
        self.problems: dict[str, str] = {}
        self.share = 1
        self._house = house
        self._around = around
        self._listens = listens
        self._sends = sends
        self._live: dict[str, _Live] = {}
        self._stamp: int | None = None
        self._tried_at = 0.0
        self._busy = asyncio.Lock()

    def sending(self) -> "Mapping[str, SendingChannel]":
        """Each that sends, with this process' part of its rate."""
        found = {name: live.sending for name, live in self._live.items() if live.sending is not None}
        if self.share <= 1:
            return found
        return {name: replace(one, rate=one.rate / self.share) if one.rate else one for name, one in found.items()}

    def troubles(self) -> dict[str, str]:
        """What could not be started, and what a listener says of itself, in a word, by channel."""
        told = {
            name: str(problem)
            for name, live in self._live.items() for listener in live.listeners
            if (problem := getattr(listener, "problem", None))
        }  # fmt: skip
        return {**told, **self.problems}

    async def keep_letter(self, name: str, letter: Letter) -> Receipt:
        """Read and keep a mail that a webhook brought."""
        from gateway.channels.letters import LetterDesk

        live = self._live.get(name)
        if live is None:
            raise Busy("the channel is being changed", 5)
        if live.letters is None:
            live.letters = LetterDesk(live.config, self._around)
        return await live.letters.keep(letter)

    def configs(self) -> list[ChannelConfig]:
        """Every channel that is not disabled and of a kind that is known."""
        return [live.config for live in self._live.values() if live.config.kind in CHANNELS]

    def is_active(self, name: str) -> bool:
        """Whether messages may go out by it."""
        return name in self._live and self._live[name].config.state == "active"

    async def run(self, stop: asyncio.Event) -> None:
        """Look for changes until `stop`; what could not be started is tried again."""
        while not stop.is_set():
            try:
                await self.look()
            except Exception:
                _log.exception("channels could not be read")
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue

    async def look(self) -> bool:
        """Follow the table when it changed; True when it did."""
        async with self._busy:
            stamp, channels = await self._house.read(self._read)
            retry = bool(self.problems) and asyncio.get_running_loop().time() - self._tried_at > RETRY_EVERY_S
            if stamp == self._stamp and not retry:
                return False
            self._stamp, self._tried_at = stamp, asyncio.get_running_loop().time()
            await self._follow({channel.name: channel for channel in channels if channel.state != "disabled"})
            return True

    async def close(self) -> None:
        """Stop hearing and let go of senders; the dispatcher must have ended."""
        async with self._busy:
            self.doors = {}
            await asyncio.gather(*(self._end(live) for live in self._live.values()))
            self._live = {}

    async def stop_hearing(self) -> None:
        """Take nothing new by mail; what is under way is finished."""
        await asyncio.gather(*(one.stop() for live in self._live.values() for one in live.listeners))

    def _read(self, connection: Connection) -> tuple[int, list[ChannelConfig]]:
        stamp = config_stamp(connection)
        if stamp == self._stamp and not self.problems:
            return stamp, []
        return stamp, load(connection, self._house.sealer)

    async def _follow(self, wanted: Mapping[str, ChannelConfig]) -> None:
        for name, live in list(self._live.items()):
            if name not in wanted or _works_otherwise(live.config, wanted[name]) or name in self.problems:
                await self._end(self._live.pop(name))
        self.problems.clear()
        for name, config in wanted.items():
            if name in self._live:
                _adjust(self._live[name], config)
            else:
                self._live[name] = await self._begin(config)
        self.doors = {name: door for name, live in self._live.items() if (door := self._door(live.config)) is not None}

    def _door(self, config: ChannelConfig) -> Door | RoundDoor | None:
        make = CHANNELS[config.kind].make_door if config.kind in CHANNELS and self._listens else None
        return make(config) if make else None

    async def _begin(self, config: ChannelConfig) -> _Live:
        live = _Live(config)
        kind = CHANNELS.get(config.kind)
        if kind is None:
            self.problems[config.name] = f"there is no kind {config.kind}"
            return live
        try:
            if self._listens and kind.listen is not None:
                for listener in kind.listen(config, self._around):
                    await listener.start()
                    live.listeners.append(listener)
            if self._sends and kind.make_sender is not None:
                live.sending = self._sending(config)
        except Exception as error:
            self.problems[config.name] = f"could not be started: {type(error).__name__}"
            _log.error("channel %s could not be started: %s", config.name, type(error).__name__)
        return live

    def _sending(self, config: ChannelConfig) -> "SendingChannel | None":
        from outbox.dispatcher import SendingChannel

        make = CHANNELS[config.kind].make_sender
        sender = make(config, self._around) if make else None
        if sender is None:
            return None
        return SendingChannel(sender, rate=config.rate, paused=config.state != "active")

    async def _end(self, live: _Live) -> None:
        for listener in live.listeners:
            await listener.stop()
        if live.letters is not None:
            live.letters.close()
        if live.sending is not None:
            await live.sending.sender.close()


def _adjust(live: _Live, config: ChannelConfig) -> None:
    """Obey another state or rate without starting anything anew."""
    live.config = config
    if live.sending is not None:
        live.sending = replace(live.sending, rate=config.rate, paused=config.state != "active")


def _works_otherwise(old: ChannelConfig, new: ChannelConfig) -> bool:
    """Whether more than state and rate changed."""
    return replace(old, state=new.state, rate=new.rate) != new
