"""One text: what it says, how it was read, what became of it, what was answered; and reading it by hand."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import by_hand
from gateway.errors import NotFound
from gateway.form_values import BadValues, as_reading, read_values
from gateway.keeping import ATTACHMENT, MESSAGE
from gateway.plan import is_stored
from gateway.reports import REPORT
from gateway.sealing import Sealer
from gateway.web import people
from gateway.web.answers import Sent, answers_to
from gateway.web.fields import Inputs, problem_words
from gateway.web.labels import Labels
from gateway.web.messages import shown_text
from gateway.web.spans import Found, Piece, pieces, values_of
from gateway.web.visit import Page, Visit
from parsers import Codebook


@dataclass(frozen=True, slots=True)
class Read:
    """The stored reading of a message: what was understood and each step of how."""

    outcome: str
    ask: str | None
    reason: str | None
    reports: list[tuple[str, bool, list[Found]]]
    trace: list[list[Any]]
    problems: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything the page of a message shows."""

    row: Row[Any]
    who: str
    text: list[Piece]
    reading: Read | None
    reports: list[Row[Any]]
    answers: list[Sent]
    labels: Labels
    settles: bool
    files: list[tuple[str, Row[Any]]]


async def show(visit: Visit) -> Response:
    return await _page(visit, form=visit.query("form"))


async def read_by_hand(visit: Visit) -> Response:
    """The values picked on the page become a report, as if the text had said them."""
    house, who, at, typed = visit.house, visit.who, visit.house.clock(), visit.form
    message_id, name = _id(visit), visit.form.word("form")

    def keep(connection: Connection) -> UUID:
        row = find(connection, visit, message_id)
        codebook = house.codebook(connection)
        if name not in by_hand_forms(codebook):
            raise NotFound("form")
        form = codebook.forms[name]
        values = read_values(form, typed, codebook, at)
        report = as_reading(form, values, urgent="urgent" in typed or name == "urgent", text=shown_text(row, visit))
        return by_hand.make_report(connection, house, message_id, report, at=at, actor=who.actor)

    try:
        report_id = await house.write(keep)
    except BadValues as error:
        return await _page(visit, form=name, typed=typed, problems=error.problems)
    return visit.go(f"/reports/{report_id}")


async def mark_spam(visit: Visit) -> Response:
    message_id, at, actor = _id(visit), visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        find(connection, visit, message_id)
        by_hand.mark_spam(connection, message_id, at=at, actor=actor)

    await visit.house.write(keep)
    return visit.go("/messages")


async def _page(
    visit: Visit, *, form: str, typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> Response:
    opened = await visit.house.read(lambda connection: load(connection, visit, _id(visit)))
    codebook = opened.labels.codebook
    forms = by_hand_forms(codebook)
    chosen = codebook.forms[form if form in forms else forms[0]]
    inputs = Inputs(codebook, opened.labels)
    return visit.render(
        "message.html", 400 if problems else 200, opened=opened, labels=opened.labels, forms=forms, chosen=chosen,
        inputs=inputs, typed=typed or {}, problems=problem_words(problems or {}, visit.t),
    )  # fmt: skip


def by_hand_forms(codebook: Codebook) -> list[str]:
    """Forms a text can be given by hand; a poll is never filled in for somebody."""
    return [name for name in codebook.forms if is_stored(name, codebook)]


def find(connection: Connection, visit: Visit, message_id: UUID) -> Row[Any]:
    """The message, when this person may see it. Raises NotFound."""
    query, bound = select(MESSAGE).where(MESSAGE.c.id == message_id), people.seen_by(visit.places)
    row = connection.execute(query if bound is None else query.where(bound)).first()
    if row is None:
        raise NotFound("message")
    return row


def load(connection: Connection, visit: Visit, message_id: UUID) -> Opened:
    sealer = visit.house.sealer
    row = find(connection, visit, message_id)
    known = people.names(connection, [row.contact_id], sealer)
    reports = list(connection.execute(select(REPORT).where(REPORT.c.message_id == row.id).order_by(REPORT.c.ref)))
    reading = _reading(row, visit)
    found = [value for report in reading.reports for value in report[2]] if reading else []
    text = shown_text(row, visit)
    subject = 0 if row.subject_sealed is None or row.form == "poll" else text.find("\n") + 1
    return Opened(
        row, people.who(row, known, sealer), _marked(text, subject, found), reading, reports,
        answers_to(connection, row.id, sealer), Labels(visit.house.codebook(connection), visit.t),
        row.state in by_hand.UNSETTLED and not reports and row.form != "poll", _files(connection, row.id, sealer),
    )  # fmt: skip


def _files(connection: Connection, message_id: UUID, sealer: Sealer) -> list[tuple[str, Row[Any]]]:
    """What came with a mail: its name, opened, and its row."""
    query = select(ATTACHMENT).where(ATTACHMENT.c.message_id == message_id).order_by(ATTACHMENT.c.id)
    return [(sealer.open("attachment", "name", row.id, row.name_sealed), row) for row in connection.execute(query)]


def _marked(text: str, subject: int, found: list[Found]) -> list[Piece]:
    head = [Piece(text[:subject])] if subject else []
    return head + pieces(text[subject:], found)


def _reading(row: Row[Any], visit: Visit) -> Read | None:
    kept = visit.house.sealer.open_optional("message", "reading", row.id, row.reading_sealed)
    if kept is None or row.form == "poll":
        return None
    document = json.loads(kept)
    reports = [(report["form"], report["urgent"], values_of(report)) for report in document["reports"]]
    trace, problems = document.get("trace", []), document.get("problems", [])
    return Read(document["outcome"], document.get("ask"), document.get("reason"), reports, trace, problems)


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NotFound("message") from None


PAGES = (
    Page("GET", "/messages/{id}", "messages", show),
    Page("POST", "/messages/{id}/report", "messages.change", read_by_hand),
    Page("POST", "/messages/{id}/spam", "messages.change", mark_spam),
)
