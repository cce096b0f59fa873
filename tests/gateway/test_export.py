"""Exports that open in a spreadsheet without becoming formulas (OWASP ASVS 5.0, 1.2.10)."""

import csv
import io
import json

import pytest

from gateway.export import write_csv, write_jsonl

FORMULAS = ["=1+1", "+50255550101", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠1"]


def written(**document: object) -> list[str]:
    out = io.StringIO()
    write_csv(iter([document]), out)
    return next(csv.reader(io.StringIO(out.getvalue().split("\r\n", 1)[1])))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_a_spreadsheet_would_reckon_is_made_plain(text: str) -> None:
    assert written(text=text)[0].startswith("'")


def test_numbers_stay_numbers_and_unknown_is_empty() -> None:
    assert written(ref=-5, rate=1.5, urgent=True, error=None) == ["-5", "1.5", "true", ""]


def test_objects_are_json_and_quotes_and_lines_survive() -> None:
    cells = written(counts={"injured": 2}, text='dijo "no"\ny se fue, luego;')
    assert json.loads(cells[0]) == {"injured": 2}
    assert cells[1] == 'dijo "no"\ny se fue, luego;'


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    out = io.StringIO()
    assert write_jsonl(iter([{"text": "a\ud800b"}]), out) == 1
    assert json.loads(out.getvalue())["text"] == "a\ud800b"
    assert written(text="a\ud800b") == ["a\\ud800b"]


def test_nothing_to_export_is_an_empty_file() -> None:
    out = io.StringIO()
    assert write_csv(iter([]), out) == 0
    assert out.getvalue() == ""
