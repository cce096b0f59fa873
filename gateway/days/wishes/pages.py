"""Expectations of what stands on a page, as an admin sees it, and of the timeline of a report."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.days.cast import plain
from gateway.days.lines import Node
from gateway.days.wishes.base import AT_ONCE, OTHER_WORDS, Ground, View, Words, read_ref, read_within, read_words

SHOWN = 300
REPORT_PAGE = "/reports/R{}"
_REF = re.compile(r"/reports/R?(\d+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PageWish:
    """Words that stand on the page at `path`; `in_order`: one after the other."""

    line: int
    path: str
    words: Words
    within: timedelta = AT_ONCE
    in_order: bool = False

    @property
    def needs(self) -> Mapping[timedelta | str, tuple[str, ...]]:
        return {self.within: (self.path,)}

    def failures(self, view: View) -> Iterator[str]:
        shown = view.look(self.within).pages[self.path]
        text = plain(shown)
        if missing := self.words.missing(shown):
            yield f"the page {self.path} should show {', '.join(missing)}; it shows {text[:SHOWN]!r}"
        elif self.in_order and (late := _out_of_order(text, self.words.has)):
            yield f"the page {self.path} should show {late!r} after what stands before it in the list"
        if unwanted := self.words.unwanted(shown):
            yield f"the page {self.path} should not show {', '.join(unwanted)}"


def _out_of_order(text: str, words: tuple[str, ...]) -> str | None:
    at = 0
    for word in words:
        at = text.find(plain(word), at)
        if at < 0:
            return word
        at += len(plain(word))
    return None


def read_page(node: Node, _ground: Ground) -> PageWish:
    """`page {path: /channels, has: [...], not: [...]}`; `/reports/R3205` is the page of that report."""
    fields = node.fields(("path", "has", "not", "within"), "page", OTHER_WORDS)
    if "path" not in fields or not fields["path"].text("path").startswith("/"):
        raise node.wrong("a page needs its path, such as /channels")
    return PageWish(node.line, fields["path"].text("path").strip(), read_words(fields), read_within(fields, AT_ONCE))


def read_timeline(node: Node, _ground: Ground) -> PageWish:
    """`timeline {ref: 3205, has: [...]}`: the words stand on the report's page in this order."""
    fields = node.fields(("ref", "has", "not", "within"), "timeline", OTHER_WORDS)
    ref = read_ref(fields["ref"]) if "ref" in fields else None
    if ref is None:
        raise node.wrong("a timeline needs the ref of its report")
    path = REPORT_PAGE.format(ref)
    return PageWish(node.line, path, read_words(fields), read_within(fields, AT_ONCE), in_order=True)


def ref_of(path: str) -> int | None:
    """The report whose page is meant by its number."""
    found = _REF.search(path)
    return int(found[1]) if found else None
