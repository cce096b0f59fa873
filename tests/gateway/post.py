"""A house's outbox at work without wires: two channels whose links can be cut, and what went out on each."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from gateway.freshness import Freshness
from gateway.house import House
from outbox.dispatcher import Dispatcher, SendingChannel
from outbox.errors import Offline, SendError
from outbox.senders.base import Envelope, Sent


@dataclass
class Link:
    """A sender that can be cut off; `refuses` are addresses it refuses for good."""

    parallel: int = 1
    up: bool = True
    taken: list[Envelope] = field(default_factory=list)
    refuses: dict[str, SendError] = field(default_factory=dict)
    tries: int = 0

    async def send(self, envelope: Envelope) -> Sent:
        self.tries += 1
        if not self.up:
            raise Offline
        if envelope.to in self.refuses:
            raise self.refuses[envelope.to]
        self.taken.append(envelope)
        return Sent(f"{id(self)}-{len(self.taken)}")

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Post:
    """The channels `modem` and `mail` of a desk."""

    house: House
    modem: Link = field(default_factory=Link)
    mail: Link = field(default_factory=Link)

    def send(self, **more: Any) -> int:
        """Send what is due; a dispatcher of its own each time, as after a restart. Returns how many tries ended."""
        channels = {"modem": SendingChannel(self.modem), "mail": SendingChannel(self.mail)}
        dispatcher = Dispatcher(
            write=self.house.write, seals=self.house.sealer, clock=self.house.clock, channels=lambda: channels,
            owner="post", review=Freshness(self.house).review, **more,
        )  # fmt: skip
        return asyncio.run(dispatcher.drain_once())

    def told(self, address: str) -> list[str]:
        """Texts that went to an address, in order."""
        return [one.text for link in (self.modem, self.mail) for one in link.taken if one.to == address]

    def mails(self, address: str) -> list[Envelope]:
        return [one for one in self.mail.taken if one.to == address]
