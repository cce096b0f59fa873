"""A digest as mail (text and HTML, under 30 kB) and as SMS (at most two GSM-7 segments).

It carries counts, numbers, categories, municipalities and dates: never a phone, a name or free text. Sensitive
categories are told as "reserved case" by department and count, without their number.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gateway.digests.collect import Contents, Told
from gateway.locale import Translator, translator
from outbox.segments import count, to_gsm7
from parsers import Codebook

BYTES = 28_000
# Lines of each list and rows of each count that are tried in turn until the mail is small enough.
SIZES = ((60, 40), (30, 30), (15, 20), (8, 12))
TEMPLATES = ("digest.txt", "digest.html")
SMS_SEGMENTS = 2
FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Period:
    """From (inclusive) and to (exclusive), and the zone in which they are shown."""

    begin: datetime
    end: datetime
    zone: str

    def local(self, at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(self.zone)):%d/%m %H:%M}"


@dataclass(frozen=True, slots=True)
class Rendered:
    """`subject` and `html` are None for an SMS."""

    text: str
    subject: str | None = None
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A report in the list: its number and what may be said of it, and a mark (urgent, unverified, what changed)."""

    ref: str
    category: str
    place: str
    day: str
    counts: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a count: what, how many, and its share of the largest as 0 to 100."""

    label: str
    number: int
    share: int


@dataclass(frozen=True, slots=True)
class View:
    """Everything the templates show, already in the reader's language."""

    t: Translator
    begin: str
    end: str
    total: int
    urgent: list[Line]
    urgent_total: int
    others: list[Line]
    hidden: int
    reserved: list[Row]
    categories: list[Row]
    places: list[Row]
    changes: list[Line]
    unregistered: list[Line]
    unverified: int
    drafts: int
    link: str


def render(
    contents: Contents, period: Period, *, by: str, language: str, codebook: Codebook, base_url: str
) -> Rendered:
    """The digest in `language` (Spanish when there is no catalogue), `by` email or sms."""
    names = Names(translator(language), codebook, brief=by == "sms")
    if by == "sms":
        return Rendered(render_sms(make_view(contents, period, names, link=base_url)))
    for lines, rows in SIZES:
        view = make_view(contents, period, names, link=base_url, lines=lines, rows=rows)
        text, html = (
            _templates().get_template(name).render(v=view, t=view.t, plural=view.t.plural) for name in TEMPLATES
        )
        if len(text.encode()) + len(html.encode()) <= BYTES:
            break
    return Rendered(text, headline(view), html)


def headline(view: View) -> str:
    """One line: the hour, how many reports, how many of them urgent."""
    t, urgent = view.t, view.urgent_total
    parts = [t.plural("{n} report", "{n} reports", view.total)] if view.total else [t("nothing new")]
    if urgent:
        parts.append(t.plural("{n} urgent", "{n} urgent", urgent))
    return t("Digest {end}: {what}", end=view.end, what=", ".join(parts))


def render_sms(view: View) -> str:
    """By importance, as much as two segments hold; the rest is counted."""
    t = view.t
    text = to_gsm7(headline(view) + ".")
    if view.unverified:
        text += to_gsm7(" " + t.plural("{n} unverified", "{n} unverified", view.unverified) + ".")
    reserved = [f"{row.label} {row.number}" for row in view.reserved]
    lines = [*map(_short, view.urgent), *reserved, *map(_short, view.others), *map(_short, view.changes)]
    left = len(lines) + view.hidden
    for line in lines:
        longer = text + to_gsm7(f" {line}.")
        rest = to_gsm7(" " + t("+{n} on the pages.", n=left - 1)) if left > 1 else ""
        if count(longer + rest).segments > SMS_SEGMENTS:
            break
        text, left = longer, left - 1
    return text + (to_gsm7(" " + t("+{n} on the pages.", n=left)) if left else "")


def _short(line: Line) -> str:
    words = (line.mark.upper() if line.mark else "", line.ref, line.category, line.place, line.day)
    return " ".join(word for word in words if word)


