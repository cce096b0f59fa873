"""What every page goes through: who is it, may they, is the form ours; and errors told in words."""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway import sessions
from gateway.errors import Busy, Conflict, NotFound, Refused, UsageError, VoceroError
from gateway.locale import LANGUAGES, N_, Translator, best_language, translator
from gateway.sessions import Person
from gateway.web.access import PUBLIC, may
from gateway.web.transport import Form, is_token, read_form
from gateway.web.visit import Page, Visit, Web

# What a person is told; the error's own words are for operators and in English.
ERRORS: dict[type[VoceroError], tuple[int, str]] = {
    NotFound: (404, N_("There is no such thing here, or it is not yours to see.")),
    Conflict: (409, N_("Somebody changed this meanwhile. Look again before you try once more.")),
    UsageError: (400, N_("This could not be done with what was given.")),
    Refused: (403, N_("You may not do this.")),
    Busy: (503, N_("The gateway is busy. Try again in a moment.")),
}


class StaleForm(Refused):
    """The form does not carry the token of this session."""


class PlainHttp(Refused):
    """Passwords would travel in clear."""


ERRORS_IN_PAGES: dict[type[VoceroError], str] = {
    StaleForm: N_("This page was open for too long. Go back, load it again and repeat what you did."),
    PlainHttp: N_(
        "Pages open over plain http only on the gateway's own machine. Use its https address, or let an operator set "
        "VOCERO_ALLOW_HTTP=1 for the office network."
    ),
}


def endpoint(page: Page, web: Web) -> Callable[[Request], Awaitable[Response]]:
    """The ASGI endpoint of a page."""

    async def answer(request: Request) -> Response:
        person = await _person(request, web)
        nonce = request.cookies.get(web.cookies.form, "") or secrets.token_urlsafe(16)
        visit = Visit(request, web, _language(request, web, person), person, _secret(web, person, nonce))
        try:
            response = await _answer(page, visit)
        except VoceroError as error:
            response = error_page(visit, error)
        if person is None and request.cookies.get(web.cookies.form) != nonce:
            web.cookies.set(response, web.cookies.form, nonce)
        if person is not None and person.stale and not page.quiet:
            at = web.house.clock()
            web.house.writer.submit(lambda connection: sessions.touch(connection, person.session, at))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


async def _answer(page: Page, visit: Visit) -> Response:
    if not page.by_link:
        _check_wire(visit)
    if page.need != PUBLIC:
        if visit.person is None:
            return _to_login(visit)
        if not may(visit.person.role, page.need):
            raise Refused(page.need)
    if page.method == "POST" and not page.by_link:
        visit.form = await read_form(visit.request)
        _check_token(visit.form, visit)
    return await page.handler(visit)


def _check_wire(visit: Visit) -> None:
    try:
        visit.web.cookies.check_wire(visit.request)
    except Refused as error:
        raise PlainHttp("plain http") from error


def _check_token(form: Form, visit: Visit) -> None:
    site = visit.request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or not is_token(form.get("csrf", ""), visit.secret):
        raise StaleForm("token")


async def _person(request: Request, web: Web) -> Person | None:
    token = request.cookies.get(web.cookies.session)
    if not token:
        return None
    at = web.house.clock()
    return await web.house.read(lambda connection: sessions.find(connection, token, at))


def _secret(web: Web, person: Person | None, nonce: str) -> str:
    return person.csrf if person else web.house.sealer.hash("form", nonce).hex()


def _language(request: Request, web: Web, person: Person | None) -> Translator:
    if person:
        return translator(person.language)
    chosen = request.cookies.get(web.cookies.language, "")
    return translator(chosen if chosen in LANGUAGES else best_language(request.headers.get("accept-language", "")))


def _to_login(visit: Visit) -> Response:
    path = visit.request.url.path if visit.request.method == "GET" else "/"
    target = "/login" if path == "/" or visit.is_htmx else f"/login?{urlencode({'next': path})}"
    if visit.is_htmx:
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, 303)


async def missing(_visit: Visit) -> Response:
    """No address of ours."""
    raise NotFound("page")


def error_page(visit: Visit, error: VoceroError) -> Response:
    """An error in the person's words, with its HTTP status."""
    fallback = (500, N_("Something went wrong. Nothing was changed."))
    status, words = next((found for kind, found in ERRORS.items() if isinstance(error, kind)), fallback)
    words = ERRORS_IN_PAGES.get(type(error), words)
    # htmx puts errors into the open page too, where a whole page has no room.
    response = visit.render("error_part.html" if visit.is_htmx else "error.html", status, words=visit.t(words))
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(error.retry_after)
    return response
