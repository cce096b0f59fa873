"""One report: its values, everything that happened to it, what was told, and what a person may do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import casework
from gateway.alerts import ALERT
from gateway.alerts.rows import of_report
from gateway.alerts.timeline import Moment, story
from gateway.errors import NotFound, UsageError
from gateway.form_values import BadValues, read_values
from gateway.models.report import VERIFICATIONS
from gateway.reports import REPORT, Event, open_private
from gateway.same_event import count_sources
from gateway.web.access import in_places
from gateway.web.alerting import actors_of, settle, tell_correction
from gateway.web.answers import Sent, told_of
from gateway.web.fields import Inputs, problem_words
from gateway.web.labels import Labels
from gateway.web.same_event import Pair, links_of
from gateway.web.visit import Page, Visit
from parsers import FieldSpec

NOTE_AT_MOST = 1000
REF_DIGITS = 9
# Buttons of the page and the event each makes.
ACTS = {"close": "closed", "reopen": "reopened", "withdraw": "withdrawn", "verify": "verified", "note": "noted"}


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything the page of a report shows; `actors` are names by what stands in the moments of its story."""

    row: Row[Any]
    values: list[tuple[str, Any]]
    text: str
    story: list[Moment]
    actors: dict[str, str]
    alert: Row[Any] | None
    told: list[Sent]
    labels: Labels
    pairs: list[Pair]
    sources: int


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def act(visit: Visit) -> Response:
    """Close, open again, withdraw, verify or note: an event and an audit entry."""
    house, who, at, form = visit.house, visit.who, visit.house.clock(), visit.form
    data, private = _content(form.word("act"), form)
    kind = ACTS[form.word("act")]

    def keep(connection: Connection) -> UUID:
        row = find(connection, visit)
        if kind in casework.ENDING and row.state in casework.ALLOWED[kind]:
            settle(connection, visit, row.id, "closed")
        casework.act(connection, row.id, Event(kind, at, who.actor, data, private), sealer=house.sealer)
        key: UUID = row.id
        return key

    return visit.go(f"/reports/{await house.write(keep)}")


def _content(name: str, form: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    note = form.get("note", "").strip()[:NOTE_AT_MOST]
    if name not in ACTS or (name == "note" and not note):
        raise UsageError("nothing to do")
    data: dict[str, Any] = {}
    if name == "verify":
        if form.get("verification") not in VERIFICATIONS:
            raise UsageError("verification")
        data["verification"] = form["verification"]
    return data, {"note": note} if note else {}


async def correct(visit: Visit) -> Response:
    house, who, at, typed = visit.house, visit.who, visit.house.clock(), visit.form

    def keep(connection: Connection) -> UUID:
        row = find(connection, visit)
        codebook = house.codebook(connection)
        form = codebook.forms[row.form]
        values = read_values(form, typed, codebook, at)
        emptied = {spec.name: None for spec in form.fields if spec.name in typed and not typed[spec.name].strip()}
        before = row.last_seq
        state = casework.correct(
            connection, row.id, {**emptied, **values}, codebook, at=at, actor=who.actor, sealer=house.sealer
        )
        if state.last_seq != before:
            tell_correction(connection, visit, row.id, state)
        key: UUID = row.id
        return key

    try:
        return visit.go(f"/reports/{await house.write(keep)}")
    except BadValues as error:
        return await _page(visit, typed=typed, problems=error.problems)


async def see_alert(visit: Visit) -> Response:
    """VISTO, by button: the alert is seen, or handled."""
    state = visit.form.word("state")
    if state not in ("seen", "handled"):
        raise UsageError("alert state")

    def keep(connection: Connection) -> UUID:
        row = find(connection, visit)
        settle(connection, visit, row.id, state)
        key: UUID = row.id
        return key

    return visit.go(f"/reports/{await visit.house.write(keep)}")


async def _page(
    visit: Visit, *, typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> Response:
    opened = await visit.house.read(lambda connection: load(connection, visit))
    codebook, row = opened.labels.codebook, opened.row
    inputs = Inputs(codebook, opened.labels)
    form = codebook.forms[row.form]
    current = dict(opened.values)
    stored = {spec.name: inputs.shown(spec, current.get(spec.name)) for spec in form.fields}
    able = [name for name, event in ACTS.items() if row.state in casework.ALLOWED[event]]
    return visit.render(
        "report.html", 400 if problems else 200, opened=opened, labels=opened.labels, inputs=inputs, form=form,
        typed=typed or stored, problems=problem_words(problems or {}, visit.t), able=able,
        verifications=VERIFICATIONS, can_correct=row.state in casework.ALLOWED["corrected"],
    )  # fmt: skip


def find(connection: Connection, visit: Visit) -> Row[Any]:
    """The report of the address, by its number or its id, when this person may see it. Raises NotFound."""
    wanted = visit.request.path_params["id"]
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= REF_DIGITS:
        query = select(REPORT).where(REPORT.c.node_id == visit.house.node_id, REPORT.c.ref == int(wanted))
    else:
        try:
            query = select(REPORT).where(REPORT.c.id == UUID(wanted))
        except ValueError:
            raise NotFound("report") from None
    bound = in_places(REPORT.c.place, visit.places)
    row = connection.execute(query if bound is None else query.where(bound)).first()
    if row is None:
        raise NotFound("report")
    return row


def load(connection: Connection, visit: Visit) -> Opened:
    sealer, row = visit.house.sealer, find(connection, visit)
    codebook = visit.house.codebook(connection)
    private = open_private(row, sealer)
    values = [(spec.name, _value(spec, row, private)) for spec in codebook.forms[row.form].fields]
    moments = story(connection, row, sealer)
    alert = connection.execute(select(ALERT).where(of_report(row.id))).first()
    return Opened(
        row, [(name, value) for name, value in values if value is not None], str(private.get("text", "")), moments,
        actors_of(connection, moments, visit), alert, told_of(connection, row.id, row.message_id, sealer),
        Labels(codebook, visit.t), links_of(connection, row.id), count_sources(connection, row.id),
    )  # fmt: skip


def _value(spec: FieldSpec, row: Row[Any], private: Mapping[str, Any]) -> Any:
    if spec.name == "date":
        return row.event_date.isoformat() if row.event_date else None
    if spec.name in ("category", "place"):
        return getattr(row, spec.name)
    return row.fields.get(spec.name, private.get(spec.name))


PAGES = (
    Page("GET", "/reports/{id}", "reports", show),
    Page("POST", "/reports/{id}/act", "reports.change", act),
    Page("POST", "/reports/{id}/correct", "reports.change", correct),
    Page("POST", "/reports/{id}/alert", "reports.change", see_alert),
)
