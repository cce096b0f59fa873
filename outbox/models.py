"""Tables of the outbox: what waits or was sent, each try, and receipts that came before their message."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("queued", "sending", "sent", "delivered", "failed", "expired", "cancelled")
FINAL_STATES = ("delivered", "failed", "expired", "cancelled")
KINDS = ("alert", "confirmation", "question", "notice", "digest", "reminder", "announcement", "test")
PRIORITY = {
    "alert": 0, "confirmation": 10, "question": 10, "notice": 20, "test": 20, "digest": 30, "reminder": 40,
    "announcement": 50,
}  # fmt: skip


class OutboundMessage(SQLModel, table=True):
    """An answer waiting or sent. Address, text, headers and attachments are sealed; `to_hash` finds the address.

    `provider_hash` finds a row by the provider's id of any length; `provider_id` is its first 255 characters, for
    people. `unsure_since` is when a try began whose end nobody saw: the provider may hold it. `about_id` is what it
    tells of when that is no report and no digest. `moved_from`, `moved_why` and `moved_at` tell of the channel it was
    taken from because that could not send; `instead_of` is a message that failed for good before; `cost` is in the
    channel's currency.
    """

    __tablename__ = "outbound_message"
    __table_args__ = (
        words_check("state", STATES),
        words_check("kind", KINDS),
        Index(
            "ix_outbound_message_due", "channel", "priority", "not_before", "id",
            sqlite_where=text("state = 'queued'"), postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_outbound_message_leased", "leased_until",
            sqlite_where=text("state = 'sending'"), postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_outbound_message_failed", "channel",
            sqlite_where=text("state = 'failed'"), postgresql_where=text("state = 'failed'"),
        ),
        Index("ix_outbound_message_to_hash_queued_at", "to_hash", "queued_at"),
        Index("ix_outbound_message_channel_provider_hash", "channel", "provider_hash"),
        Index("ix_outbound_message_channel_sent_at", "channel", "sent_at"),
        Index(
            "uq_outbound_message_instead_of", "instead_of", unique=True,
            sqlite_where=text("instead_of IS NOT NULL"), postgresql_where=text("instead_of IS NOT NULL"),
        ),
        Index(
            "ix_outbound_message_about_id", "about_id",
            sqlite_where=text("about_id IS NOT NULL"), postgresql_where=text("about_id IS NOT NULL"),
        ),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=20)
    priority: int
    channel: str = Field(max_length=64)
    to_hash: bytes
    to_sealed: bytes
    text_sealed: bytes
    subject_sealed: bytes | None = None
    html_sealed: bytes | None = None
    headers_sealed: bytes | None = None
    attachments_sealed: bytes | None = None
    text_hash: bytes | None = None
    segments: int = 1
    encoding: str = Field(default="gsm7", max_length=8)
    state: str = Field(default="queued", max_length=12)
    attempts: int = 0
    provider_hash: bytes | None = None
    provider_id: str | None = Field(default=None, max_length=255)
    message_id: UUID | None = Field(default=None, index=True)
    report_id: UUID | None = Field(default=None, index=True)
    ref: int | None = None
    contact_id: UUID | None = None
    digest_run_id: UUID | None = Field(default=None, index=True)
    queued_at: datetime
    not_before: datetime
    expires_at: datetime | None = None
    leased_at: datetime | None = None
    leased_until: datetime | None = None
    lease: str | None = Field(default=None, max_length=40)
    unsure_since: datetime | None = None
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    error: str | None = Field(default=None, max_length=64)
    about_id: UUID | None = None
    moved_from: str | None = Field(default=None, max_length=64)
    moved_why: str | None = Field(default=None, max_length=64)
    moved_at: datetime | None = None
    instead_of: UUID | None = None
    cost: float | None = None


class SendAttempt(SQLModel, table=True):
    """One try at sending: when, how it ended (a word of outbox.errors, or `sent`) and its small facts."""

    __tablename__ = "send_attempt"

    id: UUID = Field(primary_key=True)
    outbound_id: UUID = Field(foreign_key="outbound_message.id", index=True)
    number: int
    started_at: datetime
    ended_at: datetime
    result: str = Field(max_length=32)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class ParkedReceipt(SQLModel, table=True):
    """A delivery receipt whose message is not known yet; applied when the provider's id is recorded."""

    __tablename__ = "parked_receipt"
    __table_args__ = (Index("ix_parked_receipt_channel_provider_hash", "channel", "provider_hash"),)

    id: UUID = Field(primary_key=True)
    channel: str = Field(max_length=64)
    provider_hash: bytes
    status: str = Field(max_length=12)
    error: str | None = Field(default=None, max_length=64)
    at: datetime
    parked_at: datetime = Field(index=True)
