"""What a person does to a report on its page: each act is an event, an audit entry and, where it ends it, the alert."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from gateway import audit
from gateway.alerts import mark
from gateway.errors import Conflict, NotFound
from gateway.form_values import missing
from gateway.keeping import QUESTION, take_numbers
from gateway.reports import PRIVATE_KINDS, REPORT, Event, ReportState, append_event, fold, load_events
from gateway.sealing import Sealer
from parsers import Codebook
from parsers.results import Value

# From which states each event may follow.
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "closed": ("draft", "open"),
    "reopened": ("closed", "withdrawn"),
    "withdrawn": ("draft", "open", "closed"),
    "verified": ("open", "closed"),
    "corrected": ("draft", "open"),
    "completed": ("draft",),
    "noted": ("draft", "open", "closed", "withdrawn"),
}
ENDING = ("closed", "withdrawn")
OPEN_FIELDS = ("category", "place", "date")


def act(connection: Connection, report_id: UUID, event: Event, *, sealer: Sealer) -> ReportState:
    """Add an event that a person made. Raises NotFound, and Conflict when the report's state does not allow it."""
    row = _locked(connection, report_id)
    if row.state not in ALLOWED[event.type]:
        raise Conflict(f"A report that is {row.state} cannot be {event.type}.")
    state = append_event(connection, report_id, event, sealer=sealer)
    if event.type in ENDING:
        mark(connection, report_id, "closed", by=None, now=event.at)
    if event.type in (*ENDING, "completed"):
        _leave_question(connection, report_id, event.at)
    audit.record(
        connection, at=event.at, actor=event.actor, action=f"report.{event.type}", target=str(report_id),
        data={"fields": sorted(_touched(event))} if event.type == "corrected" else {},
    )  # fmt: skip
    return state


def correct(
    connection: Connection, report_id: UUID, values: Mapping[str, Value], codebook: Codebook, *, at: datetime,
    actor: str, sealer: Sealer,
) -> ReportState:  # fmt: skip
    """Give fields new values (None takes a value away); a draft that now lacks nothing is completed and numbered.

    Values that stand already make no event. Raises NotFound and Conflict.
    """
    row = _locked(connection, report_id)
    state = fold(load_events(connection, report_id, sealer))
    data, private = _changes(state, values, codebook)
    if not data and not private:
        return state
    form = codebook.forms[state.form]
    known = {**state.fields, **state.private, "category": state.category, "place": state.place, **values}
    done = row.state == "draft" and not missing(form, known)
    if done and row.ref is None and not row.practice:
        data["ref"] = next(take_numbers(connection, 1))
    return act(
        connection, report_id, Event("completed" if done else "corrected", at, actor, data, private), sealer=sealer
    )


def _changes(
    state: ReportState, values: Mapping[str, Value], codebook: Codebook
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Event data (with the old values) and private values of what differs from the report as it stands."""
    private_names = {spec.name for spec in codebook.forms[state.form].fields if spec.kind in PRIVATE_KINDS}
    data: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    old: dict[str, Any] = {}
    private: dict[str, Any] = {}
    for name, value in values.items():
        if name in private_names:
            if value != state.private.get(name):
                private[name] = value
        elif name in OPEN_FIELDS:
            before = str(state.event_date) if name == "date" and state.event_date else getattr(state, name, None)
            if value != before:
                data[name], old[name] = value, before
        elif value != state.fields.get(name):
            fields[name], old[name] = value, state.fields.get(name)
    if fields:
        data["fields"] = fields
    if old:
        data["old"] = old
    return data, private


def _touched(event: Event) -> set[str]:
    return {name for name in OPEN_FIELDS if name in event.data} | set(event.data.get("fields", {})) | set(event.private)


def _locked(connection: Connection, report_id: UUID) -> Row[Any]:
    row = connection.execute(select(REPORT).where(REPORT.c.id == report_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such report.")
    return row


def _leave_question(connection: Connection, report_id: UUID, at: datetime) -> None:
    """The sender's next text is no answer any more to a question about a report that is done with."""
    waiting = (QUESTION.c.report_id == report_id, QUESTION.c.state == "open")
    connection.execute(update(QUESTION).where(*waiting).values(state="left", ended_at=at))
