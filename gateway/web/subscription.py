"""One subscription: what it asks for, and what it would say if its period ended now."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import HTMLResponse, Response

from gateway import subscriptions
from gateway.digests.prepare import tools_of
from gateway.digests.preview import Preview, preview
from gateway.errors import NotFound
from gateway.web import people as shown_people
from gateway.web.mailbox import FRAME_POLICY, clean
from gateway.web.subscriptions import check_reached, choices_of, find_own, read_wish, shown_wish, tried
from gateway.web.visit import Page, Visit


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def change(visit: Visit) -> Response:
    """Let it ask for what the form says from now on."""
    house, typed, at, actor = visit.house, visit.form, visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        row = find_own(visit, connection)
        wish = read_wish(typed, house.codebook(connection), visit.places)
        check_reached(visit, connection, row.contact_id, wish)
        subscriptions.change(connection, row.id, wish, now=at, actor=actor)

    problem = await tried(visit, keep)
    if problem:
        return await _page(visit, problem)
    return visit.go(f"/subscriptions/{visit.request.path_params['id']}")


async def show_mail(visit: Visit) -> Response:
    """The HTML of the mail, cleaned, under a policy of its own, to be shown in a frame that can do nothing."""
    shown = await visit.house.read(lambda connection: _preview(visit, connection))
    if shown.mail.html is None:
        raise NotFound("html")
    response = HTMLResponse(clean(shown.mail.html))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _preview(visit: Visit, connection: Connection) -> Preview:
    key = find_own(visit, connection).id
    return preview(connection, key, visit.house.clock(), tools_of(visit.house, connection))


async def _page(visit: Visit, problem: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        row = find_own(visit, connection)
        names = shown_people.names(connection, [row.contact_id], visit.house.sealer)
        return {
            "row": row, "name": names.get(row.contact_id, ""), "shown": _preview(visit, connection),
            "wish": shown_wish(subscriptions.wish_of(row)), **choices_of(visit, connection),
        }  # fmt: skip

    return visit.render(
        "subscription.html", 400 if problem else 200, problem=visit.t(problem) if problem else "",
        **await visit.house.read(load),
    )  # fmt: skip


PAGES = (
    Page("GET", "/subscriptions/{id}", "subscriptions", show),
    Page("POST", "/subscriptions/{id}/wish", "subscriptions", change),
    Page("GET", "/subscriptions/{id}/mail", "subscriptions", show_mail),
)
