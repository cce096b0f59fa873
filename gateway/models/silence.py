"""Times in which nothing was heard of a monitor, and what was done about each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class Silence(SQLModel, table=True):
    """One silence of a contact: `since` is its last sign of life, `ended_at` when the next was seen.

    `reminders` were sent to the contact, the first at `reminded_at`; the coordinators were told at `told_at`.
    """

    __table_args__ = (UniqueConstraint("contact_id", "since"),)

    id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    since: datetime
    noticed_at: datetime
    reminders: int = 0
    reminded_at: datetime | None = None
    last_reminded_at: datetime | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None
