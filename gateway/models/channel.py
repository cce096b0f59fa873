"""A configured pipe to the world."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("active", "paused", "disabled")


class Channel(SQLModel, table=True):
    """Name, kind, open settings, sealed secrets, rate and state. `rate` is messages a second, None for no limit.

    `price` is what one segment costs, in `currency`; `day_segments` and `day_cost` are the most that go out on a local
    day, alerts aside; `warned_on` is the day on which the admins were told that it comes near.
    """

    __table_args__ = (words_check("state", STATES),)

    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=64, unique=True)
    kind: str = Field(max_length=32)
    config: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    secrets_sealed: bytes | None = None
    state: str = Field(default="active", max_length=12)
    state_reason: str | None = Field(default=None, max_length=64)
    rate: float | None = None
    created_at: datetime
    changed_at: datetime
    last_heard_at: datetime | None = None
    last_sent_at: datetime | None = None
    offline_since: datetime | None = None
    offline_until: datetime | None = None
    caught_up_at: datetime | None = None
    price: float | None = None
    currency: str = Field(default="GTQ", max_length=3)
    day_segments: int | None = None
    day_cost: float | None = None
    warned_on: date | None = None


class ChannelOutage(SQLModel, table=True):
    """A time in which a channel could not send: from its first failure as a pause to the first success after it."""

    __tablename__ = "channel_outage"
    __table_args__ = (
        Index("ix_channel_outage_began_at", "began_at"),
        Index(
            "uq_channel_outage_channel", "channel", unique=True,
            sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL"),
        ),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    channel: str = Field(max_length=64)
    reason: str = Field(max_length=64)
    began_at: datetime
    ended_at: datetime | None = None


class ChannelMark(SQLModel, table=True):
    """How far a channel has read something, such as a mailbox: never whose, and of no text."""

    __tablename__ = "channel_mark"

    channel: str = Field(primary_key=True, max_length=64)
    name: str = Field(primary_key=True, max_length=64)
    value: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    changed_at: datetime
