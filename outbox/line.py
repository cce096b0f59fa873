"""One channel while it runs: its settings, its pace, and what is being sent on it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from outbox.errors import SendError
from outbox.pace import Pace
from outbox.senders.base import Envelope, Sender, Sent

T = TypeVar("T")

State = Literal["offline", "online", "auth_failed", "sent"]


class Write(Protocol):
    """Runs a job in a transaction on the process' one writer thread."""

    def __call__(self, job: Callable[[Connection], T], /) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class SendingChannel:
    """A channel as the dispatcher sees it. `rate` is messages a second; `parallel` overrides the sender's own."""

    sender: Sender
    rate: float | None = None
    paused: bool = False
    parallel: int | None = None

    @property
    def slots(self) -> int:
        return max(1, self.parallel or self.sender.parallel)


@dataclass(frozen=True, slots=True)
class Ended:
    """One send that ended, well or badly."""

    envelope: Envelope
    outcome: Sent | SendError


@dataclass
class Line:
    """What the dispatcher knows of one channel while it runs."""

    name: str
    pace: Pace = field(default_factory=Pace)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    sender: Sender | None = None
    paused: bool = False
    looked_at: float = 0.0
    one_by_one: bool = False
    is_back: bool = False
    turning: bool = False

    @property
    def holding(self) -> set[UUID]:
        return {*self.running, *(end.envelope.id for end in self.ended)}

    @property
    def at_rest(self) -> bool:
        """Whether nothing is under way here and nobody has asked for a look."""
        return not (self.turning or self.running or self.ended or self.wake.is_set())
