"""Reports that may tell of one event: those proposed, and the person's word on them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, false, or_, select
from starlette.responses import Response

from gateway.errors import NotFound
from gateway.reports import REPORT
from gateway.same_event import LINK
from gateway.settling import SETTLED, settle
from gateway.web.access import in_places
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

SHOWN = 100
COLUMNS: tuple[Any, ...] = (
    REPORT.c.id, REPORT.c.ref, REPORT.c.form, REPORT.c.category, REPORT.c.place, REPORT.c.event_date,
    REPORT.c.verification, REPORT.c.registered, REPORT.c.heard_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A link with the later report and the earlier one."""

    link: Row[Any]
    later: Row[Any]
    earlier: Row[Any]


async def show(visit: Visit) -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        newest = LINK.c.proposed_at.desc()
        query = _mine(visit).where(LINK.c.state == "proposed").order_by(newest, LINK.c.id.desc())
        labels = Labels(visit.house.codebook(connection), visit.t)
        return {"pairs": pairs(connection, connection.execute(query.limit(SHOWN)).all()), "labels": labels}

    return visit.render("same_event.html", **await visit.house.read(load))


async def settle_one(visit: Visit) -> Response:
    """Confirm or refuse; a proposal on a report of another's places is as if it did not exist."""
    state, at, back = visit.form.word("state"), visit.house.clock(), visit.form.word("back")

    def keep(connection: Connection) -> UUID:
        row = connection.execute(_mine(visit).where(LINK.c.id == _id(visit))).first()
        if row is None or state not in SETTLED:
            raise NotFound("proposal")
        settle(connection, row.id, state, sealer=visit.house.sealer, at=at, actor=visit.who.actor)
        key: UUID = row.report_id if back != str(row.other_id) else row.other_id
        return key

    report_id = await visit.house.write(keep)
    return visit.go(f"/reports/{report_id}" if back else "/same-event")


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NotFound("proposal") from None


def _mine(visit: Visit) -> Select[Any]:
    """Links of which this person may see the later report, and so the place of both."""
    bound = in_places(REPORT.c.place, visit.places)
    query = select(LINK).join(REPORT, REPORT.c.id == LINK.c.report_id)
    return query if bound is None else query.where(bound)


def links_of(connection: Connection, report_id: UUID) -> list[Pair]:
    """What was proposed or settled about one report, the newest first; refused ones are left out."""
    mine = or_(LINK.c.report_id == report_id, LINK.c.other_id == report_id)
    query = select(LINK).where(mine, LINK.c.state != "refused").order_by(LINK.c.proposed_at.desc(), LINK.c.id.desc())
    return pairs(connection, connection.execute(query.limit(SHOWN)).all())


def pairs(connection: Connection, links: Iterable[Row[Any]]) -> list[Pair]:
    found = list(links)
    ids = {key for link in found for key in (link.report_id, link.other_id)}
    query = select(*COLUMNS).where(REPORT.c.id.in_(ids) if ids else false())
    rows: list[Row[Any]] = list(connection.execute(query))
    reports = {row.id: row for row in rows}
    return [Pair(link, reports[link.report_id], reports[link.other_id]) for link in found]


PAGES = (
    Page("GET", "/same-event", "reports", show),
    Page("POST", "/same-event/{id}", "reports.change", settle_one),
)
