"""What a sender is: it takes one opened message and hands it to a provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail: its name, its media type such as `text/csv`, its bytes."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One leased row, opened. `to` is the string of an Address; `attempt` counts from 1.

    `lease` fences what is recorded. `unsure_since` is set when an earlier try may have reached the provider: look
    before sending. `known_ids` are provider ids of other messages to the same address, which are not this one. A text
    that `is_reworded` differs from the row's, and speaks also for the waiting messages it `replaces`.
    """

    id: UUID
    kind: str
    channel: str
    to: str = field(repr=False)
    text: str = field(repr=False)
    lease: str
    to_hash: bytes = field(repr=False)
    leased_at: datetime
    attempt: int = 1
    priority: int = 0
    subject: str | None = field(default=None, repr=False)
    html: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    attachments: tuple[Attachment, ...] = ()
    ref: int | None = None
    message_id: UUID | None = None
    contact_id: UUID | None = None
    expires_at: datetime | None = None
    unsure_since: datetime | None = None
    known_ids: tuple[str, ...] = ()
    queued_at: datetime | None = None
    report_id: UUID | None = None
    about_id: UUID | None = None
    replaces: tuple[UUID, ...] = ()
    is_reworded: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider's yes. `segments` replaces our count when the provider told its own."""

    provider_id: str | None = None
    segments: int | None = None
    state: Literal["sent", "delivered"] = "sent"


class Sender(Protocol):
    """Sends over one configured channel. `parallel` is how many sends may run at once."""

    parallel: int

    async def send(self, envelope: Envelope) -> Sent:
        """Hand `envelope` to the provider. Raises a SendError; anything else counts as an unknown result."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads. May be called twice."""
        ...
