"""The answer to a mail with tables: a line for each row."""

from collections.abc import Mapping, Sequence

from gateway.replies import Replies
from gateway.reports import ReportState
from gateway.sheet_rows import TableRows
from parsers import RowReading

LINES = 60


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
