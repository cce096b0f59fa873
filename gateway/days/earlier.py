"""What stands before a day begins: reports, and when somebody was heard last. Both are texts that came then."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from gateway.days.cast import Member
from gateway.days.lines import Node
from gateway.days.model import Earlier, Text
from gateway.days.moments import read_moment
from gateway.days.steps import VIAS, read_text
from gateway.days.wishes import Ground
from gateway.days.wishes.base import read_category, read_date, read_place, read_ref

PARTS = ("reports", "last_words", "texts")
REPORT_KEYS = ("ref", "from", "via", "at", "category", "place", "date", "counts", "body", "state", "note")
WORD_KEYS = ("from", "at", "body", "via", "note")
OTHERS = {
    "last_word": "at",
    "last_heard": "at",
    "who": "from",
    "contact": "from",
    "of": "from",
    "sender": "from",
    "text": "body",
    "heard": "at",
}
STATES = ("open", "closed", "withdrawn", "draft")
LAST_WORD = "BIEN"
NOON = time(12)


def read_before(node: Node, ground: Ground, start: datetime) -> list[Earlier]:
    """Lists under `reports`, `last_words` and `texts`, or one list of all, in any order; sorted by time."""
    if isinstance(node.value, dict) and set(node.value) & set(PARTS):
        fields = node.fields(PARTS, "before")
        found = [one for name in PARTS if name in fields for one in _part(name, fields[name], ground, start)]
    else:
        found = [one for item in node.items() for one in _item(item, ground, start)]
    for one in found:
        if one.at >= start:
            raise Node(one.line, "").wrong("what stands in `before` must lie before the start of the day")
    return sorted(found, key=lambda one: (one.at, one.line))


def _part(name: str, node: Node, ground: Ground, start: datetime) -> Iterator[Earlier]:
    if name == "last_words" and isinstance(node.value, dict) and "from" not in node.value:
        for who, at in node.value.items():
            yield _last_word(at, {"from": Node(at.line, who), "at": at}, ground, start)
        return
    for item in node.items():
        if name == "reports":
            yield _report(item, ground, start)
        else:
            yield _last_word(item, item.fields(WORD_KEYS, name, OTHERS), ground, start)


def _item(item: Node, ground: Ground, start: datetime) -> Iterator[Earlier]:
    """`report: {...}`, `last_word: {...}` or `text: {...}`; or such a mapping itself."""
    values = item.mapping("before")
    named = {"report": "reports", "last_word": "last_words", "last_words": "last_words", "reports": "reports"}
    wrapped = [name for name in values if name in named]
    if "last_word" in values and not isinstance(values["last_word"].value, dict):
        yield _last_word(item, item.fields(WORD_KEYS, "before", OTHERS), ground, start)
    elif wrapped:
        for name in wrapped:
            yield from _part(named[name], values[name], ground, start)
    elif "ref" in values or "category" in values:
        yield _report(item, ground, start)
    elif isinstance(values.get("text", item).value, dict):
        fields = item.fields(("at", "text"), "before")
        at = read_moment(fields["at"], ground.calendar)
        yield Earlier(item.line, at, read_text(fields["text"], replace(ground, calendar=ground.calendar.after(at))))
    else:
        yield _last_word(item, item.fields(WORD_KEYS, "before", OTHERS), ground, start)


def _last_word(item: Node, fields: Mapping[str, Node], ground: Ground, start: datetime) -> Earlier:
    if "from" not in fields or "at" not in fields:
        raise item.wrong("a last word needs from and at: 2026-03-02 21:40")
    member = ground.cast.one(fields["from"])
    body = fields["body"].text("body") if "body" in fields else LAST_WORD
    at = read_moment(fields["at"], ground.calendar.after(start))
    via = fields["via"].text("via") if "via" in fields else "modem" if member.address("tel") else "email"
    return Earlier(item.line, at, Text(member, VIAS[via], body))


def _report(item: Node, ground: Ground, start: datetime) -> Earlier:
    """A report by its values, or by the text (`body`) that made it."""
    fields = item.fields(REPORT_KEYS, "a report before the day", OTHERS)
    place = read_place(fields["place"], ground.codebook) if "place" in fields else None
    category = read_category(fields["category"], ground.codebook) if "category" in fields else None
    day = read_date(fields["date"], ground.calendar) if "date" in fields else None
    if "body" not in fields and category is None:
        raise item.wrong("a report before the day needs its category, or the body of its text")
    at = _heard(fields, ground, start)
    local = at.astimezone(ground.calendar.zone)
    words = ["INC", category, place, f"{(day or local.date()):%d/%m/%Y}"]
    for name, number in fields["counts"].mapping("counts").items() if "counts" in fields else ():
        words.append(f"{number.number(name)} {name}")
    body = fields["body"].text("body") if "body" in fields else " ".join(word for word in words if word)
    state = fields["state"].text("state").strip().lower() if "state" in fields else STATES[0]
    if state not in STATES:
        raise fields["state"].wrong(f"state must be one of {', '.join(STATES)}")
    ref = read_ref(fields["ref"]) if "ref" in fields else None
    sender = ground.cast.one(fields["from"]) if "from" in fields else _somebody(item, place, ground)
    return Earlier(item.line, at, Text(sender, "modem", body), ref, state, category, place)


def _heard(fields: Mapping[str, Node], ground: Ground, start: datetime) -> datetime:
    """When it came: as said, else at noon of its date, else half a day before the start."""
    if "at" in fields:
        return read_moment(fields["at"], ground.calendar.after(start))
    if "date" in fields:
        noon = datetime.combine(read_date(fields["date"], ground.calendar), NOON, ground.calendar.zone)
        return min(noon.astimezone(UTC), start - timedelta(hours=12))
    return start - timedelta(hours=12)


def _somebody(item: Node, place: str | None, ground: Ground) -> Member:
    """A monitor of the place, or of its department, or any."""
    rows = [row for row in ground.cast.rows if row.role == "monitor" and row.phone]
    rows.sort(key=lambda row: (row.place != place, (row.place or "")[:2] != (place or "")[:2]))
    if not rows:
        raise item.wrong("a report before the day needs the one it is from")
    return ground.cast.by_address(rows[0].addresses[0])
