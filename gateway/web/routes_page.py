"""By which channels messages go, which stands in for which, and why one address goes the way it does."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import Response

from gateway import route_rules
from gateway.contacts import parse_address
from gateway.errors import NotFound, UsageError
from gateway.locale import N_
from gateway.routes import CHANNEL, rules
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

WRONG = N_("That cannot stand: {why}")
NO_ADDRESS = N_("That is neither a phone nor an e-mail address.")
ADDRESS_LENGTH = 254


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def change(visit: Visit) -> Response:
    """Add a rule, ask one first, or take one away."""
    act, name, form = visit.form.word("act"), visit.form.word("name", 60), visit.form
    at, actor = visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        if act == "first":
            route_rules.put_first(connection, name, at=at, actor=actor)
        elif act == "remove":
            route_rules.remove(connection, name, at=at, actor=actor)
        elif act == "add":
            channels, prefixes = (form.word(key, 2000).replace(",", " ").split() for key in ("channels", "prefixes"))
            route_rules.add(connection, name, channels, prefixes, at=at, actor=actor)
        else:
            raise UsageError("act")

    try:
        await visit.house.write(keep)
    except NotFound:
        raise
    except UsageError as error:
        return await _page(visit, visit.t(WRONG, why=str(error)))
    return visit.go("/routes")


async def explain(visit: Visit) -> Response:
    """Posted, so that no address stands in a URL."""
    try:
        address = parse_address(visit.form.word("address", ADDRESS_LENGTH))
    except UsageError:
        return await _page(visit, visit.t(NO_ADDRESS))
    return await _page(visit, address=address)


async def _page(visit: Visit, problem: str = "", address: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        rule, stops = route_rules.explain(connection, address) if address else (None, [])
        return {
            "found": rules(connection), "rule": rule, "stops": stops,
            "names": list(connection.scalars(select(CHANNEL.c.name).order_by(CHANNEL.c.created_at))),
            "labels": Labels(visit.house.codebook(connection), visit.t),
        }  # fmt: skip

    return visit.render(
        "routes.html", 400 if problem else 200, problem=problem, address=address, typed=visit.form,
        **await visit.house.read(load),
    )  # fmt: skip


PAGES = (
    Page("GET", "/routes", "channels", show),
    Page("POST", "/routes", "channels", change),
    Page("POST", "/routes/explain", "channels", explain),
)
