"""This installation: its identity, its counters and the settings admins change while it runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class Node(SQLModel, table=True):
    """One row: who this installation is and proof of the key it was sealed with."""

    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=64)
    created_at: datetime
    key_proof: bytes


class Counter(SQLModel, table=True):
    """Numbers given out one by one on SQLite (`report_ref`) and change stamps (`config`) on both databases."""

    name: str = Field(primary_key=True, max_length=32)
    value: int


class Setting(SQLModel, table=True):
    """A setting an admin changed in the running gateway; JSON value."""

    name: str = Field(primary_key=True, max_length=64)
    value: Any = Field(sa_type=JSON)
    changed_at: datetime


class SendingProcess(SQLModel, table=True):
    """A process that sends, and when it said so last: those alive share each channel's rate."""

    __tablename__ = "sending_process"

    id: UUID = Field(primary_key=True)
    seen_at: datetime
