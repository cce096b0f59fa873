"""A text as heard, before it is kept, and what its bearer is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from parsers.mail_auth import Proof
from parsers.mail_bounce import Bounce
from parsers.sheets import Table


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a mail, by what is kept of it; `sha256` in hex, `size` in bytes."""

    name: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """One inbound text. `sender` is an Address (`tel:+502...`, `mailto:...`) or, when it is neither, `raw:` and the
    words the channel gave; only the first two are ever answered.

    `external_id` is the channel's id of the delivery; without one the same text of the same sender within
    `same_within_s` seconds is the same delivery. For mail `text` are the sender's own words, `subject` goes before
    them, `raw` is the whole message, `auto` says why nobody wrote it, `thread` holds Message-ID, References, `files`
    came with it and `tables` are the rows of those that were opened. `proof` is what our own mail server says of the
    author, None where it is not asked. An `unreadable` one is kept for a person. `bounce` is what a mail
    server says of a mail of ours.
    """

    channel: str
    sender: str
    text: str
    heard_at: datetime
    external_id: str | None = None
    to: str | None = None
    sent_at: datetime | None = None
    subject: str | None = None
    raw: str | None = None
    auto: str | None = None
    thread: Mapping[str, str] = field(default_factory=dict)
    part: tuple[str, int, int] | None = None
    same_within_s: float = 5.0
    answerable: bool = True
    files: tuple[File, ...] = ()
    tables: tuple[Table, ...] = ()
    proof: Proof | None = None
    unreadable: bool = False
    bounce: Bounce | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The text is kept: it may be acknowledged. `duplicate` when this very delivery was kept before."""

    message_id: UUID
    status: Literal["kept", "duplicate"]


class Receiver(Protocol):
    """The intake, as far as those who hear know it."""

    async def receive(self, incoming: Incoming, /) -> Receipt:
        """Keep the text; raises Busy when nothing was kept."""
        ...
