"""Dead addresses: their subscriptions are paused, and the admins are told once."""

from datetime import datetime

from sqlalchemy import Connection, select
from uuid_utils.compat import uuid7

from gateway import audit, limits, subscriptions
from gateway.contacts import CONTACT, Person, people
from gateway.failing import ADDRESS, Failing, clear_reached, mark, newly_failing
from gateway.house import House
from gateway.quiet import QuietHours
from gateway.replies import Replies
from gateway.routes import route
from gateway.silence import OPT_OUT
from gateway.subscriptions import BY_BOUNCES, SCHEMES, SUBSCRIPTION
from outbox.queue import NewMessage, enqueue

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
    now, replies = house.clock(), Replies(house.codebook(connection))
    admins = select(CONTACT.c.id).where(CONTACT.c.role == "admin", CONTACT.c.status == "active")
    homes = select(CONTACT.c.home_place).where(CONTACT.c.id.in_([failing.contact_id for failing in marked]))
    texts = dict.fromkeys(replies.text("dead_address", place=replies.place(home)) for home in connection.scalars(homes))
    messages = []
    for person in people(connection, house.sealer, only=connection.scalars(admins)):
        way = _way(connection, person, house)
        messages += [_message(person, way, text, house, connection) for text in texts] if way else []
    enqueue(connection, messages, seals=house.sealer, now=now)


def _way(connection: Connection, person: Person, house: House) -> tuple[str, str] | None:
    """Address and channel, by mail before SMS, of one that lives and did not say BAJA."""
    for address in sorted(person.addresses, key=lambda found: not found.startswith("mailto:")):
        hashed = house.sealer.hash("address", address)
        dead = select(ADDRESS.c.id).where(ADDRESS.c.address_hash == hashed, ADDRESS.c.failing_since.is_not(None))
        out = select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash == hashed)
        channel = route(connection, address)
        if channel and connection.scalar(dead) is None and connection.scalar(out) is None:
            return address, channel
    return None


def _message(person: Person, way: tuple[str, str], text: str, house: House, connection: Connection) -> NewMessage:
    address, channel = way
    now, is_mail = house.clock(), address.startswith("mailto:")
    quiet, zone = QuietHours.of(limits.load(connection)), house.codebook(connection).zone
    return NewMessage(
        id=uuid7(), kind="notice", channel=channel, to=address, text=text, subject=text if is_mail else None,
        headers={"Auto-Submitted": "auto-generated"} if is_mail else None, contact_id=person.id,
        not_before=now if is_mail else quiet.release(now, zone),
    )  # fmt: skip
