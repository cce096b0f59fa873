"""Who gets which digest when."""

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Connection, Row, Table, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import touch_config
from gateway.models import Subscription

SUBSCRIPTION: Table = Subscription.__table__  # type: ignore[attr-defined]
SCHEMES = {"email": "mailto", "sms": "tel"}
HOURS_AT_MOST = 24
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription asks for: local times `06:00` in `zone`; no places means the contact's own."""

    by: str
    hours: tuple[str, ...]
    places: tuple[str, ...] = ()
    zone: str = "America/Guatemala"


def make_wish(by: str, hours: str, places: str, known: Container[str], zone: str = "America/Guatemala") -> Wish:
    """Read what a person typed: `06:00,18:00` and `14,07`. Raises UsageError."""
    if by not in SCHEMES:
        raise UsageError("A digest goes by email or by sms.")
    times = sorted({_hour(part) for part in re.split(r"[,; ]+", hours) if part})
    if not times or len(times) > HOURS_AT_MOST:
        raise UsageError("Give one or more hours like 06:00,18:00.")
    codes = tuple(dict.fromkeys(code for code in re.split(r"[|,; ]+", places) if code))
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise UsageError(f"There is no place {unknown[0]!r}. Places are codes of 2 or 4 digits, like 14,0705.")
    if zone not in available_timezones():
        raise UsageError(f"There is no time zone {zone!r}. It is written like America/Guatemala.")
    return Wish(by, tuple(times), codes, str(ZoneInfo(zone)))


def _hour(text: str) -> str:
    found = _HOUR.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not an hour of the day like 06:00.")
    return f"{int(found[1]):02}:{found[2]}"


def add(connection: Connection, contact_id: UUID, wish: Wish, *, now: datetime, actor: str) -> UUID:
    """Raises Conflict when the contact has the same one already."""
    same = (SUBSCRIPTION.c.contact_id == contact_id, SUBSCRIPTION.c.by == wish.by, SUBSCRIPTION.c.removed_at.is_(None))
    for row in connection.execute(select(SUBSCRIPTION).where(*same)):
        if (tuple(row.hours), tuple(row.places), row.zone) == (wish.hours, wish.places, wish.zone):
            raise Conflict("That contact has this subscription already.")
    key = uuid7()
    new = {
        "id": key, "contact_id": contact_id, "by": wish.by, "hours": list(wish.hours), "zone": wish.zone,
        "places": list(wish.places), "active": True, "created_at": now,
    }  # fmt: skip
    connection.execute(insert(SUBSCRIPTION), [new])
    _changed(connection, key, "subscription.add", {"by": wish.by, "hours": list(wish.hours)}, now, actor)
    return key


def standing(connection: Connection) -> list[Row[Any]]:
    """Subscriptions that were not removed, paused ones too, oldest first."""
    query = select(SUBSCRIPTION).where(SUBSCRIPTION.c.removed_at.is_(None))
    return list(connection.execute(query.order_by(SUBSCRIPTION.c.created_at, SUBSCRIPTION.c.id)))


def find(rows: Iterable[Row[Any]], typed: str) -> UUID:
    """The one whose id is or ends with `typed`. Raises NotFound, or UsageError when several do."""
    wanted = typed.strip().lower()
    found = [row.id for row in rows if str(row.id) == wanted] or [
        row.id for row in rows if len(wanted) >= 4 and str(row.id).endswith(wanted)
    ]
    if not found:
        raise NotFound("There is no such subscription. `vocero subscription list` shows them.")
    if len(found) > 1:
        raise UsageError("Several subscriptions end so; give the whole id.")
    key: UUID = found[0]
    return key


def remove(connection: Connection, key: UUID, *, now: datetime, actor: str) -> None:
    """Take it away for good; what it was told stays on record. Raises NotFound."""
    _update(connection, key, {"active": False, "removed_at": now})
    _changed(connection, key, "subscription.remove", {}, now, actor)


def set_active(connection: Connection, key: UUID, active: bool, *, now: datetime, actor: str) -> None:
    """Pause or take up again; what happened meanwhile is told by the first digest after the pause."""
    _update(connection, key, {"active": active})
    _changed(connection, key, "subscription.resume" if active else "subscription.pause", {}, now, actor)


def _update(connection: Connection, key: UUID, values: dict[str, Any]) -> None:
    there = (SUBSCRIPTION.c.id == key, SUBSCRIPTION.c.removed_at.is_(None))
    if not connection.execute(update(SUBSCRIPTION).where(*there).values(values)).rowcount:
        raise NotFound("There is no such subscription.")


def _changed(connection: Connection, key: UUID, action: str, data: dict[str, Any], now: datetime, actor: str) -> None:
    audit.record(connection, at=now, actor=actor, action=action, target=str(key), data=data)
    touch_config(connection)
