"""Logging in and out, and the language switch."""

from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from gateway import audit, sessions, users
from gateway.errors import Busy
from gateway.locale import LANGUAGES
from gateway.web.access import PUBLIC
from gateway.web.visit import Page, Visit


async def show(visit: Visit) -> Response:
    if visit.person:
        return visit.go("/")
    return visit.render("login.html", next=_local(visit.query("next", 200)), failed=False)


async def log_in(visit: Visit) -> Response:
    """One answer for every reason a login fails, after the same work and time for a name nobody has.

    A failure is counted without waiting for it, so that it takes no longer; the look-up goes by the writer, behind
    the failures that were counted before.
    """
    house, form = visit.house, visit.form
    at, address = house.clock(), _client(visit)
    if not visit.web.throttle.is_open(address, at):
        raise Busy("too many wrong passwords", retry_after=900)
    user = await house.write(lambda connection: users.find_user(connection, form.get("name", "")))
    able = user is not None and user.active and not users.is_locked(user, at)
    fits = await visit.web.passwords.fits(user.password_hash if user else None, form.get("password", "")[:1024])
    if user is None or not (able and fits):
        visit.web.throttle.note_failure(address, at)
        if user is not None and able:
            house.writer.submit(lambda connection: users.note_failure(connection, user.id, at))
        return visit.render("login.html", 401, next=_local(form.word("next")), failed=True)
    return await enter(visit, user.id, user.name, user.language, _local(form.word("next")))


async def enter(visit: Visit, user_id: UUID, name: str, language: str, path: str = "/") -> Response:
    """Start a session of its own for this login and show `path`."""
    at, old = visit.house.clock(), visit.person.session if visit.person else None

    def begin(connection: Connection) -> str:
        users.note_success(connection, user_id)
        audit.record(connection, at=at, actor=f"user:{name}", action="login", target=str(user_id))
        if old:
            sessions.end(connection, old, at)
        return sessions.start(connection, user_id, at)

    token = await visit.house.write(begin)
    response = visit.go(path)
    cookies = visit.web.cookies
    cookies.set(response, cookies.session, token, max_age=int(sessions.LONGEST.total_seconds()))
    cookies.set(response, cookies.language, language, max_age=31_536_000)
    return response


async def log_out(visit: Visit) -> Response:
    if visit.person:
        session, at = visit.person.session, visit.house.clock()
        await visit.house.write(lambda connection: sessions.end(connection, session, at))
    response = visit.go("/login")
    visit.web.cookies.drop(response, visit.web.cookies.session)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


async def choose_language(visit: Visit) -> Response:
    language = visit.form.get("language", "")
    response = visit.go(_local(visit.form.word("back")))
    if language in LANGUAGES:
        visit.web.cookies.set(response, visit.web.cookies.language, language, max_age=31_536_000)
        if visit.person:
            user_id = visit.person.user_id
            await visit.house.write(lambda connection: users.set_language(connection, user_id, language))
    return response


def _local(path: str) -> str:
    """`path` when it is one of ours: never another host."""
    good = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if good else "/"


def _client(visit: Visit) -> str:
    return visit.request.client.host if visit.request.client else ""


PAGES = (
    Page("GET", "/login", PUBLIC, show),
    Page("POST", "/login", PUBLIC, log_in),
    Page("POST", "/logout", PUBLIC, log_out),
    Page("POST", "/language", PUBLIC, choose_language),
)
