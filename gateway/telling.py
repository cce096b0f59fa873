"""News for the admins, from the gateway itself: by mail where there is one, else by SMS when nobody sleeps."""

from collections.abc import Iterable

from sqlalchemy import Connection, Table, select
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.contacts import CONTACT, Person, people
from gateway.house import House
from gateway.models import ContactAddress, OptOut
from gateway.quiet import QuietHours
from gateway.routes import route
from outbox.queue import NewMessage, enqueue

ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]


def tell_admins(connection: Connection, house: House, texts: Iterable[str]) -> int:
    """Queue each text for every active admin who can be reached; returns how many messages that makes."""
    texts = list(texts)
    admins = select(CONTACT.c.id).where(CONTACT.c.role == "admin", CONTACT.c.status == "active")
    messages = []
    for person in people(connection, house.sealer, only=connection.scalars(admins)):
        way = _way(connection, person, house)
        messages += [_message(person, way, text, house, connection) for text in texts] if way else []
    enqueue(connection, messages, seals=house.sealer, now=house.clock())
    return len(messages)


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
