"""By which channels messages to which addresses go, and which stands in for which."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from outbox.tables import words_check

SCHEMES = ("tel", "mailto")


class RouteRule(SQLModel, table=True):
    """The first rule by `position` whose `prefixes` fit an address (none: every one of its `scheme`) gives its channels
    in the order in which they are tried. Prefixes are written as the address is: `+5024`, or `@example.org`."""

    __tablename__ = "route_rule"
    __table_args__ = (words_check("scheme", SCHEMES),)

    id: UUID = Field(primary_key=True)
    name: str = Field(max_length=64, unique=True)
    position: int
    scheme: str = Field(max_length=8)
    prefixes: list[Any] = Field(default_factory=list, sa_type=JSON)
    channels: list[Any] = Field(default_factory=list, sa_type=JSON)
    created_at: datetime
    changed_at: datetime
