"""Who hears what, when; and what each was told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from outbox.tables import words_check


class Subscription(SQLModel, table=True):
    """A coordinator's wish: `hours` are local times "06:00" in `zone`; `places` empty means the contact's own.

    `look_from` is set when the clock was found behind the last run: the next run looks back to there.
    `active` is False while paused, `pause_reason` says why when nobody did it; a removed one stays for what it was told.
    """

    __table_args__ = (words_check("by", ("email", "sms")),)

    id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    by: str = Field(max_length=8)
    hours: list[Any] = Field(sa_type=JSON)
    zone: str = Field(max_length=64)
    places: list[Any] = Field(default_factory=list, sa_type=JSON)
    active: bool = True
    created_at: datetime
    look_from: datetime | None = None
    removed_at: datetime | None = None
    pause_reason: str | None = Field(default=None, max_length=32)


class DigestRun(SQLModel, table=True):
    """One digest made: unique per subscription and period end."""

    __tablename__ = "digest_run"
    __table_args__ = (UniqueConstraint("subscription_id", "period_to"),)

    id: UUID = Field(primary_key=True)
    subscription_id: UUID = Field(foreign_key="subscription.id")
    period_from: datetime
    period_to: datetime
    made_at: datetime


class DigestEntry(SQLModel, table=True):
    """A report event that was told to a subscription; what was told is recorded, never inferred."""

    __tablename__ = "digest_entry"

    subscription_id: UUID = Field(foreign_key="subscription.id", primary_key=True)
    event_id: UUID = Field(foreign_key="report_event.id", primary_key=True)
    run_id: UUID = Field(foreign_key="digest_run.id", index=True)
