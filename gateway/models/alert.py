"""An urgent report that somebody must see."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel

from outbox.tables import words_check

STATES = ("open", "seen", "handled", "closed")


class Alert(SQLModel, table=True):
    """One alert per report: open until a coordinator it was sent to says VISTO."""

    __table_args__ = (words_check("state", STATES),)

    id: UUID = Field(primary_key=True)
    report_id: UUID = Field(foreign_key="report.id", unique=True)
    state: str = Field(default="open", max_length=12)
    opened_at: datetime
    seen_at: datetime | None = None
    seen_by: UUID | None = None
    closed_at: datetime | None = None
