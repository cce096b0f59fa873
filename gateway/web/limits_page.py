"""Numbers and hours that may be changed while the gateway runs."""

from sqlalchemy import Connection
from starlette.responses import Response

from gateway import limits
from gateway.errors import NotFound, UsageError
from gateway.locale import N_
from gateway.web.visit import Page, Visit

WRONG = N_("That value cannot stand.")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def change(visit: Visit) -> Response:
    """One limit gets another value; an empty one gives it its default."""
    name, typed = visit.request.path_params["name"], visit.form.word("value")
    at, actor = visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        if typed.strip():
            limits.change(connection, name, typed, at=at, actor=actor)
        else:
            limits.reset(connection, name, at=at, actor=actor)

    try:
        await visit.house.write(keep)
    except NotFound:
        raise
    except UsageError:
        return await _page(visit, visit.t(WRONG))
    return visit.go("/limits")


async def _page(visit: Visit, problem: str = "") -> Response:
    found = await visit.house.read(limits.load)
    return visit.render("limits.html", 400 if problem else 200, problem=problem, known=limits.LIMITS, found=found)


PAGES = (
    Page("GET", "/limits", "limits", show),
    Page("POST", "/limits/{name}", "limits", change),
)
