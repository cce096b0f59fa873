"""The tables of a mail as reports of that mail, read row by row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.conversation import Decision, Standing, Words, context_of
from parsers import Codebook, Reading, ReportReading, RowReading, read_rows


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
