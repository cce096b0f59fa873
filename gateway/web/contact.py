"""One person, opened: the whole addresses are shown, and that is written down in the audit log."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import audit, contact_edit, pins
from gateway.contacts import ADDRESS, CONTACT
from gateway.errors import Conflict, NotFound
from gateway.keeping import MESSAGE
from gateway.standing import OPT_OUT
from gateway.web.contacts import TAKEN, WRONG, contact_id
from gateway.web.fields import Inputs
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit
from gateway.words import CONTACT_STATUSES, ROLES

LAST_TEXTS = 10


@dataclass(frozen=True, slots=True)
class Opened:
    """A contact with everything the page shows; `silent` are ids of addresses that said BAJA, `failing`
    tells of addresses by id why nothing reaches them."""

    row: Row[Any]
    name: str
    village: str
    addresses: list[tuple[UUID, str]]
    silent: set[UUID]
    failing: dict[UUID, str]
    texts: list[Row[Any]]
    labels: Labels


async def show(visit: Visit) -> Response:
    key, at, actor = contact_id(visit), visit.house.clock(), visit.who.actor
    opened = await visit.house.read(lambda connection: load(connection, visit, key))
    await visit.house.write(
        lambda connection: audit.record(connection, at=at, actor=actor, action="contact.open", target=str(key))
    )
    return _render(visit, opened)


async def change(visit: Visit) -> Response:
    """Details, and addresses that are added."""
    house, key, typed, at, actor = visit.house, contact_id(visit), visit.form, visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        details = contact_edit.read_details(typed, house.codebook(connection).places)
        contact_edit.change(connection, key, details, sealer=house.sealer, at=at, actor=actor)
        addresses = contact_edit.read_addresses(typed)
        if addresses:
            contact_edit.add_addresses(connection, key, addresses, sealer=house.sealer, at=at, actor=actor)

    try:
        await house.write(keep)
    except contact_edit.BadContact as error:
        return await _again(visit, key, wrong=error.fields)
    except Conflict:
        return await _again(visit, key)
    return visit.go(f"/contacts/{key}")


async def remove_address(visit: Visit) -> Response:
    key, at, actor = contact_id(visit), visit.house.clock(), visit.who.actor
    try:
        address_id = UUID(visit.form.word("address"))
    except ValueError:
        raise NotFound("address") from None
    await visit.house.write(
        lambda connection: contact_edit.remove_address(connection, key, address_id, at=at, actor=actor)
    )
    return visit.go(f"/contacts/{key}")


async def change_pin(visit: Visit) -> Response:
    """A new personal number, shown this once, or none any more."""
    house, key, at, actor = visit.house, contact_id(visit), visit.house.clock(), visit.who.actor
    if visit.form.word("act") == "remove":
        await house.write(lambda connection: pins.take_pin(connection, key, at=at, actor=actor))
        return visit.go(f"/contacts/{key}")
    pin = await house.write(
        lambda connection: pins.give_pin(connection, key, None, sealer=house.sealer, at=at, actor=actor)
    )
    opened = await house.read(lambda connection: load(connection, visit, key))
    return _render(visit, opened, pin=pin)


async def _again(visit: Visit, key: UUID, *, wrong: tuple[str, ...] = ()) -> Response:
    opened = await visit.house.read(lambda connection: load(connection, visit, key))
    words = ", ".join(opened.labels.word(name) for name in wrong)
    return _render(visit, opened, visit.t(WRONG, fields=words) if wrong else visit.t(TAKEN))


def _render(visit: Visit, opened: Opened, problem: str = "", pin: str = "") -> Response:
    row = opened.row
    stored = {
        "name": opened.name, "role": row.role, "village": opened.village, "home_place": row.home_place or "",
        "places": ", ".join(row.places), "language": row.language, "discreet": "yes" if row.discreet else "",
        "rhythm_days": "" if row.rhythm_days is None else str(row.rhythm_days), "zone": row.zone or "",
        "answer_by": row.answer_by or "",
    }  # fmt: skip
    return visit.render(
        "contact.html", 400 if problem else 200, opened=opened, labels=opened.labels, problem=problem,
        typed=stored if pin or not visit.form else visit.form, pin=pin, roles=ROLES, statuses=CONTACT_STATUSES,
        inputs=Inputs(opened.labels.codebook, opened.labels),
    )  # fmt: skip


def load(connection: Connection, visit: Visit, key: UUID) -> Opened:
    sealer = visit.house.sealer
    row = connection.execute(select(CONTACT).where(CONTACT.c.id == key)).first()
    if row is None:
        raise NotFound("contact")
    found = list(connection.execute(select(ADDRESS).where(ADDRESS.c.contact_id == key).order_by(ADDRESS.c.kind.desc())))
    silent = set(
        connection.scalars(
            select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_([a.address_hash for a in found]))
        )
    )
    texts = select(MESSAGE.c.id, MESSAGE.c.heard_at, MESSAGE.c.state).where(MESSAGE.c.contact_id == key)
    return Opened(
        row, sealer.open("contact", "name", row.id, row.name_sealed),
        sealer.open_optional("contact", "village", row.id, row.village_sealed) or "",
        [(a.id, sealer.open("contact_address", "address", a.id, a.address_sealed).partition(":")[2]) for a in found],
        {a.id for a in found if a.address_hash in silent},
        {a.id: a.failing_reason or "failed" for a in found if a.failing_since},
        list(connection.execute(texts.order_by(MESSAGE.c.heard_at.desc()).limit(LAST_TEXTS))),
        Labels(visit.house.codebook(connection), visit.t),
    )  # fmt: skip


PAGES = (
    Page("GET", "/contacts/{id}", "contacts", show),
    Page("POST", "/contacts/{id}", "contacts", change),
    Page("POST", "/contacts/{id}/addresses/remove", "contacts", remove_address),
    Page("POST", "/contacts/{id}/pin", "contacts", change_pin),
)
