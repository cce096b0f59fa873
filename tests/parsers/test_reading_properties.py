"""What holds for any text whatever."""

import json
import time
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers import (
    Context,
    Pending,
    ReportReading,
    as_prediction,
    compile_codebook,
    fold,
    fold_text,
    load_pack,
    read_message,
    split_hand_part,
)
from tests.corpus import fuzz, runner, table
from tests.parsers.test_labelled_texts import CORPUS, PEOPLE, TABLES

BOOK = compile_codebook(load_pack())
WHEN = datetime(2026, 3, 10, 16, tzinfo=UTC)
HOME = Context(heard_at=WHEN, registered=True, home_place="1413", village="Acul")
ASKED = Context(
    heard_at=WHEN,
    registered=True,
    home_place="1413",
    pending=Pending("place", ReportReading("incident"), ("1311", "1705")),
)
DEV = [line for line in runner.load(CORPUS / "dev.jsonl") if "text" in line]
OWN = [line for name in TABLES for line in table.load_table(CORPUS / name, PEOPLE)]
WORDS = sorted({word for line in DEV for word in line["text"].split()})

any_text = st.text(st.characters(), max_size=200)
telegrams = st.lists(
    st.one_of(st.sampled_from(WORDS), st.integers(-5, 99999).map(str), st.text(max_size=6)), max_size=25
).map(" ".join)
texts = st.one_of(any_text, telegrams)


@settings(max_examples=600, deadline=None)
@given(texts, st.sampled_from([HOME, ASKED, Context(heard_at=WHEN)]))
def test_no_text_whatever_makes_the_reader_raise(text: str, context: Context) -> None:
    reading = read_message(text, BOOK, context)
    json.dumps(as_prediction(reading))
    assert reading.outcome in {"accept", "ask", "reject"}
    assert (reading.outcome == "reject") == (reading.reason is not None)
    assert (reading.ask is None) == (reading.question is None)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_the_same_text_is_always_read_the_same(text: str) -> None:
    assert read_message(text, BOOK, HOME) == read_message(text, BOOK, HOME)


@settings(max_examples=500, deadline=None)
@given(any_text)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_text(fold_text(text)) == fold_text(text)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_every_span_lies_within_the_text(text: str) -> None:
    reading = read_message(text, BOOK, HOME)
    spans = [(value.start, value.end) for report in reading.reports for value in report.values.values()]
    spans += [(problem.start, problem.end) for problem in reading.problems]
    assert all((start, end) == (-1, -1) or 0 <= start < end <= len(text) for start, end in spans)


@settings(max_examples=300, deadline=None)
@given(texts)
def test_a_hand_made_part_never_raises(text: str) -> None:
    found = split_hand_part(text)
    assert found is None or 1 <= found[0] <= found[1]


def bare(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))


@pytest.mark.parametrize("spell", [str.upper, str.lower, bare, lambda text: unicodedata.normalize("NFD", text)])
def test_accents_and_case_never_change_a_reading(spell: object) -> None:
    for line in (line for line in (*DEV, *OWN) if "Ã" not in line["text"]):  # damage, not spelling
        context = runner.context_of(line, PEOPLE)
        plain = as_prediction(read_message(line["text"], BOOK, context))
        respelt = as_prediction(read_message(spell(line["text"]), BOOK, context))
        for report in (*plain["reports"], *respelt["reports"]):
            for written in ("text", "locality", "name", "topic", "note"):
                report.pop(written, None)
        assert respelt == plain, line["text"]


HOSTILE = [
    "\x00\x1b[31mINC ROB 1413",
    "\ud800INC ROB 1413\udfff",
    "9" * 5000,
    "INC ROB 1413 " + "9" * 5000 + " heridos",
    "INC ROB " + "-3 heridos",
    "é" + "\u0301" * 1000,
    "(a+)+$" * 200,
    "{{7*7}} ${7*7} %n%s {0.__class__}",
    "=HYPERLINK() +1 -1 @SUM",
    "👨‍👩‍👧‍👦" * 300,
    "INC ROB 1413 ٣ heridos",
    "1/2" * 500,
    "inc " * 500,
    ";" * 2000,
    "\n" * 2000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_read_calmly(text: str) -> None:
    json.dumps(as_prediction(read_message(text, BOOK, HOME)))


@pytest.mark.parametrize(
    "text", ["robo en nebaj ayer 2 heridos ", "san juan ", "palabra rrara sin senntido ", "1 ", "x", "inc;", "á" * 9]
)
def test_ten_kilobytes_are_read_in_linear_time(text: str) -> None:
    """The bound is generous for a busy machine; what it guards against is growth with the square of the length."""
    long = (text * 10_000)[:10_000]
    best = min(_seconds(long) for _ in range(3))
    assert best < 0.08


def _seconds(text: str) -> float:
    start = time.process_time()
    read_message(text, BOOK, HOME)
    return time.process_time() - start


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shuffled_words_of_real_texts_never_make_the_reader_raise(seed: int) -> None:
    for text, context in fuzz.cases(BOOK, seed, 700):
        fuzz.check(BOOK, text, context)
