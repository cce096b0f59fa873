"""The words that are understood: every list, a box to try a text on a draft, saving, and who changed what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import audit
from gateway.codebook import REVISION, Collides, StaleRevision, check_words, current_words, pack_of, save_words
from gateway.errors import NotFound
from gateway.house import touch_config
from gateway.locale import N_, Translator
from gateway.web.labels import Labels
from gateway.web.trying import Tried, try_text
from gateway.web.visit import Page, Visit
from parsers import Codebook, Collision, compile_codebook

KINDS = {"form": N_("Forms and commands"), "category": N_("Categories"), "choice": N_("Choices")}
NOTE_AT_MOST = 200
WORDS_AT_MOST = 400
REVISIONS_SHOWN = 20
# Why two words cannot stand together; `same` and `near` are pairs, the others concern one word.
REASONS = {
    "same": N_("“{word}” means {other_where} already."),
    "near": N_("“{word}” is one slip away from “{other}” ({other_where}): the two would be taken for each other."),
    "reserved": N_("“{word}” is kept for what the telephone network understands by it."),
    "empty": N_("A word needs at least one letter or digit."),
    "long": N_("“{word}” is too long."),
    "literal": N_("“{word}” has signs that nobody can send in a text."),
}

WordLists = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True)
class Draft:
    """One word list as typed on the page, over the revision it was begun from."""

    kind: str
    name: str
    words: list[str]
    based_on: int
    pack: str
    everything: WordLists

    def codebook(self) -> Codebook:
        return compile_codebook(pack_of(self.pack), revision=self.based_on + 1, words=self.everything)


async def show_index(visit: Visit) -> Response:
    return await _index(visit)


async def try_present(visit: Visit) -> Response:
    """Read a text by the words as they stand; nothing is kept."""
    house, at, text = visit.house, visit.house.clock(), visit.form.get("text", "")
    return await _index(
        visit, text, await house.read(lambda connection: try_text(text, house.codebook(connection), at))
    )


async def _index(visit: Visit, text: str = "", tried: Tried | None = None) -> Response:
    def load(connection: Connection) -> tuple[int, WordLists, Labels]:
        number, _, words = current_words(connection)
        return number, words, Labels(visit.house.codebook(connection), visit.t)

    number, words, labels = await visit.house.read(load)
    if visit.is_htmx:
        return visit.render("tried.html", tried=tried, found=[], labels=labels)
    return visit.render(
        "keywords.html", number=number, words=words, labels=labels, kinds=KINDS, text=text, tried=tried, found=[],
        label_of=lambda kind, name: label_of(kind, name, labels),
    )  # fmt: skip


async def show(visit: Visit) -> Response:
    draft, labels = await visit.house.read(lambda connection: _load(connection, visit))
    return _editor(visit, draft, labels)


async def try_draft(visit: Visit) -> Response:
    """Read a text by the words in the box, before they are saved; nothing is kept."""
    house, at, text = visit.house, visit.house.clock(), visit.form.get("text", "")

    def load(connection: Connection) -> tuple[Draft, Labels, list[Collision], Tried | None]:
        draft, labels = _load(connection, visit)
        found = check_words(draft.pack, draft.everything)
        return draft, labels, found, try_text(text, draft.codebook(), at)

    draft, labels, found, tried = await house.read(load)
    told = explain(found, draft, labels, visit.t)
    if visit.is_htmx:
        return visit.render("tried.html", tried=tried, found=told, labels=labels)
    return _editor(visit, draft, labels, found=told, tried=tried, text=text)


async def save(visit: Visit) -> Response:
    """Write the next revision, or say why these words cannot stand."""
    house, who, at = visit.house, visit.who, visit.house.clock()
    note = visit.form.word("note", NOTE_AT_MOST) or None
    draft, labels = await house.read(lambda connection: _load(connection, visit))
    try:
        await house.write(lambda connection: keep(connection, draft, note=note, by=who.name, actor=who.actor, at=at))
    except Collides as error:
        return _editor(visit, draft, labels, found=explain(error.found, draft, labels, visit.t), status=400)
    except StaleRevision as error:
        return _editor(visit, draft, labels, stale=error.number, status=409)
    return visit.go(f"/keywords/{draft.kind}/{draft.name}", saved=draft.based_on + 1)


def keep(connection: Connection, draft: Draft, *, note: str | None, by: str, actor: str, at: datetime) -> int:
    """The next revision with its audit entry. Raises Collides and StaleRevision."""
    before = current_words(connection)[2][draft.kind][draft.name]
    number = save_words(connection, draft.everything, based_on=draft.based_on, by=by, note=note, now=at)
    data = {
        "kind": draft.kind, "name": draft.name, "revision": number,
        "added": [word for word in draft.words if word not in before],
        "removed": [word for word in before if word not in draft.words],
    }  # fmt: skip
    target = f"{draft.kind}.{draft.name}"
    audit.record(connection, at=at, actor=actor, action="codebook.save", target=target, data=data)
    touch_config(connection)
    return number


def _load(connection: Connection, visit: Visit) -> tuple[Draft, Labels]:
    """The list of the address: as typed on a POST, else as it stands. Raises NotFound."""
    number, pack, everything = current_words(connection)
    kind, name = visit.request.path_params["kind"], visit.request.path_params["name"]
    if name not in everything.get(kind, {}):
        raise NotFound("word list")
    words = everything[kind][name]
    if "words" in visit.form:
        words = read_words(visit.form["words"])
        begun = visit.form.word("based_on")
        number = int(begun) if begun.isascii() and begun.isdigit() and len(begun) < 10 else number
    draft = Draft(kind, name, words, number, pack, {**everything, kind: {**everything[kind], name: words}})
    return draft, Labels(visit.house.codebook(connection), visit.t)


def read_words(text: str) -> list[str]:
    """One word or phrase a line, trimmed, in order, each once."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if line))[:WORDS_AT_MOST]


