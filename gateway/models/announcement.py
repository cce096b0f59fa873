"""One text that a person had sent to many."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

TARGETS = ("contact", "place", "all")


class Announcement(SQLModel, table=True):
    """What was announced to whom: `target` is a contact's id, a place's code or nothing; never beyond `places`.

    Its messages bear its id as `about_id`, and their states are its progress; at `queued_at` the last was written.
    """

    __table_args__ = (words_check("target_kind", TARGETS),)

    id: UUID = Field(primary_key=True)
    made_at: datetime
    actor: str = Field(max_length=64)
    target_kind: str = Field(max_length=8)
    target: str | None = Field(default=None, max_length=40)
    places: list[Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    text_sealed: bytes
    recipients: int
    segments: int
    queued_at: datetime | None = None
