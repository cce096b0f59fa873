"""`vocero read`: texts in, predictions out, with no installation anywhere near."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.cli.conftest import PEOPLE, Result, Vocero

CORPUS = Path(__file__).parents[2] / "corpus"
ANA = {"id": "A1", "channel": "sms", "from": "+50255550101", "received_at": "2026-03-10T06:12:00-06:00"}


def read(bare: Vocero, folder: Path, *lines: str | dict[str, Any]) -> tuple[Result, list[dict[str, Any]]]:
    source, target = folder / "in.jsonl", folder / "out.jsonl"
    source.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    result = bare("read", "--contacts", str(PEOPLE), "--in", str(source), "--out", str(target))
    return result, [json.loads(line) for line in target.read_text().splitlines()]


def test_the_labelled_texts_are_read_well_and_in_their_order(bare: Vocero, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    source = CORPUS / "dev.jsonl"
    result = bare("read", "--contacts", str(PEOPLE), "--in", str(source), "--out", str(target))
    assert result.code == 0
    order = [[json.loads(line)["id"] for line in path.read_text().splitlines()] for path in (source, target)]
    assert order[0] == order[1]
    command = [sys.executable, str(CORPUS / "score.py"), str(source), str(target)]
    scored = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    score = json.loads(scored.stdout)
    assert score["exact"] >= 0.95
    assert score["mean"] >= 0.97
    assert score["wrong_stops"] == 0


def test_nothing_is_made_in_the_folder(bare: Vocero, tmp_path: Path) -> None:
    read(bare, tmp_path, {**ANA, "text": "inc rob nebaj"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl"]


BROKEN = {
    "no JSON": "{not json",
    "a list": "[1, 2]",
    "a number": "7",
    "no text": json.dumps(ANA),
    "no time": json.dumps({"id": "A1", "from": "+50255550101", "text": "inc rob"}),
    "a time without offset": json.dumps({**ANA, "received_at": "2026-03-10T06:12:00", "text": "inc rob"}),
    "a text that is a number": json.dumps({**ANA, "text": 7}),
    "a part that is none": json.dumps({**ANA, "text": "inc", "part": {"ref": 1}}),
    "a question that is none": json.dumps({**ANA, "text": "inc", "context": {"pending": {"ask": "place"}}}),
    "a context that is a list": json.dumps({**ANA, "text": "inc", "context": [1]}),
    "very deep": "[" * 100_000,
    "blank": "",
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_line_gives_a_rejection_and_exit_code_1_and_the_rest_is_read(
    bare: Vocero, tmp_path: Path, line: str
) -> None:
    good = {**ANA, "text": "inc rob nebaj ayer"}
    result, found = read(bare, tmp_path, good, line, {**good, "id": "A2"})
    assert result.code == 1
    assert [one["outcome"] for one in found] == ["accept", "reject", "accept"]
    assert found[1]["reason"] == "unknown"
    assert "line 2" in result.err


ODD = {
    "lone surrogate": "inc rob \ud800 nebaj",
    "NUL": "inc rob\0 nebaj",
    "very long": "inc rob nebaj " * 5000,
    "only signs": "@#$%&",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_an_odd_text_is_answered_like_any_other(bare: Vocero, tmp_path: Path, text: str) -> None:
    result, found = read(bare, tmp_path, {**ANA, "text": text})
    assert result.code == 0
    assert [one["id"] for one in found] == ["A1"]


def test_bytes_that_are_no_utf8_do_not_end_the_run(bare: Vocero, tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(json.dumps({**ANA, "text": "inc rob XX"}).encode().replace(b"XX", b"\xff\xfe") + b"\n")
    assert bare("read", "--in", str(source)).code == 0


def test_lines_of_a_group_share_a_memory_and_others_do_not(bare: Vocero, tmp_path: Path) -> None:
    first = {**ANA, "text": "INC 1413", "group": "g"}
    answer = {**ANA, "id": "A2", "received_at": "2026-03-10T06:20:00-06:00", "text": "robo", "group": "g"}
    _, found = read(bare, tmp_path, first, answer, {**answer, "id": "A3", "group": "other"})
    assert [one["outcome"] for one in found] == ["ask", "accept", found[2]["outcome"]]
    assert found[1]["reports"][0]["place"] == "1413"
    assert found[2]["reports"][:1] != found[1]["reports"][:1]


def test_a_repeat_within_a_day_is_one_and_after_a_day_is_none(bare: Vocero, tmp_path: Path) -> None:
    texts = [
        {**ANA, "id": str(number), "received_at": at, "text": "inc rob nebaj 2 heridos", "group": "g"}
        for number, at in enumerate(
            ("2026-03-10T06:00:00-06:00", "2026-03-10T07:00:00-06:00", "2026-03-11T06:30:00-06:00"), start=1
        )
    ]
    _, found = read(bare, tmp_path, *texts)
    assert [one["outcome"] for one in found] == ["accept", "duplicate", "accept"]
    assert found[1]["duplicate_of"] == "1"


def test_parts_wait_for_each_other(bare: Vocero, tmp_path: Path) -> None:
    second = {**ANA, "id": "2", "text": "ayer 2 heridos", "part": {"ref": 9, "seq": 2, "total": 2}, "group": "g"}
    first = {**second, "id": "1", "text": "inc rob nebaj ", "part": {"ref": 9, "seq": 1, "total": 2}}
    _, found = read(bare, tmp_path, second, first)
    assert [one["outcome"] for one in found] == ["hold", "accept"]
    assert found[1]["reports"][0]["counts"] == {"injured": 2}


def test_a_mail_is_read_by_its_own_words(bare: Vocero, tmp_path: Path) -> None:
    raw = (
        "From: Candelaria <panzos1@monitores.example>\r\nTo: v@x.example\r\nSubject: INC TIE\r\n"
        "Date: Tue, 10 Mar 2026 06:00:00 -0600\r\n\r\nPanzos 12 familias\r\n\r\n> INC HOM 2001 9 muertos\r\n"
    )
    mail = {**ANA, "channel": "email", "from": "panzos1@monitores.example", "email_raw": raw}
    _, found = read(bare, tmp_path, mail)
    (report,) = found[0]["reports"]
    assert (report["category"], report["place"], report["counts"]) == ("TIE", "1607", {"families": 12})


def test_one_text_is_read_at_once(bare: Vocero) -> None:
    at = "2026-03-10T06:12"
    result = bare("read", "inc rob nebaj ayer 2 heridos", "--at", at, "--contacts", str(PEOPLE), "--from", "55550101")
    assert json.loads(result.out)["reports"][0]["date"] == "2026-03-09"
    explained = bare("read", "--explain", "inc rob nebaj ayer 2 heridos", "--at", at)
    assert explained.code == 0
    assert all(word in explained.out for word in ("accept", "injured", "1413", "2026-03-09"))


def test_a_wrong_table_of_contacts_is_named_by_line(bare: Vocero, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("phone,email,name,role\n12,,Ana,monitor\n")
    result = bare("read", "hola", "--contacts", str(table))
    assert result.code == 1
    assert "line 2: phone is not a number" in result.err
