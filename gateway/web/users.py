"""Logins: who has one, adding one (its one-time link is shown once), letting in and keeping out."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from starlette.responses import Response

from gateway import audit, sessions, users
from gateway.errors import Conflict, NotFound, UsageError
from gateway.locale import N_
from gateway.models.user import ROLES
from gateway.standing import CONTACT
from gateway.users import USER
from gateway.web import people
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

WRONG = N_("A name has 2 to 48 letters, digits or . _ @ - and no spaces.")
TAKEN = N_("That name is taken.")
LAST = N_("The last admin cannot be locked out.")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def add(visit: Visit) -> Response:
    house, typed, at, actor = visit.house, visit.form, visit.house.clock(), visit.who.actor
    contact_id = _uuid(typed.word("contact")) if typed.word("contact") else None

    def keep(connection: Connection) -> str:
        return users.add_user(
            connection, name=typed.word("name"), role=typed.word("role"), at=at, actor=actor, contact_id=contact_id,
            language=visit.t.language,
        )  # fmt: skip

    try:
        token = await house.write(keep)
    except Conflict:
        return await _page(visit, problem=TAKEN)
    except UsageError:
        return await _page(visit, problem=WRONG)
    return await _page(visit, link=users.link_url(house.settings.base_url, token))


async def change(visit: Visit) -> Response:
    """A new link, keep out (which ends all sessions at once), or let in again."""
    key, act = _uuid(visit.request.path_params["id"]), visit.form.word("act")
    at, actor, house = visit.house.clock(), visit.who.actor, visit.house

    def keep(connection: Connection) -> str:
        if act == "link":
            if connection.scalar(select(USER.c.id).where(USER.c.id == key)) is None:
                raise NotFound("user")
            audit.record(connection, at=at, actor=actor, action="user.link", target=str(key))
            return users.make_link(connection, key, at)
        if act not in ("in", "out"):
            raise UsageError("act")
        users.set_active(connection, key, active=act == "in", at=at, actor=actor)
        sessions.end_all(connection, key, at)
        return ""

    try:
        token = await house.write(keep)
    except Conflict:
        return await _page(visit, problem=LAST)
    if token:
        return await _page(visit, link=users.link_url(house.settings.base_url, token))
    return visit.go("/users")


async def _page(visit: Visit, *, link: str = "", problem: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        rows = list(connection.execute(select(USER).order_by(USER.c.created_at)))
        told = (CONTACT.c.role.in_(("coordinator", "admin")), CONTACT.c.status == "active")
        coordinators = list(connection.scalars(select(CONTACT.c.id).where(*told).order_by(CONTACT.c.created_at)))
        ids = [*coordinators, *(row.contact_id for row in rows)]
        names = people.names(connection, ids, visit.house.sealer)
        labels = Labels(visit.house.codebook(connection), visit.t)
        return {"rows": rows, "coordinators": coordinators, "names": names, "labels": labels}

    return visit.render(
        "users.html", 400 if problem else 200, link=link, problem=visit.t(problem) if problem else "", roles=ROLES,
        typed=visit.form, **await visit.house.read(load),
    )  # fmt: skip


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("user") from None


PAGES = (
    Page("GET", "/users", "users", show),
    Page("POST", "/users", "users", add),
    Page("POST", "/users/{id}", "users", change),
)
