"""Who gets which digest when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.contacts import Person
from gateway.errors import Conflict, NotFound, UsageError
from gateway.failing import trust_again
from gateway.house import touch_config
from gateway.models import Subscription
from gateway.wishes import Wish, make_wish

__all__ = ["SCHEMES", "SUBSCRIPTION", "Wish", "add", "addresses", "change", "find", "make_wish", "remove", "set_active",
           "standing", "wish_of"]  # fmt: skip

SUBSCRIPTION: Table = Subscription.__table__  # type: ignore[attr-defined]
# Why a subscription is paused when no admin did it.
BY_SELF, BY_LINK, BY_BOUNCES = "self", "unsubscribed", "bounces"
SCHEMES = {"email": ("mailto",), "sms": ("tel",), "both": ("mailto", "tel")}


def addresses(person: Person, by: str) -> list[str]:
    """Where a digest that goes `by` email, sms or both reaches a person: one address of each kind it has."""
    return [found for scheme in SCHEMES[by] if (found := person.address(scheme)) is not None]


def wish_of(row: Row[Any]) -> Wish:
    """What a stored subscription asks for."""
    return Wish(**{name: _tupled(getattr(row, name)) for name in Wish.__dataclass_fields__})


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def add(connection: Connection, contact_id: UUID, wish: Wish, *, now: datetime, actor: str) -> UUID:
    """Raises Conflict when the contact has the same one already."""
    _refuse_same(connection, contact_id, wish)
    key = uuid7()
    new = {"id": key, "contact_id": contact_id, **_values(wish), "active": True, "created_at": now}
    connection.execute(insert(SUBSCRIPTION), [new])
    _changed(connection, key, "subscription.add", {"by": wish.by, "hours": list(wish.hours)}, now, actor)
    return key


def change(connection: Connection, key: UUID, wish: Wish, *, now: datetime, actor: str) -> None:
    """Let it ask for something else from now on. Raises NotFound, and Conflict when the contact has that already."""
    row = connection.execute(select(SUBSCRIPTION).where(SUBSCRIPTION.c.id == key)).first()
    if row is None:
        raise NotFound("There is no such subscription.")
    if wish_of(row) == wish:
        return
    _refuse_same(connection, row.contact_id, wish)
    _update(connection, key, _values(wish))
    _changed(connection, key, "subscription.change", {"by": wish.by, "hours": list(wish.hours)}, now, actor)


def _refuse_same(connection: Connection, contact_id: UUID, wish: Wish) -> None:
    same = (SUBSCRIPTION.c.contact_id == contact_id, SUBSCRIPTION.c.by == wish.by, SUBSCRIPTION.c.removed_at.is_(None))
    if any(wish_of(row) == wish for row in connection.execute(select(SUBSCRIPTION).where(*same))):
        raise Conflict("That contact has this subscription already.")


def _values(wish: Wish) -> dict[str, Any]:
    values = {name: getattr(wish, name) for name in Wish.__dataclass_fields__}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def standing(connection: Connection, contact_id: UUID | None = None) -> list[Row[Any]]:
    """Subscriptions that were not removed, paused ones too, oldest first; those of one contact when it is given."""
    query = select(SUBSCRIPTION).where(SUBSCRIPTION.c.removed_at.is_(None))
    if contact_id is not None:
        query = query.where(SUBSCRIPTION.c.contact_id == contact_id)
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


def set_active(
    connection: Connection, key: UUID, active: bool, *, now: datetime, actor: str, reason: str | None = None
) -> None:
    """Pause or take up again; what happened meanwhile is told by the first digest after the pause.

    `reason` says why it was paused when no admin did it: self, unsubscribed, or what the gateway found. Who takes it up
    again says that the addresses are right.
    """
    _update(connection, key, {"active": active, "pause_reason": None if active else reason})
    if active:
        contact = connection.execute(select(SUBSCRIPTION.c.contact_id).where(SUBSCRIPTION.c.id == key)).scalar_one()
        trust_again(connection, contact, now)
    _changed(connection, key, "subscription.resume" if active else "subscription.pause", {}, now, actor)


def _update(connection: Connection, key: UUID, values: dict[str, Any]) -> None:
    there = (SUBSCRIPTION.c.id == key, SUBSCRIPTION.c.removed_at.is_(None))
    if not connection.execute(update(SUBSCRIPTION).where(*there).values(values)).rowcount:
        raise NotFound("There is no such subscription.")


def _changed(connection: Connection, key: UUID, action: str, data: dict[str, Any], now: datetime, actor: str) -> None:
    audit.record(connection, at=now, actor=actor, action=action, target=str(key), data=data)
    touch_config(connection)
