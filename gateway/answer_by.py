"""Where people want their answers when that is not where their text came in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Table, select, update

from gateway import audit
from gateway.errors import NotFound
from gateway.models import Contact, ContactAddress, OptOut
from gateway.sealing import Sealer

ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]
CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An address of the wanted kind, with its keyed hash."""

    hash: bytes
    address: str


def wanted_addresses(connection: Connection, contacts: Collection[UUID], sealer: Sealer) -> dict[UUID, Elsewhere]:
    """The preferred address of the wanted kind of each contact that has one which lives and did not say BAJA."""
    alive = (
        ADDRESS.c.contact_id.in_(contacts), ADDRESS.c.kind == CONTACT.c.answer_by, ADDRESS.c.failing_since.is_(None),
        ADDRESS.c.address_hash.not_in(select(OPT_OUT.c.address_hash)),
    )  # fmt: skip
    query = select(ADDRESS).join(CONTACT, CONTACT.c.id == ADDRESS.c.contact_id).where(*alive)
    rows = connection.execute(query.order_by(ADDRESS.c.preferred, ADDRESS.c.id.desc()))
    return {
        row.contact_id: Elsewhere(
            row.address_hash, sealer.open("contact_address", "address", row.id, row.address_sealed)
        )
        for row in rows
    }


def set_answer_by(connection: Connection, contact_id: UUID, kind: str | None, *, at: datetime, actor: str) -> None:
    """Answer by `tel` or `mailto`, or where the text came in (None). Raises NotFound."""
    changed = update(CONTACT).where(CONTACT.c.id == contact_id).values(answer_by=kind, changed_at=at)
    if not connection.execute(changed).rowcount:
        raise NotFound("There is no such contact.")
    audit.record(connection, at=at, actor=actor, action="contact.answers", target=str(contact_id), data={"by": kind})
