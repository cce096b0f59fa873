"""A report that somebody must see: who was told of it, what they did, and the rules by which it became an alert."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("open", "seen", "handled", "closed")
ACTS = ("seen", "handled", "closed")
WAYS = ("sms", "mail", "page", "link", "command")


class Alert(SQLModel, table=True):
    """One alert per event, opened by `report_id`; further reports of the same event stand in AlertReport.

    `event_key` names place, day and kind; none when the place is not known. `reports` is how many tell of it,
    `reports_told` how many its receivers know of. `step` is how far it was escalated, counted from `ladder_from`.
    `held_back`: a stranger's, told to the admins alone because strangers alerted too often. `ended_at` is when its
    sender said that it was over.
    """

    __table_args__ = (
        words_check("state", STATES),
        Index(
            "ix_alert_unsettled", "event_key",
            sqlite_where=text("state IN ('open', 'seen')"), postgresql_where=text("state IN ('open', 'seen')"),
        ),
        Index("ix_alert_opened_at", "opened_at"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    report_id: UUID = Field(foreign_key="report.id", unique=True)
    state: str = Field(default="open", max_length=12)
    opened_at: datetime
    seen_at: datetime | None = None
    seen_by: UUID | None = None
    closed_at: datetime | None = None
    event_key: str | None = Field(default=None, max_length=64)
    rule_id: UUID | None = None
    held_back: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    reports: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    reports_told: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    more_told_at: datetime | None = None
    step: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    ladder_from: datetime | None = None
    ended_at: datetime | None = None


class AlertReport(SQLModel, table=True):
    """A further report of an event that has an alert already."""

    __tablename__ = "alert_report"

    report_id: UUID = Field(primary_key=True, foreign_key="report.id")
    alert_id: UUID = Field(foreign_key="alert.id", index=True)
    added_at: datetime


class AlertReceiver(SQLModel, table=True):
    """A person an alert was sent to, at a step of its ladder (0: at once), by which messages of the outbox.

    Without `sms_id` and `mail_id` the person could not be reached.
    """

    __tablename__ = "alert_receiver"
    __table_args__ = (UniqueConstraint("alert_id", "contact_id", "step"),)

    id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id")
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    step: int
    told_at: datetime
    sms_id: UUID | None = None
    mail_id: UUID | None = None


class AlertAct(SQLModel, table=True):
    """What a person said of an alert, once a person and word: who saw it, who handled it, who closed it."""

    __tablename__ = "alert_act"
    __table_args__ = (
        words_check("type", ACTS), words_check("way", WAYS), UniqueConstraint("alert_id", "type", "actor"),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    alert_id: UUID = Field(foreign_key="alert.id")
    type: str = Field(max_length=12)
    actor: str = Field(max_length=80)
    contact_id: UUID | None = None
    way: str = Field(max_length=8)
    at: datetime
    message_id: UUID | None = None


class AlertRule(SQLModel, table=True):
    """When a report becomes an alert: all that is set must hold, what is empty does not matter.

    `urgent` True: only reports marked urgent. `places` are 2- or 4-digit codes, `words` literal words of the text.
    `reports` within `days`: so many of one municipality, counted anew after each alert of the rule there.
    """

    __tablename__ = "alert_rule"

    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=80)
    urgent: bool = False
    categories: list[Any] = Field(default_factory=list, sa_type=JSON)
    places: list[Any] = Field(default_factory=list, sa_type=JSON)
    words: list[Any] = Field(default_factory=list, sa_type=JSON)
    reports: int | None = None
    days: int | None = None
    active: bool = True
    created_at: datetime
    changed_at: datetime
    removed_at: datetime | None = None
