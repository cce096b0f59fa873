"""Whether the form a keyword named is really meant; a soft keyword is often an ordinary word."""

from parsers.fields.categories import best_category
from parsers.keywords import HARD, Part
from parsers.noise import only_filler, only_polite
from parsers.segment import Segment

_STRONG = 2
_FEW = 4


def plausible(segment: Segment, part: Part) -> bool:
    """Whether the form a keyword named is really meant; a soft keyword is often an ordinary word."""
    check = _CHECKS.get(segment.form)
    good = check is None or check(segment, part)
    if not good:
        del segment.doc.problems[segment.marks[0] :]
        del segment.doc.trace[segment.marks[1] :]
    return good


def _event(segment: Segment, weight: int = _STRONG) -> bool:
    probe = Segment(segment.doc, segment.first, segment.last, "incident", False)
    best = best_category(probe)
    return best is not None and best.weight >= weight


def _hard(part: Part) -> bool:
    keyword = part.keyword
    return keyword is not None and keyword.weight >= HARD and keyword.end - keyword.start == 1


def _known(segment: Segment, *names: str) -> bool:
    return any(name in segment.values for name in names)


def _lone(segment: Segment, part: Part) -> bool:
    return part.keyword is not None and only_filler(segment.doc, part.first, part.last)


def _help_fits(segment: Segment, part: Part) -> bool:
    """ "como reporto un robo" asks how; "ayuda, un robo" calls for help."""
    keyword = part.keyword
    asks_how = keyword is not None and keyword.start == part.first and keyword.end - keyword.start > 1
    told_of = keyword is not None and segment.doc.tokens.items[keyword.start - 1].text in ("la", "su", "esa")
    return asks_how or (not _event(segment) and not told_of)


def _stop_fits(segment: Segment, part: Part) -> bool:
    whole = part.last == len(segment.items)
    return whole and only_polite(segment.doc, part.first, part.last)


def _alive_fits(segment: Segment, part: Part) -> bool:
    return not _event(segment)


def _optin_fits(segment: Segment, part: Part) -> bool:
    return only_polite(segment.doc, part.first + 1, part.last)


def _status_fits(segment: Segment, part: Part) -> bool:
    phrase = part.keyword is not None and part.keyword.end - part.keyword.start > 1
    return _known(segment, "ref") or _lone(segment, part) or (phrase and not _event(segment))


def _poll_fits(segment: Segment, part: Part) -> bool:
    named = segment.word(part.keyword.start) if part.keyword else ""
    if named == "victima" and segment.values.get("victim") is not None:
        return segment.values["victim"].how != "inferred"
    return named != "victima" or not _event(segment)


def _commitment_fits(segment: Segment, part: Part) -> bool:
    if part.keyword is None:
        return _known(segment, "status") and not _event(segment)
    return _known(segment, "commitment") or _hard(part) or _lone(segment, part) or _short(segment)


def _short(segment: Segment) -> bool:
    """A keyword and hardly more: its other fields are still to come."""
    return segment.last - segment.first <= _FEW and not _event(segment) and _known(segment, "status", "place")


def _meeting_fits(segment: Segment, part: Part) -> bool:
    keyword = part.keyword
    if keyword is not None and segment.word(keyword.start) in ("en", "a") and _event(segment):
        return _known(segment, "people", "women")
    return _known(segment, "people", "women", "agreement") or not _event(segment, 4)


def _return_fits(segment: Segment, part: Part) -> bool:
    return _known(segment, "topic", "status") or _hard(part) or not _event(segment)


def _correction_fits(segment: Segment, part: Part) -> bool:
    if part.keyword is not None and segment.word(part.keyword.start) in ("en", "el"):
        return _known(segment, "ref") and _known(segment, "value") and not _event(segment, 3)
    if _known(segment, "ref", "field", "cancel") or _hard(part) or _lone(segment, part):
        return not (part.keyword is not None and not _known(segment, "ref", "cancel", "value") and _event(segment, 3))
    return not _event(segment)


def _language_fits(segment: Segment, part: Part) -> bool:
    """ "porque no hablo español" tells of something else."""
    keyword = part.keyword
    denied = keyword is not None and segment.word(keyword.start - 1) == "no"
    return not denied and (_known(segment, "lang") or _lone(segment, part))


def _coordinator_fits(segment: Segment, part: Part) -> bool:
    return _known(segment, "ref") or _lone(segment, part)


def _identify_fits(segment: Segment, part: Part) -> bool:
    return _known(segment, "pin")


_CHECKS = {
    "help": _help_fits,
    "stop": _stop_fits,
    "alive": _alive_fits,
    **dict.fromkeys(("optin", "pause", "resume"), _optin_fits),
    "status": _status_fits,
    "poll": _poll_fits,
    "commitment": _commitment_fits,
    "meeting": _meeting_fits,
    "return": _return_fits,
    "correction": _correction_fits,
    "language": _language_fits,
    "identify": _identify_fits,
    **dict.fromkeys(("seen", "close", "verify", "note", "approve"), _coordinator_fits),
}
