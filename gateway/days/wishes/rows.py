"""Expectations of what is kept: reports, alerts, the outbox, totals, the queue."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from gateway.days.cast import Member, plain
from gateway.days.lines import Node
from gateway.days.moments import read_moment, read_span
from gateway.days.record import Look, Row
from gateway.days.wishes.base import (
    AT_ONCE,
    BEFORE,
    Ground,
    View,
    read_category,
    read_date,
    read_place,
    read_ref,
    read_within,
    same,
)
from gateway.reports import COUNTS
from outbox.models import KINDS, STATES

Needs = Mapping[timedelta | str, tuple[str, ...]]

COUNT_WORDS = {
    "muerto": "dead", "muertos": "dead", "herido": "injured", "heridos": "injured", "detenido": "detained",
    "detenidos": "detained", "desaparecido": "missing", "desaparecidos": "missing", "familia": "families",
    "familias": "families", "persona": "people", "personas": "people", "mujer": "women", "mujeres": "women",
}  # fmt: skip
REPORT_KEYS = (
    "ref", "from", "exists", "form", "category", "place", "date", "state", "counts", "verification", "urgent",
    "registered", "received", "sent", "was", "fields", "within", "via",
)  # fmt: skip
ALERT_KEYS = ("ref", "state", "seen_by", "seen_after", "escalations", "told", "acknowledgements", "within", "exists")
TOTALS = (
    "texts", "reports", "duplicates", "spam", "drafts", "unregistered_drafts", "unregistered", "polls", "stops",
    "alerts", "lost", "doubled", "sms", "mails",
)  # fmt: skip
OTHER_TOTALS = {
    "duplicate": "duplicates", "poll_rows": "polls", "poll": "polls", "stop": "stops", "doubled_sends": "doubled",
    "double_sends": "doubled", "unregistered_draft": "unregistered_drafts",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowWish:
    """One row of a look and what its columns must be; `find` takes it out of the look."""

    line: int
    what: str
    find: Callable[[Look], Row | None]
    wants: Mapping[str, str]
    within: timedelta = AT_ONCE
    exists: bool = True

    @property
    def needs(self) -> Needs:
        return {self.within: ()}

    def failures(self, view: View) -> Iterator[str]:
        row = self.find(view.look(self.within))
        if row is None:
            if self.exists:
                yield f"there should be {self.what}, and there is none"
            return
        if not self.exists:
            yield f"there should be no {self.what}, and there is one"
            return
        for name, wanted in self.wants.items():
            if not same(wanted, row.get(name)):
                yield f"{self.what}: {name} should be {wanted!r}, and is {row.get(name)!r}"


def read_report(node: Node, ground: Ground) -> RowWish:
    """`report {ref, category, place, date, state, counts}`; `from` finds a report that has no number."""
    fields = node.fields(REPORT_KEYS, "report", {"heard": "received", "received_at": "received", "sender": "from"})
    ref = read_ref(fields["ref"]) if "ref" in fields else None
    member = ground.cast.one(fields["from"]) if "from" in fields else None
    if ref is None and member is None:
        raise node.wrong("a report needs its ref, or the one it is from")
    what = f"report R{ref}" if ref is not None else f"report of {member.name if member else ''}"
    wants = dict(_report_wants(fields, ground))
    if ref is not None and member is not None:
        wants["from"] = member.name
    exists = fields["exists"].flag("exists") if "exists" in fields else True
    return RowWish(
        node.line, what, lambda look: _report(look, ref, member), wants, read_within(fields, AT_ONCE), exists
    )


def _report(look: Look, ref: int | None, member: Member | None) -> Row | None:
    if ref is not None:
        return look.report(ref)
    own = [row for row in look.reports if member and row["address"] in member.addresses]
    return own[-1] if own else None


def _report_wants(fields: Mapping[str, Node], ground: Ground) -> Iterator[tuple[str, str]]:
    for name in ("form", "state", "verification", "urgent", "registered", "via"):
        if name in fields:
            yield name, fields[name].text(name)
    if "category" in fields:
        yield "category", read_category(fields["category"], ground.codebook)
    if "place" in fields:
        yield "place", read_place(fields["place"], ground.codebook)
    if "date" in fields:
        yield "date", str(read_date(fields["date"], ground.calendar))
    for name in ("received", "sent"):
        if name in fields:
            yield name, ground.calendar.shown(read_moment(fields[name], ground.calendar, name))
    for key, node in _counts(fields["counts"]) if "counts" in fields else ():
        name = COUNT_WORDS.get(plain(key), plain(key))
        if name not in COUNTS:
            raise node.wrong(f"counts has no {key!r}; it knows {', '.join(COUNTS)}")
        yield f"counts.{name}", str(node.number(name))
    for part in ("fields", "was"):
        for key, node in fields[part].mapping(part).items() if part in fields else ():
            name = plain(key)
            yield f"{part}.{COUNT_WORDS.get(name, name)}", node.text(key)


def _counts(node: Node) -> list[tuple[str, Node]]:
    """`{injured: 2}`, or in words: `2 heridos, 1 muerto`."""
    if isinstance(node.value, dict):
        return list(node.value.items())
    pairs = [part.split(None, 1) for text in node.words("counts") for part in text.split(",")]
    if any(len(pair) != 2 for pair in pairs):
        raise node.wrong("counts are written {injured: 2}, or 2 injured")
    return [(name, Node(node.line, number)) for number, name in pairs]


def read_alert(node: Node, ground: Ground) -> RowWish:
    """`alert {ref, state, seen_by, seen_after, escalations, told, acknowledgements}`."""
    fields = node.fields(ALERT_KEYS, "alert")
    if "ref" not in fields:
        raise node.wrong("an alert is found by the ref of its report")
    ref = read_ref(fields["ref"])
    plain_keys = ("state", "escalations", "acknowledgements")
    wants: dict[str, str] = {name: fields[name].text(name) for name in plain_keys if name in fields}
    if "seen_by" in fields:
        wants["seen_by"] = ground.cast.one(fields["seen_by"]).name
    if "seen_after" in fields:
        wants["seen_after"] = str(int(read_span(fields["seen_after"], "seen_after").total_seconds()))
    if "told" in fields:
        wants["told"] = ", ".join(sorted(member.name for member in ground.cast.find(fields["told"])))
    exists = fields["exists"].flag("exists") if "exists" in fields else True

    def find(look: Look) -> Row | None:
        return next((row for row in look.alerts if row["ref"] == ref), None)

    return RowWish(node.line, f"alert of R{ref}", find, wants, read_within(fields, AT_ONCE), exists)


def read_totals(node: Node, _ground: Ground) -> RowWish:
    """`totals {reports, duplicates, spam, ...}`, counted from the start of the day."""
    fields = node.fields((*TOTALS, "within"), "totals", OTHER_TOTALS)
    wants = {name: str(found.number(name)) for name, found in fields.items() if name != "within"}
    return RowWish(node.line, "totals", lambda look: look.totals, wants, read_within(fields, AT_ONCE))


@dataclass(frozen=True, slots=True)
class OutboxWish:
    """How many of today's messages are in each state; or that they are as before the step."""

    line: int
    states: Mapping[str, int]
    chosen: Mapping[str, str] = field(default_factory=dict)
    to: tuple[Member, ...] = ()
    within: timedelta = AT_ONCE
    as_before: bool = False

    @property
    def needs(self) -> Needs:
        return {self.within: (), BEFORE: ()} if self.as_before else {self.within: ()}

    def failures(self, view: View) -> Iterator[str]:
        found = self._counted(view.look(self.within))
        wanted = self._counted(view.look_before) if self.as_before else self.states
        names = sorted({*found, *wanted}) if self.as_before else wanted
        for state in names:
            if found.get(state, 0) != wanted.get(state, 0):
                yield f"the outbox should hold {wanted.get(state, 0)} {state}, and holds {found.get(state, 0)}"

    def _counted(self, look: Look) -> dict[str, int]:
        states = [row["state"] for row in look.outbox if self._means(row)]
        return {state: states.count(state) for state in STATES if state in states}

    def _means(self, row: Row) -> bool:
        if any(row[name] != value for name, value in self.chosen.items()):
            return False
        return not self.to or any(row["address"] in member.addresses for member in self.to)


def read_outbox(node: Node, ground: Ground) -> OutboxWish:
    """`outbox {state: n}`, of all or of a channel, kind or person; or `outbox: as before`."""
    if isinstance(node.value, str) and plain(node.value) in ("as before", "unchanged", "same"):
        return OutboxWish(node.line, {}, as_before=True)
    names = (*STATES, "channel", "kind", "by", "to", "within")
    fields = node.fields(names, "outbox", {"waiting": "queued"})
    chosen: dict[str, str] = {
        name: fields[name].text(name).strip() for name in ("channel", "kind", "by") if name in fields
    }
    if "kind" in chosen and chosen["kind"] not in KINDS:
        raise fields["kind"].wrong(f"kind must be one of {', '.join(KINDS)}")
    return OutboxWish(
        node.line, {name: fields[name].number(name) for name in STATES if name in fields}, chosen,
        ground.cast.find(fields["to"]) if "to" in fields else (), read_within(fields, AT_ONCE),
    )  # fmt: skip


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values under names joined by a point, as expectations name them."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = str(value) if type(value) is date else value
    return found
