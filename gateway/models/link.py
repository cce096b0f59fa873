"""Two reports that may tell of one event."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

KINDS = ("corroborates", "possible_duplicate")
STATES = ("proposed", "confirmed", "refused")


class ReportLink(SQLModel, table=True):
    """Proposed by comparing, settled by a person; `report_id` is the later report, `other_id` the earlier one."""

    __tablename__ = "report_link"
    __table_args__ = (
        words_check("kind", KINDS),
        words_check("state", STATES),
        UniqueConstraint("report_id", "other_id"),
        Index("ix_report_link_state_proposed_at", "state", "proposed_at"),
    )

    id: UUID = Field(primary_key=True)
    kind: str = Field(max_length=20)
    report_id: UUID = Field(foreign_key="report.id")
    other_id: UUID = Field(foreign_key="report.id", index=True)
    state: str = Field(default="proposed", max_length=12)
    proposed_at: datetime
    settled_at: datetime | None = None
    settled_by: str | None = Field(default=None, max_length=64)
