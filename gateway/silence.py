"""Who should have written and has not: nothing was heard for longer than the person's rhythm."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Table, exists, func, select, update

from gateway import limits
from gateway.models import Contact, ContactAddress, OptOut

CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
SKEW = timedelta(seconds=5)


class Silent(NamedTuple):
    """A contact from whom nothing was heard `since`; `place` is the home municipality's code."""

    contact_id: UUID
    place: str | None
    since: datetime


def silent_contacts(connection: Connection, *, now: datetime, places: Sequence[str] | None) -> list[Silent]:
    """The silent, the longest first; `places` are codes of 2 or 4 digits, None for everywhere.

    Any text is a sign of life; who never wrote is counted from the day of registration. Expected are active contacts
    with a `rhythm_days` of their own, and monitors with a phone by the usual rhythm; who said BAJA is not.
    """
    usual = limits.load(connection).whole("rhythm_days")
    since = func.coalesce(CONTACT.c.last_heard_at, CONTACT.c.created_at).label("since")
    mine = (ADDRESS.c.contact_id == CONTACT.c.id, ADDRESS.c.address_hash.not_in(select(OPT_OUT.c.address_hash)))
    with_phone = exists().where(*mine, ADDRESS.c.kind == "tel").label("with_phone")
    query = (
        select(CONTACT.c.id, CONTACT.c.role, CONTACT.c.home_place, CONTACT.c.rhythm_days, since, with_phone)
        .where(CONTACT.c.status == "active", exists().where(*mine), since <= now - timedelta(days=1))
        .order_by(since, CONTACT.c.id)
    )
    found = []
    for row in connection.execute(query):
        usual_here = usual if row.role == "monitor" and row.with_phone else 0
        rhythm = usual_here if row.rhythm_days is None else row.rhythm_days
        if rhythm and now - row.since >= timedelta(days=rhythm) and within(row.home_place, places):
            found.append(Silent(row.id, row.home_place, row.since))
    return found


def within(place: str | None, places: Iterable[str] | None) -> bool:
    """Whether a municipality's code lies in one of the 2- or 4-digit `places`; None for everywhere."""
    return places is None or (place is not None and (place in places or place[:2] in places))


def keep_heard(connection: Connection, began: datetime, step: timedelta, now: datetime) -> int:
    """After the clock was set forward by `step`: who was heard since `began`, by the wrong clock, is not silent.

    A machine without a battery clock takes up the time at which it was switched off. Returns how many were put right.
    """
    heard = (CONTACT.c.last_heard_at >= began, CONTACT.c.last_heard_at <= now - step + SKEW)
    rows = connection.execute(select(CONTACT.c.id, CONTACT.c.last_heard_at).where(*heard).with_for_update()).all()
    for row in rows:
        right = {"last_heard_at": row.last_heard_at + step}
        connection.execute(update(CONTACT).where(CONTACT.c.id == row.id).values(right))
    return len(rows)