def make_view(
    contents: Contents, period: Period, names: "Names", *, link: str, lines: int = SIZES[0][0], rows: int = SIZES[0][1]
) -> View:
    """Sort and count what is told. Unregistered senders' reports and drafts stand apart and are in no total."""
    new = [told for told in contents.reports if told.is_new]
    counted = [told for told in new if told.registered and told.state != "draft"]
    drafts = [told for told in new if told.registered and told.state == "draft"]
    reserved = [told for told in counted if names.is_reserved(told)]
    plain = [told for told in counted if not names.is_reserved(told)]
    numbered_drafts = [told for told in drafts if told.ref is not None and not names.is_reserved(told)]
    urgent = _by_number(told for told in [*plain, *numbered_drafts] if told.urgent)
    others = _by_number(told for told in plain if not told.urgent)
    changed = _by_number(told for told in contents.reports if not told.is_new and not names.is_reserved(told))
    strangers = _by_number(told for told in new if not told.registered and not names.is_reserved(told))
    return View(
        t=names.t, begin=period.local(period.begin), end=period.local(period.end), total=len(counted),
        urgent=[names.line(told) for told in urgent[:lines]],
        urgent_total=len(urgent), others=[names.line(told) for told in others[:lines]],
        hidden=max(0, len(urgent) - lines) + max(0, len(others) - lines),
        reserved=_rows((names.department(told) for told in reserved), rows),
        categories=_rows((names.category(told) for told in counted), rows),
        places=_rows((names.counted_place(told) for told in counted), rows),
        changes=[names.changed_line(told) for told in changed[:lines]],
        unregistered=[names.line(told) for told in strangers[:lines]],
        unverified=sum(told.verification == "unverified" for told in counted), drafts=len(drafts), link=link,
    )  # fmt: skip


def _by_number(reports: Iterable[Told]) -> list[Told]:
    return sorted(reports, key=lambda told: (told.ref is None, told.ref or 0, told.heard_at))


def _rows(labels: Iterable[str], number: int) -> list[Row]:
    counted = Counter(labels).most_common(number)
    largest = counted[0][1] if counted else 1
    return [Row(label, number, round(100 * number / largest)) for label, number in counted]


class Names:
    """What may be said of a report, in one language; `brief` takes the short names made for SMS."""

    def __init__(self, t: Translator, codebook: Codebook, *, brief: bool = False) -> None:
        self.t, self._codebook, self._brief = t, codebook, brief

    def is_reserved(self, told: Told) -> bool:
        found = self._codebook.categories.get(told.category or "")
        return found is not None and found.sensitive

    def category(self, told: Told) -> str:
        """The category, or the form when it has none."""
        if self.is_reserved(told):
            return self.t("Reserved case")
        found = self._codebook.categories.get(told.category or "")
        if found is not None:
            if self.t.language == "en":
                return found.name_en
            return found.short if self._brief else found.name
        form = self._codebook.forms.get(told.form)
        return (form.title_en if self.t.language == "en" else form.title) if form else told.form

    def place(self, told: Told) -> str:
        return self._place(told.place or "")

    def department(self, told: Told) -> str:
        return f"{self.t('Reserved case')}, {self._place((told.place or '')[:2])}"

    def _place(self, code: str) -> str:
        found = self._codebook.places.get(code)
        if found is None:
            return self.t("place unknown")
        return found.short if self._brief else found.name

    def counted_place(self, told: Told) -> str:
        return self.department(told) if self.is_reserved(told) else self.place(told)

    def line(self, told: Told) -> Line:
        mark = self.t("urgent") if told.urgent else ""
        return self._line(told, mark)

    def changed_line(self, told: Told) -> Line:
        words: dict[str, Callable[[], str]] = {
            "corrected": lambda: self.t("corrected"),
            "withdrawn": lambda: self.t("withdrawn"),
            "verified": lambda: self.t("verified") if told.verification == "verified" else self.t("checked"),
            "closed": lambda: self.t("closed"),
            "reopened": lambda: self.t("reopened"),
            "reread": lambda: self.t("read again"),
        }
        return self._line(told, ", ".join(words[change]() for change in told.changes))

    def _line(self, told: Told, mark: str) -> Line:
        ref = f"R{told.ref}" if told.ref is not None else self.t("no number")
        return Line(ref, self.category(told), self.place(told), _day(told.event_date), self._counts(told), mark)

    def _counts(self, told: Told) -> str:
        replies = self._codebook.replies
        parts = []
        for name, number in told.counts.items():
            template = replies.get(f"word.{name}.{'1' if number == 1 else 'n'}", name + " {n}")
            parts.append(template.replace("{n}", str(number)))
        return ", ".join(parts)


def _day(day: date | None) -> str:
    return f"{day:%d/%m}" if day else ""


@lru_cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
    )  # fmt: skip
