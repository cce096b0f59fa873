"""Who did what: the audit log, newest first, and whether its chain holds."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import Response

from gateway.audit import AUDIT, first_broken
from gateway.web.labels import Labels
from gateway.web.paging import PAGE
from gateway.web.visit import Page, Visit

NUMBER_DIGITS = 15


async def show(visit: Visit) -> Response:
    return await _page(visit, check=False)


async def check(visit: Visit) -> Response:
    """Walk the whole chain; asked for by button, because it reads every entry."""
    return await _page(visit, check=True)


async def _page(visit: Visit, *, check: bool) -> Response:
    before = visit.query("before", NUMBER_DIGITS)

    def load(connection: Connection) -> dict[str, Any]:
        query = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(PAGE + 1)
        if before.isascii() and before.isdigit():
            query = query.where(AUDIT.c.number < int(before))
        rows = list(connection.execute(query))
        return {
            "rows": rows[:PAGE], "more": rows[PAGE - 1].number if len(rows) > PAGE else None,
            "labels": Labels(visit.house.codebook(connection), visit.t), "checked": check,
            "broken": first_broken(connection) if check else None,
        }  # fmt: skip

    return visit.render("audit.html", **await visit.house.read(load))


PAGES = (
    Page("GET", "/audit", "audit", show),
    Page("POST", "/audit", "audit", check),
)
