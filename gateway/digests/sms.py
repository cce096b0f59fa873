"""A digest as SMS: at most two GSM-7 segments, by importance; what finds no room is counted."""

from collections.abc import Iterator

from gateway.digests.view import Line, View
from outbox.segments import count, to_gsm7

SMS_SEGMENTS = 2


def headline(view: View) -> str:
    """One line: the hour, how many reports, how many of them urgent; calm only when nobody is silent either."""
    t = view.t
    what = [t("nothing new") if view.is_calm else t.plural("{n} report", "{n} reports", view.total)]
    if view.urgent_total:
        what.append(t.plural("{n} urgent", "{n} urgent", view.urgent_total))
    return t("Digest {end}: {what}", end=view.end, what=", ".join(what))


def render_sms(view: View) -> str:
    """By importance, as much as two segments hold; the reports that found no room are counted."""
    text = to_gsm7(headline(view) + ".")
    items = list(_items(view))
    left = sum(number for _, number in items)
    left += view.urgent.hidden + sum(section.hidden for section in view.sections)
    for line, number in items:
        longer = text + to_gsm7(f" {line}.")
        if count(longer + _rest(view, left - number)).segments > SMS_SEGMENTS:
            break
        text, left = longer, left - number
    return text + _rest(view, left)


def _rest(view: View, left: int) -> str:
    return to_gsm7(" " + view.t("+{n} on the pages.", n=left)) if left else ""


def _items(view: View) -> Iterator[tuple[str, int]]:
    """What is told, the most important first, and how many reports each tells of."""
    for line in view.urgent.lines:
        yield f"{view.t('urgent').upper()} {_short(line)}", 1
    yield from ((line, 0) for line in view.silent)
    yield from ((f"{row.label} {row.number}", row.number) for row in view.reserved)
    for section in view.sections:
        for line in section.lines:
            yield (f"{_short(line)} ({section.short})" if section.short else _short(line)), 1
    if view.unverified:
        yield view.t.plural("{n} unverified", "{n} unverified", view.unverified), 0
    yield from ((line, 0) for line in (*view.waiting, *view.outages, *view.polls))


def _short(line: Line) -> str:
    words = (line.ref, line.what, line.place, line.when, line.counts, ", ".join(line.notes))
    return " ".join(word for word in words if word)
