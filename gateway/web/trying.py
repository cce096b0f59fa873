"""The try box: a text read by a codebook, as a registered monitor's, and shown; nothing is kept."""

from dataclasses import dataclass
from datetime import datetime

from uuid_utils.compat import uuid7

from gateway.conversation import Known, Standing, Words, decide
from gateway.web.spans import Found, Piece, pieces
from parsers import Codebook, FieldValue, Reading, fold_text

TEXT_AT_MOST = 2000


@dataclass(frozen=True, slots=True)
class Tried:
    """The reading of a tried text and its coloured characters."""

    text: str
    revision: int
    outcome: str
    reading: Reading | None
    pieces: list[Piece]
    reports: list[tuple[str, bool, list[Found]]]


def try_text(text: str, codebook: Codebook, at: datetime) -> Tried | None:
    """None for an empty text."""
    text = text.strip()[:TEXT_AT_MOST]
    if not text:
        return None
    standing = Standing(known=Known(uuid7()))
    decision = decide(Words(text, at), standing, codebook, lambda folded: fold_text(folded).encode())
    reading = decision.reading
    reports = [
        (
            report.form,
            report.urgent,
            [
                Found(name, one.value, one.how, one.start, one.end, one.confidence)
                for name, one in report.values.items()
            ],
        )
        for report in (reading.reports if reading else ())
    ]
    found = [value for _, _, values in reports for value in values]
    return Tried(text, codebook.revision, decision.outcome, reading, pieces(text, found), reports)


def _found(name: str, one: FieldValue) -> Found:
    return Found(name, one.value, one.how, one.start, one.end, one.confidence)