def explain(found: Sequence[Collision], draft: Draft, labels: Labels, t: Translator) -> list[tuple[str, str]]:
    """Severity and sentence of each collision, seen from the list that is edited; warnings only when they touch it."""
    here = f"{draft.kind}.{draft.name}"
    told: list[tuple[str, str]] = []
    for item in found:
        if item.severity != "error" and here not in (item.where, item.other_where):
            continue
        turned = item.other_where == here and item.where != here
        word, other = (item.other, item.word) if turned else (item.word, item.other)
        kind, _, name = (item.where if turned else item.other_where).partition(".")
        where = label_of(kind, name, labels) if name else kind
        told.append((item.severity, t(REASONS[item.kind], word=word, other=other, other_where=where)))
    return told


def label_of(kind: str, name: str, labels: Labels) -> str:
    """What a word list is of, in words."""
    if kind == "form":
        return labels.form(name)
    if kind == "category":
        return f"{name} {labels.category(name)}"
    if kind == "place":
        return labels.place(name)
    form, field, value = [*name.split(".", 2), "", ""][:3]
    return f"{labels.form(form)}, {labels.word(field)}: {labels.value(form, field, value)}"


def _editor(
    visit: Visit, draft: Draft, labels: Labels, *, found: list[tuple[str, str]] | None = None,
    tried: Tried | None = None, text: str = "", stale: int | None = None, status: int = 200,
) -> Response:  # fmt: skip
    return visit.render(
        "keyword.html", status, draft=draft, labels=labels, title=label_of(draft.kind, draft.name, labels),
        found=found or [], tried=tried, text=text, stale=stale, saved=visit.query("saved"),
        note=visit.form.get("note", ""),
    )  # fmt: skip


async def show_revisions(visit: Visit) -> Response:
    def load(connection: Connection) -> tuple[list[tuple[Row[Any], list[str]]], Labels]:
        query = select(REVISION).order_by(REVISION.c.number.desc()).limit(REVISIONS_SHOWN + 1)
        rows = list(connection.execute(query))
        changed = [(new, changes(old.words, new.words)) for new, old in pairwise(rows)]
        first = [(rows[-1], list[str]())] if len(rows) <= REVISIONS_SHOWN else []
        return changed + first, Labels(visit.house.codebook(connection), visit.t)

    revisions, labels = await visit.house.read(load)
    return visit.render("revisions.html", revisions=revisions, labels=labels)


def changes(old: Mapping[str, Mapping[str, list[str]]], new: Mapping[str, Mapping[str, list[str]]]) -> list[str]:
    """What a revision changed: `+robo` and `-robo` behind the list's name."""
    told = []
    for kind, lists in new.items():
        for name, words in lists.items():
            before = old.get(kind, {}).get(name, [])
            told += [f"{name} +{word}" for word in words if word not in before]
            told += [f"{name} -{word}" for word in before if word not in words]
    return told


PAGES = (
    Page("GET", "/keywords", "keywords", show_index),
    Page("POST", "/keywords/try", "keywords", try_present),
    Page("GET", "/keywords/revisions", "keywords", show_revisions),
    Page("GET", "/keywords/{kind}/{name}", "keywords", show),
    Page("POST", "/keywords/{kind}/{name}", "keywords", save),
    Page("POST", "/keywords/{kind}/{name}/try", "keywords", try_draft),
)
