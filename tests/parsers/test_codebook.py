"""The shipped pack: its replies fit one SMS, its words do not collide, its foreign words name their source."""

import re

import gsm0338  # noqa: F401  (registers the codec)
import pytest

from parsers import Codebook, collisions, compile_codebook, load_pack, pack_words

PACK = load_pack()
BOOK = compile_codebook(PACK)
SEGMENT = 160
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def worst(book: Codebook) -> dict[str, str]:
    """The longest value each placeholder can take."""
    labels = {name: [choice.label for choice in values.values()] for name, values in book.choices.items()}
    longest = lambda values: max(values, key=len)  # noqa: E731
    status = longest([label for name, given in labels.items() if name.endswith(".status") for label in given])
    return {
        "ref": "99999",
        "category": longest([category.short for category in book.categories.values()]),
        "place": "m" * 28,
        "date": "31/12",
        "time": "23:59",
        "counts": "999 muertos, 999 heridos. ",
        "short": longest([commitment.short for commitment in book.commitments.values()]),
        "code": "C68",
        "status": status,
        "topic": longest(labels["return.topic"]),
        "people": "9999",
        "field": longest(labels["field_name"]),
        "value": "m" * 28,
        "name": "m" * 20,
        "language": longest(labels["lang"]),
        "state": "m" * 20,
        "n": "99",
        "m": "99",
        "hours": "999",
        "refs": "R99997, R99998, R99999",
        "list": "",
        "text": "",
        "delay": "99 min",
        "channel": "c" * 63,
        "percent": "100",
        "problem": "comunidades: no se reconocio",
        "what": f"Retorno y reasentamiento, {'s' * 20}, {'s' * 8}, 999 familias, 9999 personas, {'P' * 28}",
        "term": "San Pedro Sacatepequez",
        "choices": "1 " + "m" * 20 + ", 2 " + "m" * 20,
        "question": longest([ask for form in book.forms.values() for name, ask in form.asks.items() if "{" not in ask]),
    }


def templates(book: Codebook) -> list[tuple[str, str]]:
    found = list(book.replies.items())
    for form in book.forms.values():
        found.append((f"{form.name}.reply", form.reply))
        found += [(f"{form.name}.ask.{name}", ask) for name, ask in form.asks.items()]
        found += [(f"{form.name}.reply_open", form.reply_open)] if form.reply_open else []
    return found


@pytest.mark.parametrize(("name", "template"), templates(BOOK), ids=lambda value: value if "." in value else None)
def test_every_reply_fits_one_gsm7_segment_at_its_longest(name: str, template: str) -> None:
    values = worst(BOOK) | {"answer": ""}
    text = PLACEHOLDER.sub(lambda found: values[found.group(1)], template)
    assert len(text.encode("gsm03.38")) <= SEGMENT, text


def test_every_label_used_in_answers_is_gsm7() -> None:
    labels = [place.short for place in BOOK.places.values()] + [each.short for each in BOOK.categories.values()]
    labels += [commitment.short for commitment in BOOK.commitments.values()]
    labels += [choice.label for values in BOOK.choices.values() for choice in values.values()]
    assert all(len(label.encode("gsm03.38")) <= 40 for label in labels)
    assert all(len(place.short) <= 28 for place in BOOK.places.values())


def test_the_shipped_pack_passes_its_own_lint() -> None:
    assert [found for found in collisions(PACK, pack_words(PACK)) if found.severity == "error"] == []


def edited(kind: str, name: str, *added: str) -> dict[str, dict[str, list[str]]]:
    words = pack_words(PACK)
    words[kind][name] = [*words[kind][name], *added]
    return words


@pytest.mark.parametrize(
    ("kind", "name", "word", "found"),
    [
        ("form", "incident", "MESA", "same"),
        ("form", "incident", "Mésa", "same"),
        ("form", "incident", "NEBAJ", "same"),
        ("form", "incident", "ROB", "same"),
        ("form", "incident", "RETORNA", "near"),
        ("form", "incident", "RREUNION", "near"),
        ("category", "ROB", "amenasa", "near"),
        ("form", "incident", "YES", "reserved"),
        ("form", "meeting", "stop", "reserved"),
        ("form", "incident", "", "empty"),
        ("form", "incident", "x" * 41, "long"),
        ("form", "incident", "(a+)+$", "literal"),
        ("form", "incident", ".*", "literal"),
    ],
)
def test_a_word_that_could_be_taken_for_another_is_refused(kind: str, name: str, word: str, found: str) -> None:
    errors = [one for one in collisions(PACK, edited(kind, name, word)) if one.severity == "error"]
    assert found in {one.kind for one in errors if one.word == word or one.other == word}


def test_short_words_one_letter_apart_are_only_warned_about() -> None:
    found = collisions(PACK, edited("form", "meeting", "INK"))
    assert {one.severity for one in found if "INK" in (one.word, one.other)} == {"warning"}


def test_edited_words_replace_the_packs_own() -> None:
    book = compile_codebook(PACK, revision=7, words={"form": {"incident": ["SUCESO"]}})
    assert book.revision == 7
    assert book.forms["incident"].keywords == ("SUCESO",)
    with pytest.raises(KeyError):
        compile_codebook(PACK, words={"form": {"nonsense": ["X"]}})


def test_words_of_other_languages_name_their_source_and_wait_for_review() -> None:
    rows = PACK.table("languages")
    assert rows
    assert all(row["source"] and row["reviewed"] in ("no", "yes") for row in rows)
    unreviewed = [row for row in rows if row["reviewed"] == "no"]
    assert not [
        row for row in unreviewed if row["kind"] in ("urgent", "helpword") or row["value"] in ("urgent", "stop")
    ]


def test_a_pack_that_is_not_there_is_said_so() -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_pack("nowhere")
