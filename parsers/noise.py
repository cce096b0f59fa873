"""Texts that are no report: empty, advertising, calm, thanks and greetings; and who may leave."""

from parsers.segment import Document
from parsers.tokens import LINK

_SPAM_SCORE = 3
_FILLER_KINDS = ("greet", "thanks", "polite", "kw", "op", "link", "article", "lead")


def is_spam(doc: Document, strong_event: bool) -> bool:
    """Advertising, prizes, phishing, chain letters, bare links."""
    items = doc.tokens.items
    links = [token.kind for token in items].count(LINK)
    covered: set[int] = set()
    score = 0
    for match in doc.found("spam"):
        if not match.penalty and covered.isdisjoint(range(match.start, match.end)):
            covered.update(range(match.start, match.end))
            score += match.weight
    if links:
        return score > 0 or links == len(items) or not strong_event
    return score >= _SPAM_SCORE * (2 if strong_event else 1)


def is_calm(doc: Document) -> bool:
    return bool(doc.found("calm"))


def only_filler(doc: Document, first: int, last: int) -> bool:
    """Nothing of substance in tokens first..last-1: greetings, thanks, please, and words about the service."""
    at = first
    while at < last:
        ends = [match.end for kind in _FILLER_KINDS if (match := doc.at(kind, at)) is not None and not match.penalty]
        if not ends:
            return False
        at = max(ends)
    return True


def only_thanks(doc: Document, first: int, last: int) -> bool:
    """Thanks and greetings and nothing else."""
    at = first
    while at < last:
        said = doc.at("thanks", at) or doc.at("greet", at)
        if said is None or said.penalty:
            return False
        at = said.end
    return True


def only_polite(doc: Document, first: int, last: int) -> bool:
    """Only words one says around asking to leave; anything else keeps the sender subscribed."""
    at = first
    while at < last:
        ends = [match.end for kind in ("polite", "thanks", "greet") if (match := doc.at(kind, at)) is not None]
        for kind in ("kw", "op"):
            ends.extend(
                m.end for m in doc.within(kind, at, last) if m.start == at and m.value == "stop" and not m.penalty
            )
        if not ends:
            return False
        at = max(ends)
    return True
