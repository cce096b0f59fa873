"""Short words for what alert tests ask of a desk."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from gateway.alerts import ACT, ALERT, JOINED, RECEIVER, escalate_due, tell_more_due
from gateway.contacts import CONTACT, find
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.desk import Desk

PETRONA = "tel:+50255550203"
JULIO = "tel:+50255550301"
SEBASTIAN = "tel:+50255550110"
DIEGO = "tel:+50255550116"
MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"
EULALIO_MAIL = "mailto:eulalio.coord@oficina.example"
TURBA = "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar"


def later(desk: Desk, clock: HandClock, minutes: float) -> None:
    """Time passes, then the ticks come."""
    clock.advance(timedelta(minutes=minutes))
    escalate_due(desk.house)
    tell_more_due(desk.house)


def alerts(desk: Desk) -> list[Any]:
    return desk._rows(select(ALERT).order_by(ALERT.c.opened_at, ALERT.c.id))


def receivers_of(desk: Desk) -> list[tuple[str, int]]:
    """First names and steps of everyone an alert was sent to, in order."""
    query = select(RECEIVER, CONTACT.c.name_sealed).join(CONTACT, CONTACT.c.id == RECEIVER.c.contact_id)
    rows = desk._rows(query.order_by(RECEIVER.c.step, RECEIVER.c.id))
    opened = [desk.house.sealer.open("contact", "name", row.contact_id, row.name_sealed) for row in rows]
    return [(name.split()[0], row.step) for name, row in zip(opened, rows, strict=True)]


def acts(desk: Desk) -> list[Any]:
    return desk._rows(select(ACT).order_by(ACT.c.at, ACT.c.id))


def joined(desk: Desk) -> list[Any]:
    return desk._rows(select(JOINED))


def set_sent(desk: Desk, to: str, state: str, error: str | None = None) -> None:
    """What became of everything queued for an address so far."""
    hashed = desk.house.sealer.hash("address", to)
    change = update(OUTBOUND).where(OUTBOUND.c.to_hash == hashed, OUTBOUND.c.state == "queued")
    desk.house.writer.write_now(lambda conn: conn.execute(change.values(state=state, error=error)))


def set_contact(desk: Desk, address: str, **values: Any) -> None:
    def change(connection: Any) -> None:
        key = find(connection, address, desk.house.sealer)
        connection.execute(update(CONTACT).where(CONTACT.c.id == key).values(**values))

    desk.house.writer.write_now(change)
