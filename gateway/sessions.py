"""Logins: a random cookie of which the database keeps the hash; 30 minutes idle, 12 hours in all, revocable."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, delete, insert, select, update

from gateway.models import Contact, Session
from gateway.users import USER, token_hash

SESSION: Table = Session.__table__  # type: ignore[attr-defined]
CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=7)
TRIES = 20
TRIES_WINDOW = timedelta(minutes=15)
ADDRESSES_AT_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """Who is logged in. `places` are the codes a coordinator covers; None for roles that are not bound to places."""

    user_id: UUID
    name: str
    role: str
    language: str
    places: tuple[str, ...] | None
    csrf: str
    session: bytes
    contact_id: UUID | None = None
    stale: bool = False

    @property
    def actor(self) -> str:
        return f"user:{self.name}"


def start(connection: Connection, user_id: UUID, at: datetime) -> str:
    """Log the account in and return the cookie's value. Sessions that ended a week ago are forgotten."""
    token = secrets.token_urlsafe(32)
    row = {
        "token_hash": token_hash(token), "user_id": user_id, "csrf": secrets.token_hex(16), "created_at": at,
        "seen_at": at,
    }  # fmt: skip
    connection.execute(delete(SESSION).where(SESSION.c.created_at < at - KEPT))
    connection.execute(insert(SESSION), [row])
    return token


def find(connection: Connection, token: str, at: datetime) -> Person | None:
    """Who holds this cookie, or None when the session ended or the account may not log in any more."""
    hashed = token_hash(token)
    row = connection.execute(
        select(
            SESSION.c.csrf, SESSION.c.created_at, SESSION.c.seen_at, USER.c.id, USER.c.name, USER.c.role,
            USER.c.language, USER.c.contact_id,
        )
        .join(USER, USER.c.id == SESSION.c.user_id)
        .where(SESSION.c.token_hash == hashed, SESSION.c.revoked_at.is_(None), USER.c.active)
    ).first()  # fmt: skip
    if row is None or abs(at - row.created_at) > LONGEST or abs(at - row.seen_at) > IDLE:
        return None
    places = _places(connection, row.contact_id) if row.role == "coordinator" else None
    stale = abs(at - row.seen_at) >= TOUCH_EVERY
    return Person(row.id, row.name, row.role, row.language, places, row.csrf, hashed, row.contact_id, stale)


def _places(connection: Connection, contact_id: UUID | None) -> tuple[str, ...]:
    """The places of a coordinator's contact; none without a contact in good standing."""
    if contact_id is None:
        return ()
    found = select(CONTACT.c.places).where(CONTACT.c.id == contact_id, CONTACT.c.status == "active")
    return tuple(str(code) for code in connection.scalar(found) or ())


def touch(connection: Connection, session: bytes, at: datetime) -> None:
    connection.execute(update(SESSION).where(SESSION.c.token_hash == session).values(seen_at=at))


def end(connection: Connection, session: bytes, at: datetime) -> None:
    connection.execute(update(SESSION).where(SESSION.c.token_hash == session).values(revoked_at=at))


def end_all(connection: Connection, user_id: UUID, at: datetime, *, but: bytes = b"") -> int:
    """Log an account out everywhere, except the session `but`; returns how many sessions ended."""
    which = (SESSION.c.user_id == user_id, SESSION.c.revoked_at.is_(None), SESSION.c.token_hash != but)
    return connection.execute(update(SESSION).where(*which).values(revoked_at=at)).rowcount


def open_of(connection: Connection, user_id: UUID, at: datetime) -> list[Row[Any]]:
    """The sessions of an account that have not ended, newest first."""
    which = (SESSION.c.user_id == user_id, SESSION.c.revoked_at.is_(None), SESSION.c.seen_at > at - IDLE)
    query = select(SESSION).where(*which, SESSION.c.created_at > at - LONGEST).order_by(SESSION.c.created_at.desc())
    return list(connection.execute(query))


class Throttle:
    """Wrong passwords by client address, in memory: twenty in a quarter of an hour, then no more."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, list[datetime]] = OrderedDict()

    def is_open(self, address: str, at: datetime) -> bool:
        recent = [when for when in self._failures.get(address, ()) if abs(at - when) < TRIES_WINDOW]
        if recent:
            self._failures[address] = recent
        else:
            self._failures.pop(address, None)
        return len(recent) < TRIES

    def note_failure(self, address: str, at: datetime) -> None:
        self._failures.setdefault(address, []).append(at)
        self._failures.move_to_end(address)
        while len(self._failures) > ADDRESSES_AT_MOST:
            self._failures.popitem(last=False)
