"""One text that a person had sent to many."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from outbox.tables import words_check

TARGETS = ("contact", "place", "all")


class Announcement(SQLModel, table=True):
    """What was announced to whom: `target` is a contact's id, a place's code or nothing; its messages bear its id
    as `about_id`, and their states are its progress.
    """

    __table_args__ = (words_check("target_kind", TARGETS),)

    id: UUID = Field(primary_key=True)
    made_at: datetime
    actor: str = Field(max_length=64)
    target_kind: str = Field(max_length=8)
    target: str | None = Field(default=None, max_length=40)
    text_sealed: bytes
    recipients: int
    segments: int
