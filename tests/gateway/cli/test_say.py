"""A text typed at the terminal is kept like any other."""

from pathlib import Path

from tests.served import Served


def test_a_text_typed_for_somebody_counts_as_theirs_and_its_answer_is_printed(tmp_path: Path) -> None:
    office = Served(tmp_path)
    office.set_up()
    refused = office.run("say", "--from", "+50255550101", "inc rob nebaj ayer 2 heridos", code=1)
    assert refused == ""
    office.run("channel", "add", "console", "terminal")
    told = office.run("say", "--from", "+50255550101", "inc rob nebaj ayer 2 heridos")
    assert told.startswith("R3000 recibido: Robo o asalto, Santa Maria Nebaj")
    [report] = office.export("reports")
    assert (report["category"], report["place"]) == ("ROB", "1413")
    again = office.run("say", "--from", "+50255550101", "corregir 3000 heridos 3")
    assert "heridos ahora es 3" in again
