"""read_message: one text, one codebook, one context -> one Reading. Pure and deterministic; never raises."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from parsers.answers import answer, answers_politely, is_answer
from parsers.boundaries import split_reports
from parsers.codebook import Codebook
from parsers.interpret import finish, interpret
from parsers.keywords import Part, content_start
from parsers.languages import language_of
from parsers.noise import is_calm, is_spam, only_filler
from parsers.parts import split_hand_part
from parsers.prepare import prepare
from parsers.results import Context, Question, Reading, ReportReading
from parsers.segment import Document, Segment
from parsers.tables import scan

SENT_BEFORE = timedelta(days=7)
SENT_AFTER = timedelta(minutes=10)
MOST_REPORTS = 40
_PART_MARKS = frozenset("0123456789([pP ")


def read_message(text: str, codebook: Codebook, context: Context) -> Reading:
    """Read a text.

    Spans in the result count characters of ``text``; what was read from ``context.subject`` has span -1.
    Only the first 1,600 characters are read; the whole text is kept in each report.
    """
    doc = _document(text, codebook, context)
    if not doc.tokens.items:
        return _without_words(text, context, codebook)
    reading = _read_words(doc)
    part = split_hand_part(text, codebook) if text[:1] in _PART_MARKS else None
    return reading._replace(part=part[:2]) if part is not None else reading


def _read_words(doc: Document) -> Reading:
    context, codebook = doc.context, doc.book
    if context.opted_out and [token.text for token in doc.tokens.items] == ["yes"]:
        return Reading("accept", (ReportReading("optin", {}, False, doc.text),), language=context.language)
    start = content_start(doc)
    practice, start = _practice(doc, start)
    asked = context.pending
    if start >= len(doc.tokens.items):
        if asked is None or not answers_politely(doc):
            return _reject(doc, "thanks", practice)
        start = 0
    if asked is not None and asked.report.form in codebook.forms and is_answer(doc, start):
        return answer(doc, start)._replace(practice=practice)
    return _read(doc, start, practice)


def local_day(codebook: Codebook, context: Context) -> date:
    """The reader's today: of the sending time when the channel tells a believable one, else of hearing."""
    zone = ZoneInfo(codebook.zone)
    when: datetime = context.heard_at
    sent = context.sent_at
    if sent is not None and when - SENT_BEFORE <= sent <= when + SENT_AFTER:
        when = sent
    return when.astimezone(zone).date()


def _document(text: str, codebook: Codebook, context: Context) -> Document:
    """The body alone when it opens with a keyword of its own, else subject and body as one text."""
    body = _scan(text, codebook, context, 0)
    subject = (context.subject or "").strip()
    if not subject or _opens_itself(body):
        return body
    joined = f"{subject}\n{text}"
    return _scan(joined, codebook, context, len(subject) + 1)


def _scan(text: str, codebook: Codebook, context: Context, offset: int) -> Document:
    tokens = prepare(text, codebook.tables)
    matches = scan(codebook.tables.trie, tokens.items)
    return Document(text, codebook, context, local_day(codebook, context), tokens, matches, offset)


def _opens_itself(doc: Document) -> bool:
    start = content_start(doc)
    if start >= len(doc.tokens.items):
        return False
    first = doc.at("kw", start)
    return first is not None and not first.penalty


def _without_words(text: str, context: Context, codebook: Codebook) -> Reading:
    bare = text.strip(" \t\r\n\u00a0.\u200b\ufeff")
    if bare and set(bare) <= set("?¿"):
        return Reading("accept", (ReportReading("help", {}, False, text),), language=context.language)
    return Reading("reject", reason="unknown" if bare else "empty", language=context.language)


def _practice(doc: Document, start: int) -> tuple[bool, int]:
    first = doc.at("kw", start)
    if first is None or first.value != "practice" or first.penalty:
        return False, start
    return True, content_start(doc, first.end)


def _reject(doc: Document, reason: str, practice: bool = False) -> Reading:
    return Reading(
        "reject",
        reason=reason,
        language=language_of(doc, reason),
        problems=tuple(doc.problems),
        trace=tuple(doc.trace),
        practice=practice,
    )


def _read(doc: Document, start: int, practice: bool) -> Reading:
    parts = split_reports(doc, start)
    segments = [segment for part in parts[:MOST_REPORTS] if (segment := interpret(doc, part)) is not None]
    segments = _without_headings(_one_correction(segments))
    soft = not any(_opened_hard(part) for part in parts)
    told = _has_event(segments) or _of_a_known_place(doc, segments)
    if soft and is_spam(doc, told) and not _is_command(segments):
        return _reject(doc, "spam", practice)
    if not segments and _asks_help(doc):
        return Reading("accept", (ReportReading("help", {}, False, doc.text),), language=doc.context.language)
    if not segments:
        return _reject(doc, _why_nothing(doc, start), practice)
    if all(segment.form == "alive" or (is_calm(doc) and _says_nothing(segment)) for segment in segments):
        return _reject(doc, "nothing_to_report", practice)
    return _compose(doc, [segment for segment in segments if segment.form != "alive"], practice)


def _asks_help(doc: Document) -> bool:
    """A word for help and no event; "gracias por la ayuda" asks nothing."""
    return "helpword" in doc.matches and "thanks" not in doc.matches and not is_calm(doc)


def _one_correction(segments: list[Segment]) -> list[Segment]:
    """Words before a correction tell why; they are no report of their own."""
    corrections = [segment for segment in segments if segment.form == "correction"]
    return corrections or segments


def _without_headings(segments: list[Segment]) -> list[Segment]:
    """ "Reporte semanal" over a list of events says nothing of its own."""
    if not any(segment.sure for segment in segments):
        return segments
    return [segment for segment in segments if segment.form != "incident" or segment.sure or _says_anything(segment)]


def _says_anything(segment: Segment) -> bool:
    return any(value.how != "default" for value in segment.values.values()) or bool(segment.choices)


def _opened_hard(part: Part) -> bool:
    return part.keyword is not None and part.keyword.weight > 1


def _has_event(segments: list[Segment]) -> bool:
    return any(segment.sure for segment in segments)


def _of_a_known_place(doc: Document, segments: list[Segment]) -> bool:
    """What a registered person tells of a place is hardly an advertisement ("le arrancaron la cadena en Nebaj")."""
    stated = [value for segment in segments if (value := segment.values.get("place")) is not None]
    return doc.context.registered and any(value.how != "sender" for value in stated)


def _says_nothing(segment: Segment) -> bool:
    """ "INC NADA": a report keyword, and calm words where the event would stand."""
    category = segment.values.get("category")
    return segment.form == "incident" and (category is None or (category.how == "repaired" and not segment.opened))


def _is_command(segments: list[Segment]) -> bool:
    return any(segment.form not in ("incident", "urgent") for segment in segments)


def _why_nothing(doc: Document, start: int) -> str:
    if is_calm(doc):
        return "nothing_to_report"
    return "thanks" if only_filler(doc, start, len(doc.tokens.items)) else "unknown"


def _compose(doc: Document, segments: list[Segment], practice: bool) -> Reading:
    reports: list[ReportReading] = []
    question: Question | None = None
    before: Segment | None = None
    for segment in segments:
        report, asked = finish(segment, before)
        reports.append(report)
        question = question or asked
        before = segment
    return Reading(
        "ask" if question is not None else "accept",
        tuple(reports),
        question.field if question is not None else None,
        question,
        language=language_of(doc),
        problems=tuple(doc.problems),
        trace=tuple(doc.trace),
        practice=practice,
    )


__all__ = ["local_day", "read_message", "split_hand_part"]
