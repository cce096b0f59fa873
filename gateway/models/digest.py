"""Who hears what, when; and what each was told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

WAYS = ("email", "sms", "both")
EVERY = ("day", "weekdays", "week", "month")
WHEN_EMPTY = ("send", "silent")
DETAIL = ("full", "brief")
CATCH_UP = ("one", "each")
ATTACH = ("none", "csv", "xlsx")


class Subscription(SQLModel, table=True):
    """A coordinator's wish. `hours` are local times "06:00" in `zone`; none means the office's hour, and then an SMS
    keeps the quiet hours. `places` empty means the contact's own; `forms` and `categories` empty means all.

    `weekday` (0 is Monday) belongs to `every` week, `month_day` (past its end: the last day) to `every` month.
    `language` None means the contact's own. `look_from` is set when the clock was found behind the last run: the next
    run looks back to there. `active` is False while paused, `pause_reason` says why when no admin did it; a removed
    one stays for what it was told.
    """

    __table_args__ = (
        words_check("by", WAYS),
        words_check("every", EVERY),
        words_check("when_empty", WHEN_EMPTY),
        words_check("detail", DETAIL),
        words_check("catch_up", CATCH_UP),
        words_check("attach", ATTACH),
    )

    id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    by: str = Field(max_length=8)
    hours: list[Any] = Field(sa_type=JSON)
    zone: str = Field(max_length=64)
    places: list[Any] = Field(default_factory=list, sa_type=JSON)
    forms: list[Any] = Field(default_factory=list, sa_type=JSON)
    categories: list[Any] = Field(default_factory=list, sa_type=JSON)
    every: str = Field(default="day", max_length=8)
    weekday: int | None = None
    month_day: int | None = None
    when_empty: str = Field(default="send", max_length=8)
    detail: str = Field(default="full", max_length=8)
    catch_up: str = Field(default="one", max_length=8)
    attach: str = Field(default="none", max_length=8)
    language: str | None = Field(default=None, max_length=8)
    active: bool = True
    pause_reason: str | None = Field(default=None, max_length=32)
    created_at: datetime
    look_from: datetime | None = None
    removed_at: datetime | None = None


class DigestRun(SQLModel, table=True):
    """One digest made: unique per subscription and period end.

    `told` are the ids of the events it tells, 16 bytes each, until each has its entry; None from then on.
    """

    __tablename__ = "digest_run"
    __table_args__ = (UniqueConstraint("subscription_id", "period_to"),)

    id: UUID = Field(primary_key=True)
    subscription_id: UUID = Field(foreign_key="subscription.id")
    period_from: datetime
    period_to: datetime
    made_at: datetime
    told: bytes | None = None


class DigestEntry(SQLModel, table=True):
    """A report event that was told to a subscription; what was told is recorded, never inferred."""

    __tablename__ = "digest_entry"

    subscription_id: UUID = Field(foreign_key="subscription.id", primary_key=True)
    event_id: UUID = Field(foreign_key="report_event.id", primary_key=True)
    run_id: UUID = Field(foreign_key="digest_run.id", index=True)
