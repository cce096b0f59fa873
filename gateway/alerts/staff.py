"""Whom an alert is sent to: the coordinators of the place at once, the next one and the admins when nobody answers."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, select

from gateway.models import Contact
from parsers import Place

CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]


def covers(places: Sequence[str], place: str | None) -> bool:
    """Whether a coordinator's places (2- or 4-digit codes) hold `place`."""
    return place is not None and (place in places or place[:2] in places)


def staff(connection: Connection) -> list[Row[Any]]:
    """Active coordinators and admins, oldest first."""
    who = (CONTACT.c.role.in_(("coordinator", "admin")), CONTACT.c.status == "active")
    return list(connection.execute(select(CONTACT).where(*who).order_by(CONTACT.c.created_at, CONTACT.c.id)))


def at_once(people: Sequence[Row[Any]], place: str | None, home_place: str | None) -> list[Row[Any]]:
    """Coordinators of the place, else of the sender's home, else every admin: never nobody if anybody is."""
    coordinators = [row for row in people if row.role == "coordinator"]
    for where in (place, home_place):
        found = [row for row in coordinators if covers(row.places, where)]
        if found:
            return found
    return admins(people) or coordinators


def receivers(connection: Connection, place: str | None, home_place: str | None) -> list[Row[Any]]:
    """Who is told at once of what happens in a place."""
    return at_once(staff(connection), place, home_place)


def admins(people: Sequence[Row[Any]]) -> list[Row[Any]]:
    return [row for row in people if row.role == "admin"]


def uncovered(connection: Connection, places: Mapping[str, Place]) -> tuple[list[str], list[str]]:
    """Codes of municipalities no active coordinator answers for: those where active monitors live, and the others."""
    active = select(CONTACT.c.role, CONTACT.c.home_place, CONTACT.c.places).where(CONTACT.c.status == "active")
    rows = connection.execute(active).all()
    answered = [row.places for row in rows if row.role == "coordinator"]
    homes = {row.home_place for row in rows if row.role == "monitor"}
    alone = [code for code, place in places.items() if place.level != "department" and not _any_covers(answered, code)]
    return [code for code in alone if code in homes], [code for code in alone if code not in homes]


def _any_covers(coordinators: Sequence[Sequence[str]], code: str) -> bool:
    return any(covers(places, code) for places in coordinators)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Whom a step may be told to: all staff, and who was told already."""

    people: Sequence[Row[Any]]
    told: Collection[UUID]


def next_coordinator(crowd: Crowd) -> list[Row[Any]]:
    """The first on the list of coordinators who was not told yet."""
    return [row for row in crowd.people if row.role == "coordinator" and row.id not in crowd.told][:1]


def every_admin(crowd: Crowd) -> list[Row[Any]]:
    """Told before or not; where there is no admin, whoever was not told."""
    return admins(crowd.people) or everyone_else(crowd)


def everyone_else(crowd: Crowd) -> list[Row[Any]]:
    return [row for row in crowd.people if row.id not in crowd.told]


# Who is told at each step of the ladder; 0 is at once and chosen by `at_once`.
STEPS: Mapping[int, Callable[[Crowd], list[Row[Any]]]] = {1: next_coordinator, 2: every_admin, 3: everyone_else}
