"""Who gets which digest when: the list, adding one, pausing, taking away."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import subscriptions
from gateway.contacts import people
from gateway.errors import Conflict, NotFound, UsageError
from gateway.locale import N_
from gateway.standing import CONTACT
from gateway.subscriptions import SCHEMES, make_wish
from gateway.web import people as shown_people
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

WRONG = N_("Hours are written like 06:00,18:00 and places as codes like 14,0705.")
UNREACHED = N_("This contact has no address of that kind.")
TWICE = N_("That contact has this subscription already.")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def add(visit: Visit) -> Response:
    house, typed, at, actor = visit.house, visit.form, visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        codebook = house.codebook(connection)
        wish = make_wish(typed.word("by"), typed.word("hours"), typed.word("places"), codebook.places, codebook.zone)
        found = people(connection, house.sealer, only=[_uuid(typed.word("contact"))])
        if not found:
            raise NotFound("contact")
        if not subscriptions.addresses(found[0], wish.by):
            raise Unreached
        subscriptions.add(connection, found[0].id, wish, now=at, actor=actor)

    try:
        await house.write(keep)
    except Unreached:
        return await _page(visit, UNREACHED)
    except Conflict:
        return await _page(visit, TWICE)
    except NotFound:
        raise
    except UsageError:
        return await _page(visit, WRONG)
    return visit.go("/subscriptions")


async def change(visit: Visit) -> Response:
    """Pause, take up again, or take away for good."""
    key, act, at, actor = (
        _uuid(visit.request.path_params["id"]),
        visit.form.word("act"),
        visit.house.clock(),
        visit.who.actor,
    )

    def keep(connection: Connection) -> None:
        if act == "remove":
            subscriptions.remove(connection, key, now=at, actor=actor)
        elif act in ("pause", "resume"):
            subscriptions.set_active(connection, key, act == "resume", now=at, actor=actor)
        else:
            raise UsageError("act")

    await visit.house.write(keep)
    return visit.go("/subscriptions")


class Unreached(UsageError):
    """The contact has no address to which this digest could go."""


async def _page(visit: Visit, problem: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        rows = subscriptions.standing(connection)
        coordinators = _coordinators(connection)
        ids = [row.contact_id for row in rows] + [row.id for row in coordinators]
        names = shown_people.names(connection, ids, visit.house.sealer)
        labels = Labels(visit.house.codebook(connection), visit.t)
        return {"rows": rows, "coordinators": coordinators, "names": names, "labels": labels}

    return visit.render(
        "subscriptions.html", 400 if problem else 200, problem=visit.t(problem) if problem else "", typed=visit.form,
        ways=tuple(SCHEMES), **await visit.house.read(load),
    )  # fmt: skip


def _coordinators(connection: Connection) -> list[Row[Any]]:
    """Those who may be told: active coordinators and admins."""
    told = (CONTACT.c.role.in_(("coordinator", "admin")), CONTACT.c.status == "active")
    return list(connection.execute(select(CONTACT.c.id, CONTACT.c.places).where(*told).order_by(CONTACT.c.created_at)))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("subscription") from None


PAGES = (
    Page("GET", "/subscriptions", "subscriptions", show),
    Page("POST", "/subscriptions", "subscriptions", add),
    Page("POST", "/subscriptions/{id}", "subscriptions", change),
)
