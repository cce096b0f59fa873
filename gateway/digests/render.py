"""A digest as mail (text and HTML, under 30 kB) and as SMS (at most two GSM-7 segments).

It carries counts, numbers, categories, municipalities and dates: never a phone, a monitor's name or free text.
Sensitive categories are told as "reserved case" by department and count, without their number.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from gateway.digests.around import Around
from gateway.digests.arrange import Maker
from gateway.digests.collect import Contents
from gateway.digests.names import Names
from gateway.digests.sms import headline, render_sms
from gateway.digests.view import Period, Room
from gateway.locale import translator
from parsers import Codebook

BYTES = 28_000
# Tried in turn until the mail is small enough.
ROOMS = (Room(60, 40), Room(30, 30), Room(20, 20), Room(12, 12), Room(7, 8), Room(4, 5))
TEMPLATES = ("digest.txt", "digest.html")
FOLDER = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a digest is to read: `by` email or sms, in which language (Spanish when there is no catalogue), in full or
    in `brief`; where its links lead."""

    by: str
    language: str
    codebook: Codebook
    link: str
    stop_link: str = ""
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Rendered:
    """`subject` and `html` are None for an SMS."""

    text: str
    subject: str | None = None
    html: str | None = None


def render(contents: Contents, around: Around, period: Period, wanted: Wanted) -> Rendered:
    """Lay it out; a mail leaves out lines, and says how many, until it is small enough."""
    names = Names(translator(wanted.language), wanted.codebook, brief=wanted.by == "sms")
    maker = Maker(contents, around, period, names, brief=wanted.brief)
    if wanted.by == "sms":
        return Rendered(render_sms(maker.view(ROOMS[0], link=wanted.link)))
    for room in ROOMS:
        view = maker.view(room, link=wanted.link, stop_link=wanted.stop_link)
        text, html = (
            _templates().get_template(name).render(v=view, t=view.t, plural=view.t.plural) for name in TEMPLATES
        )
        if len(text.encode()) + len(html.encode()) <= BYTES:
            break
    return Rendered(text, headline(view), html)


@lru_cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False,
    )  # fmt: skip
