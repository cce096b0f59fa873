"""The one open question of a sender."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("open", "answered", "left", "expired")


class OpenQuestion(SQLModel, table=True):
    """What was asked of a sender; at most one is open per sender.

    `draft_sealed` holds what is known so far as JSON (a report reading); a draft report has a row of its own too,
    a command or a poll has none.
    """

    __tablename__ = "open_question"
    __table_args__ = (
        words_check("state", STATES),
        Index(
            "uq_open_question_sender_hash", "sender_hash", unique=True,
            sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'"),
        ),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    sender_hash: bytes
    report_id: UUID | None = Field(default=None, foreign_key="report.id", index=True)
    message_id: UUID
    form: str = Field(max_length=32)
    draft_sealed: bytes | None = None
    ask: str = Field(max_length=32)
    choices: list[Any] = Field(default_factory=list, sa_type=JSON)
    state: str = Field(default="open", max_length=12)
    asked_at: datetime
    expires_at: datetime
    asked_again_at: datetime | None = None
    ended_at: datetime | None = None
