"""Another country is another folder: nothing in the reader knows Guatemala."""

from datetime import UTC, datetime
from pathlib import Path

from parsers import Context, compile_codebook, load_pack, read_message

HN = compile_codebook(load_pack(Path(__file__).parent / "packs" / "hn"))
NOON = Context(heard_at=datetime(2026, 3, 10, 18, tzinfo=UTC))


def test_another_pack_is_read_with_its_own_words_and_places() -> None:
    reading = read_message("SUCESO toma La Ceiba ayer 2 heridos", HN, NOON)
    assert reading.outcome == "accept"
    report = reading.reports[0]
    assert (report.get("category"), report.get("place")) == ("TOM", "0101")
    assert (report.get("date"), report.get("injured")) == ("2026-03-09", 2)


def test_its_misspelt_places_are_repaired_too() -> None:
    reading = read_message("suceso balacera tegusigalpa", HN, NOON)
    assert reading.reports[0].get("place") == "0801"
    assert reading.reports[0].values["place"].how == "repaired"
    assert reading.reports[0].urgent


def test_words_of_guatemala_mean_nothing_there() -> None:
    assert read_message("INC ROB NEBAJ", HN, NOON).outcome == "reject"
