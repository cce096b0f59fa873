"""Who did what: append-only and hash-chained."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class AuditEntry(SQLModel, table=True):
    """`hash` covers this entry and the one before it, so a removed or changed entry shows."""

    __tablename__ = "audit_entry"

    number: int = Field(primary_key=True)
    at: datetime
    actor: str = Field(max_length=64)
    action: str = Field(max_length=64)
    target: str | None = Field(default=None, max_length=128)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    previous_hash: bytes
    hash: bytes
