"""What can be said, in the versions admins made of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel


class CodebookRevision(SQLModel, table=True):
    """An immutable revision: the pack's name and every editable word list, as parsers.compile_codebook takes them."""

    __tablename__ = "codebook_revision"

    number: int = Field(primary_key=True)
    pack: str = Field(max_length=64)
    words: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    note: str | None = Field(default=None, max_length=200)
    created_at: datetime
    created_by: str = Field(max_length=64)
