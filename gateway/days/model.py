"""A day as its file says it: who there is, what stands before, what happens when, what must be seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from gateway.days.cast import Cast, Member
from gateway.days.lines import Node
from gateway.days.wishes import Ground, Wish
from gateway.wishes import Wish as DigestWish
from parsers import Codebook

MODEM, HTTP, MAIL = "modem", "http", "mail"
Via = Literal["modem", "http", "email"]


@dataclass(frozen=True, slots=True)
class Text:
    """A text that somebody sends. `raw`: for mail the whole message as it stands. `part`: reference, number, of.

    `arrives` is when a mail comes in, at the earliest; without it at once, or when its channel is back.
    """

    sender: Member
    via: Via
    body: str
    raw: bool = False
    part: tuple[str, int, int] | None = None
    subject: str = ""
    delivery: str | None = None
    arrives: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """A channel whose provider cannot be reached until then."""

    channel: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Power:
    """The machine is off, as when its plug is pulled."""

    off_for: timedelta


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""

    to: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """What an admin does: a key of ACTS, with the values that it takes."""

    line: int
    do: str
    values: Mapping[str, Node] = field(default_factory=dict)


Action = Text | Outage | Power | Tick | Act


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens, or a moment to look. `number` counts from 0."""

    number: int
    line: int
    at: datetime
    action: Action | None
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True)
class Earlier:
    """A text of the time before the day; `ref`: the number its report must get, `state` what became of it."""

    line: int
    at: datetime
    text: Text
    ref: int | None = None
    state: str = "open"
    category: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Subscribing:
    """The digest of one person."""

    line: int
    member: Member
    wish: DigestWish


@dataclass(frozen=True, slots=True)
class Day:
    """`settings` are those of the environment, `limits` those an admin changes while the gateway runs."""

    name: str
    ground: Ground
    start: datetime
    refs_from: int
    settings: Mapping[str, str]
    limits: Mapping[str, str]
    subscriptions: tuple[Subscribing, ...]
    before: tuple[Earlier, ...]
    steps: tuple[Step, ...]
    checks: tuple[Wish, ...]

    @property
    def cast(self) -> Cast:
        return self.ground.cast

    @property
    def codebook(self) -> Codebook:
        return self.ground.codebook

    @property
    def vias(self) -> set[str]:
        """The ways by which texts come."""
        texts = [step.action for step in self.steps if isinstance(step.action, Text)]
        return {text.via for text in [*texts, *(earlier.text for earlier in self.before)]}
