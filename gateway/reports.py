"""Events are the truth, the report row is their fold; nothing else writes a report."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from uuid_utils.compat import uuid7

from gateway.compact import to_json
from gateway.models import Report, ReportEvent
from gateway.sealing import Sealer
from parsers import Codebook, ReportReading

REPORT = Report.__table__  # type: ignore[attr-defined]
EVENT = ReportEvent.__table__  # type: ignore[attr-defined]

COUNTS = ("dead", "injured", "detained", "missing", "families", "people", "women")
COLUMNS = ("form", "category", "place", "urgent", "practice", "verification", "ref")
PRIVATE_KINDS = frozenset({"text", "name", "locality"})
REMARKING = ("noted", "verified", "closed", "reopened", "withdrawn")
STATE_AFTER = {
    "drafted": "draft", "accepted": "open", "completed": "open", "withdrawn": "withdrawn", "closed": "closed",
    "reopened": "open",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `data` are codes and counts, `private` are texts people wrote, by field name."""

    type: str
    at: datetime
    actor: str
    data: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[str, Any] = field(default_factory=dict)
    message_id: UUID | None = None


@dataclass(slots=True)
class ReportState:
    """What a report is after its events; the columns of the row that the fold writes."""

    form: str = ""
    ref: int | None = None
    category: str | None = None
    place: str | None = None
    event_date: date | None = None
    urgent: bool = False
    practice: bool = False
    state: str = "draft"
    verification: str = "unverified"
    fields: dict[str, Any] = field(default_factory=dict)
    private: dict[str, Any] = field(default_factory=dict)
    codebook_revision: int = 0
    last_seq: int = 0
    changed_at: datetime | None = None

    def apply(self, event: Event) -> None:
        data = event.data
        for column in COLUMNS:
            if column in data:
                setattr(self, column, data[column])
        if "date" in data:
            self.event_date = None if data["date"] is None else date.fromisoformat(data["date"])
        if "revision" in data:
            self.codebook_revision = data["revision"]
        self.fields = _merged(self.fields, data.get("fields", {}))
        self.private = _merged(self.private, _without_remark(self.private, event))
        self.state = STATE_AFTER.get(event.type, self.state)
        self.last_seq += 1
        self.changed_at = event.at

    @property
    def counts(self) -> dict[str, int]:
        return {name: self.fields[name] for name in COUNTS if self.fields.get(name) is not None}


def _merged(old: dict[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**old, **new}.items() if value is not None}


def _without_remark(before: Mapping[str, Any], event: Event) -> Mapping[str, Any]:
    """The private values of an event; what a coordinator noted joins the remarks, not the monitor's note."""
    note = event.private.get("note")
    if event.type not in REMARKING or note is None:
        return event.private
    others = {name: value for name, value in event.private.items() if name != "note"}
    return {**others, "remarks": [*before.get("remarks", []), note]}


def fold(events: Iterable[Event]) -> ReportState:
    """The report after all its events, in the order of their sequence numbers."""
    state = ReportState()
    for event in events:
        state.apply(event)
    return state


def reading_data(report: ReportReading, codebook: Codebook, *, practice: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """A reading as event data and private values: text fields go to the private side, codes and counts to the other."""
    form = codebook.forms[report.form]
    private_names = {spec.name for spec in form.fields if spec.kind in PRIVATE_KINDS} | {"note", "name", "locality"}
    data: dict[str, Any] = {
        "form": report.form, "urgent": report.urgent, "practice": practice, "revision": codebook.revision,
        "category": report.get("category"), "place": report.get("place"), "date": report.get("date"),
    }  # fmt: skip
    fields: dict[str, Any] = {}
    private: dict[str, Any] = {"text": report.text}
    for name, found in report.values.items():
        if name in private_names:
            private[name] = found.value
        elif name not in ("category", "place", "date"):
            fields[name] = found.value
    data["fields"] = fields
    data["how"] = {name: found.how for name, found in report.values.items() if found.how != "exact"}
    return data, private


def new_event_row(
    report_id: UUID, node_id: UUID, seq: int, event: Event, *, place: str | None, sealer: Sealer
) -> dict[str, Any]:
    event_id = uuid7()
    private = to_json(dict(event.private)) if event.private else None
    return {
        "id": event_id, "report_id": report_id, "node_id": node_id, "seq": seq, "type": event.type, "at": event.at,
        "actor": event.actor, "message_id": event.message_id, "place": place, "data": dict(event.data),
        "private_sealed": sealer.seal_optional("report_event", "private", event_id, private),
    }  # fmt: skip


def state_columns(report_id: UUID, state: ReportState, sealer: Sealer) -> dict[str, Any]:
    """The columns of the report row that come from the fold."""
    private = to_json(state.private) if state.private else None
    return {
        "ref": state.ref, "form": state.form, "category": state.category, "place": state.place,
        "event_date": state.event_date, "urgent": state.urgent, "practice": state.practice, "state": state.state,
        "verification": state.verification, "fields": state.fields, "codebook_revision": state.codebook_revision,
        "last_seq": state.last_seq, "changed_at": state.changed_at,
        "private_sealed": sealer.seal_optional("report", "private", report_id, private),
    }  # fmt: skip


def load_events(connection: Connection, report_id: UUID, sealer: Sealer) -> list[Event]:
    rows = connection.execute(select(EVENT).where(EVENT.c.report_id == report_id).order_by(EVENT.c.seq))
    return [open_event(row, sealer) for row in rows]


def open_event(row: Row[Any], sealer: Sealer) -> Event:
    private = sealer.open_optional("report_event", "private", row.id, row.private_sealed)
    return Event(row.type, row.at, row.actor, row.data, json.loads(private) if private else {}, row.message_id)


def open_private(row: Row[Any], sealer: Sealer) -> dict[str, Any]:
    """The texts of a report row: `text` and the form's text fields."""
    private = sealer.open_optional("report", "private", row.id, row.private_sealed)
    opened: dict[str, Any] = json.loads(private) if private else {}
    return opened


def append_event(connection: Connection, report_id: UUID, event: Event, *, sealer: Sealer) -> ReportState:
    """Add `event` to a stored report and write the new fold. The caller holds the writer or the sender's lock."""
    row = connection.execute(select(REPORT.c.node_id).where(REPORT.c.id == report_id).with_for_update()).one()
    state = fold(load_events(connection, report_id, sealer))
    state.apply(event)
    event_row = new_event_row(report_id, row.node_id, state.last_seq, event, place=state.place, sealer=sealer)
    connection.execute(insert(EVENT), [event_row])
    connection.execute(update(REPORT).where(REPORT.c.id == report_id).values(**state_columns(report_id, state, sealer)))
    return state


def find_own(
    connection: Connection, *, sender_hash: bytes, contact_id: UUID | None, ref: int | None
) -> Row[Any] | None:
    """The sender's report with that number, or the last one; another's is as if it did not exist."""
    owner = REPORT.c.sender_hash == sender_hash
    if contact_id is not None:
        owner = owner | (REPORT.c.contact_id == contact_id)
    query = select(REPORT).where(owner, REPORT.c.ref.is_not(None))
    if ref is not None:
        query = query.where(REPORT.c.ref == ref)
    return connection.execute(query.order_by(REPORT.c.ref.desc()).limit(1)).first()
