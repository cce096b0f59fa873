"""The tables of a mail as reports of that mail: read row by row, answered line by line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.conversation import Decision, Standing, Words, context_of
from gateway.replies import Replies
from gateway.reports import ReportState
from parsers import Codebook, Reading, ReportReading, RowReading, read_rows

LINES = 60


@dataclass(frozen=True, slots=True)
class TableRows:
    """One table as read; `problem` says why rows are absent: `heading`, `unreadable`, `too_large`, `rows` (not all)."""

    name: str
    rows: tuple[RowReading, ...] = ()
    problem: str = ""

    @property
    def reports(self) -> list[ReportReading]:
        return [row.report for row in self.rows if row.report is not None]


def read_tables(words: Words, decision: Decision | None, standing: Standing, codebook: Codebook) -> list[TableRows]:
    """What the rows of each table say; nothing for a repeat or a mail that nobody wrote."""
    if decision is None or decision.outcome in ("duplicate", "hold") or words.auto:
        return []
    context = context_of(words, standing)
    found = []
    for table in words.tables:
        rows = read_rows(table.rows, codebook, context)
        problem = table.problem or ("" if rows is not None else "heading")
        found.append(TableRows(table.name, tuple(rows or ()), problem))
    return found


def without_cover(decision: Decision | None) -> Decision:
    """The words around a table are a cover letter ("adjunto los robos de ayer"), unless they open with a keyword."""
    assert decision is not None
    reading = decision.reading
    if reading is None:
        return decision
    opened = any(step.step == "form" and step.note == "keyword" for step in reading.trace)
    if opened and reading.outcome == "accept" and not reading.answers_pending:
        return decision
    quiet = Reading("reject", reason="thanks", language=reading.language, practice=reading.practice)
    return replace(decision, outcome="reject", reading=quiet)


def with_rows(decision: Decision | None, tables: Sequence[TableRows]) -> Decision:
    """The decision with the tables' reports after the text's own."""
    assert decision is not None
    assert decision.reading is not None
    own = decision.reading.reports if decision.outcome == "accept" else ()
    added = tuple(report for table in tables for report in table.reports)
    reading = decision.reading._replace(outcome="accept", reason=None, ask=None, reports=(*own, *added))
    return replace(decision, outcome="accept", reading=reading)


def table_answer(
    tables: Sequence[TableRows], states: Mapping[int, ReportState], first: int, replies: Replies, *, discreet: bool
) -> str:
    """A line for each row, by the line in its file; `states` are the reports kept, by their place in the reading."""
    index = first
    lines: list[str] = []
    for table in tables:
        if len(tables) > 1:
            lines.append(table.name)
        for row in table.rows:
            state = states.get(index) if row.report is not None else None
            lines.append(_line(row, state, replies, discreet=discreet))
            index += row.report is not None
        if table.problem:
            lines.append(replies.text(f"table_{table.problem}"))
    shown = lines[:LINES]
    if len(lines) > LINES:
        shown.append(replies.text("table_more", n=len(lines) - LINES))
    return "\n".join(shown)


def _line(row: RowReading, state: ReportState | None, replies: Replies, *, discreet: bool) -> str:
    if state is None:
        return replies.text("row_nothing", n=row.line)
    if row.lacks:
        problem = _problem(row, row.lacks[0], replies)
        return replies.text("row_draft", n=row.line, problem=problem)
    if state.practice:
        return replies.text(
            "row_practice", n=row.line, category=_what(state, replies), place=replies.place(state.place)
        )
    if discreet:
        return replies.text("row_discreet", n=row.line, ref=state.ref)
    line = replies.text(
        "row_kept", n=row.line, ref=state.ref, category=_what(state, replies), place=replies.place(state.place)
    )  # fmt: skip
    return line + "".join(f" ({_problem(row, name, replies)})" for name in row.bad[:2])


def _problem(row: RowReading, name: str, replies: Replies) -> str:
    word = "row_unknown" if name in row.bad else "row_missing"
    return replies.text(word, field=replies.field_name(name))


def _what(state: ReportState, replies: Replies) -> str:
    form = replies.codebook.forms[state.form]
    return replies.category(state.category) if form.field("category") else form.title
