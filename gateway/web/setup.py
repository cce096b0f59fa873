"""The one-time link: a person chooses a password, the first admin a name too."""

from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from gateway import sessions, users
from gateway.errors import Conflict, NotFound, UsageError
from gateway.locale import N_
from gateway.passwords import SHORTEST, weakness
from gateway.users import LinkOwner
from gateway.web.access import PUBLIC
from gateway.web.login import enter
from gateway.web.visit import Page, Visit

WEAK = {
    "short": N_("The password is too short."),
    "long": N_("The password is too long."),
    "name": N_("The password must not be the name."),
    "simple": N_("The password is too simple: it would be guessed."),
    "differ": N_("The two passwords are not the same."),
}


async def show(visit: Visit) -> Response:
    return _page(visit, await _owner(visit), None)


async def choose(visit: Visit) -> Response:
    owner, form = await _owner(visit), visit.form
    name = form.word("name", 64) if owner.first else owner.name
    problem = check_new(form.get("password", ""), form.get("again", ""), name)
    if problem:
        return _page(visit, owner, visit.t(problem), name)
    try:
        users.clean_name(name)
    except UsageError:
        return _page(visit, owner, visit.t("A name has 2 to 48 letters, digits or . _ @ - and no spaces."), name)
    hashed = await visit.web.passwords.hash(form["password"])
    token, at, language = visit.request.path_params["token"], visit.house.clock(), visit.t.language

    def keep(connection: Connection) -> tuple[UUID, str]:
        user_id = users.use_link(connection, token, name=name, password_hash=hashed, language=language, at=at)
        sessions.end_all(connection, user_id, at)
        return user_id, users.clean_name(name)

    try:
        user_id, kept_name = await visit.house.write(keep)
    except Conflict:
        return _page(visit, owner, visit.t("That name is taken."), name)
    return await enter(visit, user_id, kept_name, language)


def check_new(password: str, again: str, name: str) -> str | None:
    """What is wrong with a new password, as a word of the catalogue."""
    return WEAK["differ"] if password != again else WEAK.get(weakness(password, name) or "")


async def _owner(visit: Visit) -> LinkOwner:
    token, at = visit.request.path_params["token"], visit.house.clock()
    owner = await visit.house.read(lambda connection: users.link_owner(connection, token, at))
    if owner is None:
        raise NotFound("link")
    return owner


def _page(visit: Visit, owner: LinkOwner, problem: str | None, name: str | None = None) -> Response:
    shown = owner.name if name is None else name
    return visit.render(
        "setup.html", 400 if problem else 200, owner=owner, name=shown, problem=problem, shortest=SHORTEST
    )


PAGES = (
    Page("GET", "/setup/{token}", PUBLIC, show),
    Page("POST", "/setup/{token}", PUBLIC, choose),
)
