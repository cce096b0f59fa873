"""Dead addresses: their subscriptions are paused, and the admins are told once."""

from datetime import datetime

from sqlalchemy import Connection, select

from gateway import audit, subscriptions
from gateway.contacts import CONTACT
from gateway.failing import ADDRESS, Failing, clear_reached, mark, newly_failing
from gateway.house import House
from gateway.replies import Replies
from gateway.subscriptions import BY_BOUNCES, SCHEMES, SUBSCRIPTION
from gateway.telling import tell_admins

SYSTEM = "system"


def watch_bounces(house: House) -> int:
    """Mark what nothing reaches any more; returns how many addresses were marked."""
    return house.writer.write_now(lambda connection: _watch(connection, house))


def _watch(connection: Connection, house: House) -> int:
    now = house.clock()
    clear_reached(connection, now)
    marked = [failing for failing in newly_failing(connection) if mark(connection, failing, now)]
    for failing in marked:
        _pause(connection, failing, now)
    if marked:
        _tell_admins(connection, house, marked)
    return len(marked)


def _pause(connection: Connection, failing: Failing, now: datetime) -> None:
    """Subscriptions that can go by no other way than the dead one."""
    audit.record(
        connection, at=now, actor=SYSTEM, action="address.failing", target=str(failing.contact_id),
        data={"kind": failing.kind, "error": failing.error},
    )  # fmt: skip
    mine = (SUBSCRIPTION.c.contact_id == failing.contact_id, SUBSCRIPTION.c.active, SUBSCRIPTION.c.removed_at.is_(None))
    alive = (ADDRESS.c.contact_id == failing.contact_id, ADDRESS.c.failing_since.is_(None))
    kinds = {*connection.scalars(select(ADDRESS.c.kind).where(*alive))}
    for row in connection.execute(select(SUBSCRIPTION).where(*mine)).all():
        if SCHEMES[row.by] == (failing.kind,) or kinds.isdisjoint(SCHEMES[row.by]):
            subscriptions.set_active(connection, row.id, False, now=now, actor=SYSTEM, reason=BY_BOUNCES)


def _tell_admins(connection: Connection, house: House, marked: list[Failing]) -> None:
    replies = Replies(house.codebook(connection))
    homes = select(CONTACT.c.home_place).where(CONTACT.c.id.in_([failing.contact_id for failing in marked]))
    tell_admins(
        connection,
        house,
        dict.fromkeys(replies.text("dead_address", place=replies.place(home)) for home in connection.scalars(homes)),
    )
