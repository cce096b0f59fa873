"""Alerts: those nobody has seen first; one with all that happened, and what a coordinator may do about it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, case, or_, select
from starlette.responses import Response

from gateway import casework
from gateway.alerts import ALERT, was_sent_to
from gateway.alerts.timeline import Moment, story
from gateway.errors import NotFound, UsageError
from gateway.reports import REPORT, Event
from gateway.web import people
from gateway.web.access import in_places
from gateway.web.alerting import actors_of, settle
from gateway.web.labels import Labels
from gateway.web.report import NOTE_AT_MOST, REF_DIGITS
from gateway.web.visit import Page, Visit

SHOWN = 100
STATES = ("open", "seen", "handled", "closed")
# Buttons in the order of the page, and in which states of the alert each is there.
BUTTONS = {"seen": ("open",), "handled": ("open", "seen"), "closed": ("open", "seen", "handled")}
COLUMNS = (
    REPORT.c.id, REPORT.c.ref, REPORT.c.form, REPORT.c.category, REPORT.c.place, REPORT.c.heard_at,
    REPORT.c.registered, REPORT.c.contact_id, REPORT.c.state.label("report_state"),
    ALERT.c.id.label("alert_id"), ALERT.c.state, ALERT.c.opened_at, ALERT.c.seen_at, ALERT.c.seen_by,
    ALERT.c.reports, ALERT.c.step, ALERT.c.held_back, ALERT.c.ended_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """What the page of an alert shows; `actors` are names by what stands in the moments."""

    row: Row[Any]
    story: list[Moment]
    actors: dict[str, str]
    labels: Labels


async def show(visit: Visit) -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        rank = case({state: number for number, state in enumerate(STATES)}, value=ALERT.c.state)
        newest = _mine(visit).order_by(rank, ALERT.c.opened_at.desc(), REPORT.c.id.desc()).limit(SHOWN)
        rows = list(connection.execute(newest))
        seen_by = people.names(connection, [row.seen_by for row in rows], visit.house.sealer)
        return {"rows": rows, "seen_by": seen_by, "labels": Labels(visit.house.codebook(connection), visit.t)}

    return visit.render("alerts.html", buttons=BUTTONS, **await visit.house.read(load))


async def show_one(visit: Visit) -> Response:
    def load(connection: Connection) -> Opened:
        row = _find(connection, visit)
        report = connection.execute(select(REPORT).where(REPORT.c.id == row.id)).one()
        moments = story(connection, report, visit.house.sealer)
        labels = Labels(visit.house.codebook(connection), visit.t)
        return Opened(row, moments, actors_of(connection, moments, visit), labels)

    opened = await visit.house.read(load)
    return visit.render("alert.html", opened=opened, labels=opened.labels, row=opened.row, buttons=BUTTONS)


async def act(visit: Visit) -> Response:
    """Seen, handled, closed (the report with it), or a note."""
    word, note = visit.form.word("act"), visit.form.get("note", "").strip()[:NOTE_AT_MOST]
    if word not in (*BUTTONS, "note") or (word == "note" and not note):
        raise UsageError("nothing to do")

    def keep(connection: Connection) -> int | UUID:
        row = _find(connection, visit)
        if word in BUTTONS:
            settle(connection, visit, row.id, word)
        if word == "closed" and row.report_state in casework.ALLOWED["closed"]:
            _record(connection, visit, row.id, "closed", {})
        if note and row.report_state in casework.ALLOWED["noted"]:
            _record(connection, visit, row.id, "noted", {"note": note})
        found: int | UUID = row.ref or row.id
        return found

    return visit.go(f"/alerts/{await visit.house.write(keep)}")


def _record(connection: Connection, visit: Visit, report_id: UUID, kind: str, private: dict[str, Any]) -> None:
    event = Event(kind, visit.house.clock(), visit.who.actor, {}, private)
    casework.act(connection, report_id, event, sealer=visit.house.sealer)


def _mine(visit: Visit) -> Any:
    """Alerts of the own places, and those that were sent to this person."""
    query = select(*COLUMNS).join(ALERT, ALERT.c.report_id == REPORT.c.id)
    bound = in_places(REPORT.c.place, visit.places)
    if bound is None:
        return query
    sent: list[ColumnElement[bool]] = [was_sent_to(visit.who.contact_id)] if visit.who.contact_id else []
    return query.where(or_(bound, *sent))


def _find(connection: Connection, visit: Visit) -> Row[Any]:
    """The alert of the report that the address names by number or id. Raises NotFound."""
    wanted = visit.request.path_params["id"]
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= REF_DIGITS:
        which = (REPORT.c.node_id == visit.house.node_id, REPORT.c.ref == int(wanted))
    else:
        try:
            which = (REPORT.c.id == UUID(wanted), REPORT.c.node_id == visit.house.node_id)
        except ValueError:
            raise NotFound("alert") from None
    row: Row[Any] | None = connection.execute(_mine(visit).where(*which)).first()
    if row is None:
        raise NotFound("alert")
    return row


PAGES = (
    Page("GET", "/alerts", "alerts", show),
    Page("GET", "/alerts/{id}", "alerts", show_one),
    Page("POST", "/alerts/{id}", "alerts.change", act),
)
