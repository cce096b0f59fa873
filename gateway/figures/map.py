"""The map: what is known of each municipality, and where nobody has been heard from."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, exists, select

from gateway.figures.matrix import STANDING
from gateway.models import Alert, Contact, ContactAddress
from gateway.reports import REPORT
from gateway.silence import silent_contacts

ADDRESS = ContactAddress.__table__  # type: ignore[attr-defined]
ALERT = Alert.__table__  # type: ignore[attr-defined]
CONTACT = Contact.__table__  # type: ignore[attr-defined]

SPAN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Spot:
    """A municipality.

    Grey: every monitor of it is silent (`silent_since` the last word of any); what others report of it stands in
    `reports` all the same. Red: an urgent report nobody has closed. Yellow: reports of the last seven days, strangers'
    left out. Green: none, and its monitors are heard from. A place without monitors or reports is not on the map.
    """

    place: str
    colour: str
    silent_since: datetime | None
    reports: int
    refs: tuple[int, ...]


def map_spots(connection: Connection, now: datetime) -> list[Spot]:
    """All municipalities that have a monitor or a report of the last seven days, by code."""
    monitors = _monitors(connection)
    silent: dict[str, dict[UUID, datetime]] = defaultdict(dict)
    for one in silent_contacts(connection, now=now, places=None):
        if one.place is not None:
            silent[one.place][one.contact_id] = one.since
    refs = _recent_refs(connection, now)
    open_places = _places_with_open_alert(connection)
    spots = []
    for place in sorted({*monitors, *refs}):
        quiet = silent.get(place, {})
        is_silent = bool(quiet) and monitors.get(place, set()) <= set(quiet)
        numbers = tuple(sorted(refs.get(place, ())))
        colour = "grey" if is_silent else "red" if place in open_places else "yellow" if numbers else "green"
        spots.append(Spot(place, colour, max(quiet.values()) if is_silent else None, len(numbers), numbers))
    return spots


def _monitors(connection: Connection) -> dict[str, set[UUID]]:
    """Those who have a phone: of whom only a mailbox is known nobody expects a word."""
    with_phone = exists().where(ADDRESS.c.contact_id == CONTACT.c.id, ADDRESS.c.kind == "tel")
    active = (CONTACT.c.role == "monitor", CONTACT.c.status == "active", CONTACT.c.home_place.is_not(None))
    found: dict[str, set[UUID]] = defaultdict(set)
    for row in connection.execute(select(CONTACT.c.id, CONTACT.c.home_place).where(*active, with_phone)):
        found[row.home_place].add(row.id)
    return found


def _recent_refs(connection: Connection, now: datetime) -> dict[str, set[int]]:
    query = select(REPORT.c.place, REPORT.c.ref).where(
        REPORT.c.created_at > now - SPAN, REPORT.c.created_at <= now, REPORT.c.state.in_(STANDING),
        REPORT.c.practice.is_(False), REPORT.c.registered, REPORT.c.place.is_not(None), REPORT.c.ref.is_not(None),
    )  # fmt: skip
    found: dict[str, set[int]] = defaultdict(set)
    for row in connection.execute(query):
        found[row.place].add(row.ref)
    return found


def _places_with_open_alert(connection: Connection) -> set[str]:
    query = select(REPORT.c.place).join(ALERT, ALERT.c.report_id == REPORT.c.id)
    return set(connection.scalars(query.where(ALERT.c.state.in_(("open", "seen")), REPORT.c.place.is_not(None))))
