"""Answers to the victimisation poll, with no path back to who gave them."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class PollAnswer(SQLModel, table=True):
    """Random UUIDv4, Monday of the ISO week, department (municipality when it has five or more contacts), values."""

    __tablename__ = "poll_answer"

    id: UUID = Field(primary_key=True)
    week: date = Field(index=True)
    place: str | None = Field(default=None, max_length=8)
    answers: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
