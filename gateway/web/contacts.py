"""People: the list with masked addresses, letting in who asked to register, adding somebody, finding by address."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select
from starlette.responses import Response

from gateway import contact_edit
from gateway.contacts import ADDRESS, CONTACT, find, parse_address, set_status
from gateway.errors import Conflict, NotFound, UsageError
from gateway.locale import N_
from gateway.registration import approve
from gateway.silence import silent_contacts
from gateway.web.fields import Inputs
from gateway.web.labels import Labels, mask
from gateway.web.paging import PAGE, Cursor, older, read_cursor
from gateway.web.visit import Page, Visit
from gateway.words import CONTACT_STATUSES, ROLES

WRONG = N_("Look at these again: {fields}.")
TAKEN = N_("Another contact has this address already.")


@dataclass(frozen=True, slots=True)
class Line:
    """A contact in the list."""

    row: Row[Any]
    name: str
    addresses: tuple[str, ...]


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def add(visit: Visit) -> Response:
    house, typed, at, actor = visit.house, visit.form, visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> UUID:
        details = contact_edit.read_details(typed, house.codebook(connection).places)
        addresses = contact_edit.read_addresses(typed)
        return contact_edit.add(connection, details, addresses, sealer=house.sealer, at=at, actor=actor)

    try:
        return visit.go(f"/contacts/{await house.write(keep)}")
    except contact_edit.BadContact as error:
        return await _page(visit, wrong=error.fields)
    except Conflict:
        return await _page(visit, taken=True)


async def find_one(visit: Visit) -> Response:
    """By phone or e-mail address, sent in the form so that it never stands in an address."""
    sealer = visit.house.sealer
    try:
        address = parse_address(visit.form.word("address"))
    except UsageError:
        return await _page(visit, missed=True)
    found = await visit.house.read(lambda connection: find(connection, address, sealer))
    return await _page(visit, missed=True) if found is None else visit.go(f"/contacts/{found}")


async def change_status(visit: Visit) -> Response:
    """Let in, stop at once, or note that somebody left."""
    key, status = contact_id(visit), visit.form.word("status")
    at, actor = visit.house.clock(), visit.who.actor
    house = visit.house

    def keep(connection: Connection) -> None:
        if status == "active":
            codebook = house.codebook(connection)
            approve(connection, key, codebook=codebook, sealer=house.sealer, now=at, actor=actor)
        else:
            set_status(connection, key, status, now=at, actor=actor)

    await house.write(keep)
    return visit.go("/contacts" if visit.form.word("back") == "list" else f"/contacts/{key}")


async def _page(visit: Visit, *, wrong: tuple[str, ...] = (), taken: bool = False, missed: bool = False) -> Response:
    status, role, cursor = visit.query("status"), visit.query("role"), read_cursor(visit.query("before"))

    now = visit.house.clock()

    def load(connection: Connection) -> tuple[list[Line], Cursor | None, Labels, int, set[UUID]]:
        query = select(CONTACT).where(*older(CONTACT.c.created_at, CONTACT.c.id, cursor))
        query = query.where(CONTACT.c.status == status) if status in CONTACT_STATUSES else query
        query = query.where(CONTACT.c.role == role) if role in ROLES else query
        newest = (CONTACT.c.created_at.desc(), CONTACT.c.id.desc())
        rows = list(connection.execute(query.order_by(*newest).limit(PAGE + 1)))
        more = Cursor(rows[PAGE - 1].created_at, rows[PAGE - 1].id) if len(rows) > PAGE else None
        labels = Labels(visit.house.codebook(connection), visit.t)
        silent = {one.contact_id for one in silent_contacts(connection, now=now, places=None)}
        return lines(connection, rows[:PAGE], visit), more, labels, count_pending(connection), silent

    found, more, labels, pending, silent = await visit.house.read(load)
    bad = visit.t(WRONG, fields=", ".join(labels.word(name) for name in wrong)) if wrong else ""
    return visit.render(
        "contacts.html", 400 if bad or taken else 200, lines=found, silent=silent, more=more, labels=labels,
        pending=pending, problem=visit.t(TAKEN) if taken else bad, missed=missed, typed=visit.form, roles=ROLES,
        statuses=CONTACT_STATUSES, chosen=(status, role), inputs=Inputs(labels.codebook, labels),
    )  # fmt: skip


def lines(connection: Connection, rows: list[Row[Any]], visit: Visit) -> list[Line]:
    """Names opened, addresses opened and masked."""
    sealer = visit.house.sealer
    reached: dict[UUID, list[str]] = {}
    query = select(ADDRESS).where(ADDRESS.c.contact_id.in_([row.id for row in rows])).order_by(ADDRESS.c.kind.desc())
    for row in connection.execute(query):
        opened = sealer.open("contact_address", "address", row.id, row.address_sealed)
        reached.setdefault(row.contact_id, []).append(mask(opened))
    return [
        Line(row, sealer.open("contact", "name", row.id, row.name_sealed), tuple(reached.get(row.id, ())))
        for row in rows
    ]


def count_pending(connection: Connection) -> int:
    """How many registrations wait to be let in."""
    query = select(func.count()).select_from(CONTACT).where(CONTACT.c.status == "pending")
    return int(connection.scalar(query) or 0)


def contact_id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NotFound("contact") from None


PAGES = (
    Page("GET", "/contacts", "contacts", show),
    Page("POST", "/contacts", "contacts", add),
    Page("POST", "/contacts/find", "contacts", find_one),
    Page("POST", "/contacts/{id}/status", "contacts", change_status),
)
