"""What mail programs show: the HTML of digests keeps to what the widespread ones understand.

Gmail, Outlook for Windows, Apple Mail, Yahoo and the programs of plain phones were asked about; what one of the first
four does not show has no place here, but in a media query that may be ignored.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest

from gateway.digests.around import Around, Outage, Poll, Quiet, Seen
from gateway.digests.render import Rendered
from gateway.digests.usual import Usual
from tests.gateway.digests.test_render import END, digest, many, told

HOUR = timedelta(hours=1)
VOID = {"meta", "br"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "h1", "h2", "b", "span", "a", "br",
}  # fmt: skip
# Properties that Outlook for Windows, whose engine is Word's, lays out as the others do.
PROPERTIES = {
    "background-color", "color", "font-family", "font-size", "font-weight", "line-height", "margin", "max-width",
    "padding", "color-scheme",
}  # fmt: skip
WIDEST = 640


def full(number: int = 40) -> Rendered:
    reports = many(number)
    seen = Seen("seen", END - HOUR, "Eulalio")
    around = Around(
        alerts={one.id: seen for one in reports[::2]}, silent=[Quiet("1612", END - 200 * HOUR, 2)], open_number=99,
        open_refs=[3180, 3181], polls=[Poll(date(2026, 3, 2), 14, 6, 5, 2.4)],
        outages=[Outage("correo", END - 9 * HOUR, END - 3 * HOUR)],
        usual=Usual(
            [{(one.category, one.form, one.place): 3 for one in reports}] * 3,
            [(date(2026, 3, 2), 30), (date(2026, 3, 9), 40)],
        ),
    )  # fmt: skip
    return digest(*reports, around=around)


MAILS: dict[str, Callable[[], Rendered]] = {
    "nothing new": digest, "one report": lambda: digest(told(3200)), "all of it": full,
    "the largest": lambda: full(3000), "in English": lambda: digest(told(1), language="en"),
}  # fmt: skip


class Markup(HTMLParser):
    """Tags with their attributes in order, and whether they are closed as they were opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def styles(html: str) -> Iterator[tuple[str, str]]:
    inline = re.findall(r'style="([^"]*)"', html)
    sheets = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    rules = [rule for sheet in sheets for rule in re.findall(r"\{([^{}]*)\}", sheet)]
    for block in (*inline, *rules):
        for declaration in filter(str.strip, block.split(";")):
            name, _, value = declaration.partition(":")
            yield name.strip(), value.strip()


@pytest.fixture(params=MAILS.values(), ids=MAILS.keys())
def html(request: pytest.FixtureRequest) -> str:
    shown = request.param().html
    assert shown is not None
    return str(shown)


def test_it_is_made_of_tables_and_words_alone(html: str) -> None:
    page = Markup(html)
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= TAGS
    assert html.startswith("<!doctype html>")


def test_layout_needs_nothing_that_a_program_leaves_out(html: str) -> None:
    assert {name for name, _ in styles(html)} <= PROPERTIES
    assert not re.search(r"url\(|@import|@font-face|position|float|flex|grid|expression", html)
    queries = re.findall(r"@media[^{]*", html)
    assert queries == ["@media (prefers-color-scheme:dark)"]


def test_every_color_that_matters_is_inline(html: str) -> None:
    """Gmail drops the style sheet of a mail it shows for another account: what is left must be readable."""
    page = Markup(html)
    classed = [attributes for _, attributes in page.tags if attributes.get("class") in ("u", "m", "b")]
    assert all("color:" in attributes.get("style", "") for attributes in classed)
    bars = [attributes for attributes in page.named("td") if attributes.get("class") == "b"]
    assert all(attributes.get("bgcolor") for attributes in bars)


def test_nothing_is_loaded_and_nothing_acts(html: str) -> None:
    page = Markup(html)
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "src"]
    assert {attributes["href"][:8] for attributes in page.named("a")} == {"https://"}


def test_it_is_no_wider_than_a_reader_wants_and_fits_a_phone(html: str) -> None:
    widths = [attributes["width"] for _, attributes in Markup(html).tags if "width" in attributes]
    assert all(width.endswith("%") or int(width) <= 64 for width in widths)
    assert f"max-width:{WIDEST}px" in html
    assert 'name="viewport"' in html


def test_a_screen_reader_is_told_the_language_and_which_tables_are_layout(html: str) -> None:
    page = Markup(html)
    assert page.named("html")[0]["lang"] in ("es", "en")
    for table in page.named("table"):
        assert table.get("role") == "presentation" or 'scope="row"' in html
        assert (table["cellpadding"], table["cellspacing"], table["border"]) == ("0", "0", "0")
    assert len(page.named("h1")) == 1


def test_dark_mode_is_offered_and_has_a_color_for_each_class(html: str) -> None:
    assert 'name="color-scheme" content="light dark"' in html
    used = {attributes["class"] for _, attributes in Markup(html).tags if "class" in attributes}
    assert all(f".{name}{{" in html for name in used)


def test_it_is_small(html: str) -> None:
    """Gmail cuts a mail at 102 kB; a phone on a bad line is slower than that."""
    assert len(html.encode()) < 28_000
