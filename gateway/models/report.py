"""Reports and the events they are folded from."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("draft", "open", "closed", "withdrawn")
VERIFICATIONS = ("unverified", "corroborated", "verified", "refuted")
EVENT_TYPES = (
    "drafted", "accepted", "completed", "corrected", "withdrawn", "verified", "closed", "reopened", "noted",
    "reread", "erased",
)  # fmt: skip


class Report(SQLModel, table=True):
    """The projection of its events: never written but by the fold."""

    __table_args__ = (
        words_check("state", STATES),
        words_check("verification", VERIFICATIONS),
        UniqueConstraint("node_id", "ref"),
        Index("ix_report_place_created_at", "place", "created_at"),
        Index("ix_report_created_at", "created_at"),
        Index("ix_report_form_created_at", "form", "created_at"),
        Index("ix_report_category_created_at", "category", "created_at"),
        Index("ix_report_sender_hash_ref", "sender_hash", "ref"),
    )

    id: UUID = Field(primary_key=True)
    node_id: UUID
    ref: int | None = None
    message_id: UUID = Field(foreign_key="message.id", index=True)
    contact_id: UUID | None = Field(default=None, index=True)
    sender_hash: bytes
    registered: bool
    form: str = Field(max_length=32)
    category: str | None = Field(default=None, max_length=8)
    place: str | None = Field(default=None, max_length=8)
    event_date: date | None = None
    urgent: bool = False
    practice: bool = False
    state: str = Field(max_length=12)
    verification: str = Field(default="unverified", max_length=12)
    fields: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    private_sealed: bytes | None = None
    codebook_revision: int
    last_seq: int
    sent_at: datetime | None = None
    heard_at: datetime
    created_at: datetime
    changed_at: datetime


class ReportEvent(SQLModel, table=True):
    """What happened to a report, ordered by (report, seq): codes and counts in `data`, texts in `private_sealed`."""

    __tablename__ = "report_event"
    __table_args__ = (
        words_check("type", EVENT_TYPES),
        UniqueConstraint("report_id", "seq"),
        Index("ix_report_event_place_at", "place", "at"),
        Index("ix_report_event_at", "at"),
    )

    id: UUID = Field(primary_key=True)
    report_id: UUID = Field(foreign_key="report.id")
    node_id: UUID
    seq: int
    type: str = Field(max_length=12)
    at: datetime
    actor: str = Field(max_length=64)
    message_id: UUID | None = Field(default=None, index=True)
    place: str | None = Field(default=None, max_length=8)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    private_sealed: bytes | None = None
