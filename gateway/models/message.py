"""A text as it was heard and kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("read", "asked", "held", "duplicate", "zero", "unread", "spam", "auto_reply")


class Message(SQLModel, table=True):
    """InboundMessage: what was said, sealed, with what was made of it.

    `external_hash` is unique per channel and outlives retention; `fold_hash` finds repeats; `reading_sealed` is the
    reading as JSON (outcome, reports, trace) and is absent for polls.
    """

    __table_args__ = (
        words_check("state", STATES),
        Index("uq_message_channel_external_hash", "channel", "external_hash", unique=True),
        Index("ix_message_sender_hash_heard_at", "sender_hash", "heard_at"),
        Index("ix_message_heard_at", "heard_at"),
        Index("ix_message_state_heard_at", "state", "heard_at"),
        Index(
            "ix_message_part", "sender_hash", "part_ref",
            sqlite_where=text("state = 'held'"), postgresql_where=text("state = 'held'"),
        ),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    node_id: UUID
    channel: str = Field(max_length=64)
    external_hash: bytes
    body_hash: bytes
    external_sealed: bytes | None = None
    sender_hash: bytes
    sender_sealed: bytes
    contact_id: UUID | None = Field(default=None, index=True)
    to_sealed: bytes | None = None
    text_sealed: bytes
    subject_sealed: bytes | None = None
    raw_sealed: bytes | None = None
    reading_sealed: bytes | None = None
    fold_hash: bytes | None = None
    part_ref: str | None = Field(default=None, max_length=32)
    part_seq: int | None = None
    part_total: int | None = None
    sent_at: datetime | None = None
    heard_at: datetime
    kept_at: datetime
    state: str = Field(max_length=12)
    reason: str | None = Field(default=None, max_length=32)
    form: str | None = Field(default=None, max_length=32)
    language: str | None = Field(default=None, max_length=8)
    codebook_revision: int
    duplicate_of: UUID | None = None
    practice: bool = False
    flags: str | None = Field(default=None, max_length=64)
