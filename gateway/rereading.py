"""Reading stored texts again with the present words: what would change, and writing it as events.

Only texts that made a report by themselves are read again; a value that a person changed since stays as it is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select

from gateway import audit
from gateway.conversation import Known, Standing, Words, decide
from gateway.house import House
from gateway.reports import EVENT, PRIVATE_KINDS, REPORT, Event, ReportState, append_event, fold, load_events
from gateway.standing import CONTACT, MESSAGE, known_of
from parsers import Codebook, ReportReading

CHUNK = 100
NAMED = ("category", "place", "date", "urgent")
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What another reading of a report's text would change: field -> (now, then)."""

    report_id: UUID
    ref: int | None
    message_id: UUID
    revision: int
    changes: Mapping[str, tuple[Any, Any]]

    def shown(self) -> dict[str, Any]:
        """As one JSON object: codes and counts, no text."""
        changes = {name: {"now": now, "then": then} for name, (now, then) in self.changes.items()}
        return {"report": str(self.report_id), "ref": self.ref, "message": str(self.message_id), "changes": changes}


class Rereading:
    """Reads the texts heard since `since` again. Nothing is written but by `apply` and `finish`."""

    def __init__(self, house: House, since: datetime) -> None:
        self._house = house
        self._since = since
        self._codebook: Codebook = house.read_now(house.codebook)

    def changes(self) -> Iterator[Change]:
        """The differences, oldest text first, a few texts at a time."""
        after: UUID | None = None
        while True:
            rows, found = self._house.read_now(partial(self._some, after=after))
            yield from found
            if not rows:
                return
            after = rows[-1].id

    def apply(self, change: Change) -> None:
        """Write one difference as an event `reread`; what was changed meanwhile is left alone."""
        self._house.writer.write_now(partial(self._apply, change=change), timeout=None)

    def _apply(self, connection: Connection, change: Change) -> None:
        stands = _values(fold(load_events(connection, change.report_id, self._house.sealer)))
        data: Values = {"revision": change.revision}
        fields: Values = {}
        old: Values = {}
        for name, (now, then) in change.changes.items():
            if stands.get(name) == now:
                (data if name in NAMED else fields)[name] = then
                old[name] = now
        if old:
            data |= {"fields": fields, "old": old}
            event = Event("reread", self._house.clock(), "cli", data, message_id=change.message_id)
            append_event(connection, change.report_id, event, sealer=self._house.sealer)

    def finish(self, changed: int, *, applied: bool) -> None:
        """Note in the audit log that texts were opened, and what came of it."""
        data = {"reports": changed, "applied": applied, "revision": self._codebook.revision}
        at = self._house.clock()
        self._house.writer.write_now(
            lambda connection: audit.record(connection, at=at, actor="cli", action="reread", data=data), timeout=None
        )

    def _some(self, connection: Connection, after: UUID | None) -> tuple[list[Row[Any]], list[Change]]:
        rows = list(connection.execute(self._texts(after)))
        found = [change for row in rows for change in self._compare(connection, row)]
        return rows, found

    def _texts(self, after: UUID | None) -> Select[Any]:
        query = select(MESSAGE).where(
            MESSAGE.c.heard_at >= self._since, MESSAGE.c.state.in_(("read", "asked")),
            MESSAGE.c.reading_sealed.is_not(None), MESSAGE.c.part_ref.is_(None),
        )  # fmt: skip
        query = query.order_by(MESSAGE.c.id).limit(CHUNK)
        return query if after is None else query.where(MESSAGE.c.id > after)

    def _compare(self, connection: Connection, message: Row[Any]) -> Iterator[Change]:
        """Reports whose first event is of this text, against what the text says now."""
        first = (EVENT.c.message_id == message.id, EVENT.c.seq == 1)
        query = select(REPORT).join(EVENT, EVENT.c.report_id == REPORT.c.id).where(*first).order_by(EVENT.c.id)
        reports = list(connection.execute(query))
        if not reports:
            return
        readings = self._read(connection, message)
        if len(readings) != len(reports):
            return
        for report, reading in zip(reports, readings, strict=True):
            if reading.form == report.form and (changes := self._differences(connection, report, reading)):
                yield Change(report.id, report.ref, message.id, self._codebook.revision, changes)

    def _read(self, connection: Connection, message: Row[Any]) -> list[ReportReading]:
        sealer = self._house.sealer
        words = Words(
            sealer.open("message", "text", message.id, message.text_sealed), message.heard_at, message.sent_at,
            sealer.open_optional("message", "subject", message.id, message.subject_sealed),
        )  # fmt: skip
        standing = Standing(known=self._known(connection, message.contact_id), borrowed=_is_borrowed(message))
        reading = decide(words, standing, self._codebook, lambda folded: sealer.hash("fold", folded)).reading
        if reading is None or reading.outcome == "reject":
            return []
        return [one for one in reading.reports if self._codebook.forms[one.form].kind == "report"]

    def _known(self, connection: Connection, contact_id: UUID | None) -> Known | None:
        if contact_id is None:
            return None
        row = connection.execute(select(CONTACT).where(CONTACT.c.id == contact_id)).first()
        return known_of(row, self._house.sealer) if row else None

    def _differences(
        self, connection: Connection, report: Row[Any], reading: ReportReading
    ) -> dict[str, tuple[Any, Any]]:
        """Fields that read otherwise now; what later events changed is a person's word and stands."""
        events = load_events(connection, report.id, self._house.sealer)
        read_first, stands = _values(fold(events[:1])), _values(fold(events))
        read_now = _read_values(reading, self._codebook)
        return {
            name: (stands.get(name), read_now.get(name))
            for name in sorted({*read_first, *read_now})
            if read_now.get(name) != stands.get(name) and stands.get(name) == read_first.get(name)
        }


def _is_borrowed(message: Row[Any]) -> bool:
    return "borrowed" in (message.flags or "").split(",")


def _values(state: ReportState) -> Values:
    date = state.event_date.isoformat() if state.event_date else None
    values = {"category": state.category, "place": state.place, "date": date, "urgent": state.urgent, **state.fields}
    return {name: value for name, value in values.items() if value is not None}


def _read_values(reading: ReportReading, codebook: Codebook) -> Values:
    private = {spec.name for spec in codebook.forms[reading.form].fields if spec.kind in PRIVATE_KINDS}
    private |= {"note", "name", "locality"}
    values = {name: found.value for name, found in reading.values.items() if name not in private}
    return {name: value for name, value in {**values, "urgent": reading.urgent}.items() if value is not None}
