"""One's own account: the password, and where one is logged in."""

from typing import Any

from sqlalchemy import Connection, Row
from starlette.responses import Response

from gateway import sessions, users
from gateway.passwords import SHORTEST
from gateway.web.labels import Labels
from gateway.web.setup import check_new
from gateway.web.visit import Page, Visit


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def change_password(visit: Visit) -> Response:
    """The present password is asked again: an unlocked machine is not enough to take an account over."""
    form, who, at = visit.form, visit.who, visit.house.clock()
    user = await visit.house.read(lambda connection: users.find_user(connection, who.name))
    locked = user is None or users.is_locked(user, at)
    present = form.get("present", "")[:1024]
    if user is None or not await visit.web.passwords.fits(user.password_hash, present) or locked:
        await visit.house.write(lambda connection: users.note_failure(connection, who.user_id, at))
        return await _page(visit, problem=visit.t("The present password is not right."))
    problem = check_new(form.get("password", ""), form.get("again", ""), who.name)
    if problem:
        return await _page(visit, problem=visit.t(problem))
    hashed = await visit.web.passwords.hash(form["password"])

    def keep(connection: Connection) -> None:
        users.set_password(connection, who.user_id, hashed, at=at, actor=who.actor)
        sessions.end_all(connection, who.user_id, at, but=who.session)

    await visit.house.write(keep)
    return await _page(visit, done=visit.t("The password was changed."))


async def end_others(visit: Visit) -> Response:
    who, at = visit.who, visit.house.clock()
    await visit.house.write(lambda connection: sessions.end_all(connection, who.user_id, at, but=who.session))
    return await _page(visit, done=visit.t("You are logged out everywhere else."))


async def _page(visit: Visit, *, done: str = "", problem: str = "") -> Response:
    who, at = visit.who, visit.house.clock()

    def load(connection: Connection) -> tuple[Labels, list[Row[Any]]]:
        return Labels(visit.house.codebook(connection), visit.t), sessions.open_of(connection, who.user_id, at)

    labels, open_sessions = await visit.house.read(load)
    return visit.render(
        "account.html", 400 if problem else 200, labels=labels, open_sessions=open_sessions, done=done,
        problem=problem, shortest=SHORTEST,
    )  # fmt: skip


PAGES = (
    Page("GET", "/account", "account", show),
    Page("POST", "/account/password", "account", change_password),
    Page("POST", "/account/sessions", "account", end_others),
)
