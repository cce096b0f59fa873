"""The labelled texts, read the way intake reads them and scored by the scorer they came with."""

from pathlib import Path
from typing import Any

import pytest

from parsers import Codebook, compile_codebook, load_pack
from tests.corpus import grammar, runner, score, table
from tests.corpus.summary import summary

CORPUS = Path(runner.__file__).parent
PEOPLE = runner.contacts(CORPUS / "contacts.csv")
TABLES = sorted(path.name for path in CORPUS.glob("own*.csv"))


@pytest.fixture(scope="module")
def book() -> Codebook:
    return compile_codebook(load_pack())


def missed(lines: list[dict[str, Any]], book: Codebook) -> list[str]:
    read = {line["id"]: line for line in runner.predict(lines, book, PEOPLE)}
    return [
        f"{line['id']} {line.get('text', '')!r} gave {read[line['id']]}"
        for line in lines
        if not score.score(line["expect"], read[line["id"]])[1]
    ]


@pytest.mark.parametrize("tag", ["hand", "gen", ""])
def test_labelled_texts_are_read_as_a_careful_person_would(tag: str, book: Codebook) -> None:
    lines = [line for line in runner.load(CORPUS / "dev.jsonl") if not tag or tag in line["tags"]]
    found = summary(lines, runner.predict(lines, book, PEOPLE))
    assert found["exact"] >= 0.97, missed(lines, book)
    assert found["mean"] >= 0.98
    assert found["urgent_recall"] >= 0.99
    assert found["false_urgent"] <= 0.02
    assert found["wrong_stops"] == 0
    assert found["junk_accepted"] == 0


@pytest.mark.parametrize("name", TABLES)
def test_every_line_of_our_own_tables_is_read(name: str, book: Codebook) -> None:
    lines = table.load_table(CORPUS / name, PEOPLE)
    assert len(lines) > 20
    assert missed(lines, book) == []


def test_what_is_not_read_yet_does_no_harm_and_is_listed_only_while_it_is_not(book: Codebook) -> None:
    lines = table.load_table(CORPUS / "open.csv", PEOPLE)
    found = summary(lines, runner.predict(lines, book, PEOPLE))
    assert found["wrong_stops"] == found["junk_accepted"] == found["false_urgent"] == 0
    assert found["exact"] == 0, "a line that is read by now belongs into one of our own tables"


@pytest.mark.parametrize("seed", [11, 12])
def test_texts_drawn_from_a_grammar_say_what_they_were_made_from(seed: int, book: Codebook) -> None:
    lines = grammar.lines(book, PEOPLE, seed, 500)
    found = summary(lines, runner.predict(lines, book, PEOPLE))
    assert found["exact"] >= 0.985, missed(lines, book)
    assert found["urgent_recall"] >= 0.99
    assert found["false_urgent"] <= 0.01
    assert found["wrong_stops"] == 0


def test_a_table_line_that_says_nothing_known_is_refused() -> None:
    with pytest.raises(ValueError, match="what is 'nonsense'"):
        table.expect("ROB 1413 nonsense", None)
