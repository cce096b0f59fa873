"""Who stands behind contact ids and sealed senders, as a page may show it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from gateway.keeping import MESSAGE
from gateway.reports import REPORT
from gateway.sealing import Sealer
from gateway.standing import CONTACT
from gateway.web.access import in_places
from gateway.web.labels import mask


def names(connection: Connection, ids: Iterable[UUID | None], sealer: Sealer) -> dict[UUID, str]:
    """Names of contacts by id, at most as many as a page shows."""
    wanted = {key for key in ids if key is not None}
    if not wanted:
        return {}
    query = select(CONTACT.c.id, CONTACT.c.name_sealed).where(CONTACT.c.id.in_(wanted))
    return {row.id: sealer.open("contact", "name", row.id, row.name_sealed) for row in connection.execute(query)}


def who(message: Row[Any], known: dict[UUID, str], sealer: Sealer) -> str:
    """The sender of a message: the name of a contact, else the masked address."""
    if message.contact_id in known:
        return known[message.contact_id]
    return mask(sealer.open("message", "sender", message.id, message.sender_sealed))


def seen_by(places: tuple[str, ...] | None) -> ColumnElement[bool] | None:
    """Which messages a coordinator sees: those that tell of the coordinator's places, or come from there."""
    of_report, of_home = in_places(REPORT.c.place, places), in_places(CONTACT.c.home_place, places)
    if of_report is None or of_home is None:
        return None
    tells = select(REPORT.c.id).where(REPORT.c.message_id == MESSAGE.c.id, of_report).exists()
    comes = select(CONTACT.c.id).where(CONTACT.c.id == MESSAGE.c.contact_id, of_home).exists()
    return or_(tells, comes)
