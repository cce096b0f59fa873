"""Which language a text is in, as far as the answer depends on it."""

from parsers.segment import Document
from parsers.tokens import WORD

MAYAN = "myn"
_FEWEST = 3
_SHARE = 0.6
_MARKS = ("'", "x", "q", "tz", "aj", "ij", "uj", "ch")


def language_of(doc: Document, reason: str | None = None) -> str:
    """The language a word of the pack tells, else the sender's; MAYAN for an unread text that looks like one."""
    told = doc.found("language")
    if told:
        spoken = {match.value for match in told}
        return doc.context.language if doc.context.language in spoken else told[0].value
    if reason == "unknown" and _looks_mayan(doc):
        return MAYAN
    return doc.context.language


def _looks_mayan(doc: Document) -> bool:
    """Mostly words nobody here knows, among them some with a glottal stop or other Mayan spelling."""
    words = [token.text for token in doc.tokens.items if token.kind == WORD]
    strange = [word for word in words if word.replace("'", "") not in doc.book.tables.vocabulary]
    if len(strange) < _FEWEST or len(strange) < _SHARE * len(words):
        return False
    return any("'" in word for word in strange) or sum(word.startswith(_MARKS) for word in strange) * 2 > len(strange)
