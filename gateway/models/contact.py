"""People and where they are reached."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index
from sqlmodel import Field, SQLModel

from gateway.words import CONTACT_STATUSES as STATUSES
from gateway.words import ROLES
from outbox.tables import words_check

__all__ = ["ROLES", "STATUSES", "Contact", "ContactAddress", "OptOut", "PinAttempt"]


class Contact(SQLModel, table=True):
    """A person. Name and village are sealed; `places` are the 2- or 4-digit codes a coordinator covers.

    `rhythm_days` is within how many days a sign of life is expected (0: never; None: as usual for the role). `zone` is
    where the person's nights are, None for the pack's. `answer_by` is how answers go; None: where a text came in.
    """

    __table_args__ = (
        words_check("role", ROLES), words_check("status", STATUSES), words_check("answer_by", ("tel", "mailto")),
    )  # fmt: skip

    id: UUID = Field(primary_key=True)
    role: str = Field(max_length=12)
    status: str = Field(default="active", max_length=12)
    name_sealed: bytes
    village_sealed: bytes | None = None
    home_place: str | None = Field(default=None, max_length=8)
    places: list[Any] = Field(default_factory=list, sa_type=JSON)
    language: str = Field(default="es", max_length=8)
    discreet: bool = False
    created_at: datetime
    changed_at: datetime
    last_heard_at: datetime | None = None
    poll_month: str | None = Field(default=None, max_length=7)
    pin_hash: bytes | None = Field(default=None, unique=True)
    registration: int | None = Field(default=None, unique=True)
    rhythm_days: int | None = None
    zone: str | None = Field(default=None, max_length=64)
    answer_by: str | None = Field(default=None, max_length=8)


class ContactAddress(SQLModel, table=True):
    """One address of a contact: sealed `tel:` or `mailto:`, found by its keyed hash.

    `failing_since` and `failing_reason` stand while nothing reaches it; refusals before `trusted_from` do not count.
    """

    __tablename__ = "contact_address"
    __table_args__ = (words_check("kind", ("tel", "mailto")),)

    id: UUID = Field(primary_key=True)
    contact_id: UUID = Field(foreign_key="contact.id", index=True)
    kind: str = Field(max_length=8)
    address_hash: bytes = Field(unique=True)
    address_sealed: bytes
    preferred: bool = False
    created_at: datetime
    failing_since: datetime | None = None
    failing_reason: str | None = Field(default=None, max_length=64)
    trusted_from: datetime | None = None


class OptOut(SQLModel, table=True):
    """An address that said BAJA, registered or not: nothing is sent to it until it opts in again."""

    __tablename__ = "opt_out"

    address_hash: bytes = Field(primary_key=True)
    since: datetime
    channel: str | None = Field(default=None, max_length=64)
    source: str = Field(max_length=16)


class PinAttempt(SQLModel, table=True):
    """A personal number that was nobody's: kept for a day, against guessing."""

    __tablename__ = "pin_attempt"
    __table_args__ = (Index("ix_pin_attempt_at", "at"),)

    id: UUID = Field(primary_key=True)
    sender_hash: bytes
    pin_hash: bytes
    at: datetime
