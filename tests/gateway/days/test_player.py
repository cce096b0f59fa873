"""Small days, played: the wires, the clock and the words of a failure."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.days.day_file import read_day
from gateway.days.lines import DayError
from gateway.days.model import Day
from gateway.days.player import play
from gateway.days.record import Record
from gateway.days.verdict import failures
from gateway.errors import Conflict
from tests.conftest import Installation, database_of

ROOT = Path(__file__).parents[3]
OUTSIDE = """
start: 2026-03-10 05:55
refs_from: 3200
contacts: pack
steps:
  # What is written to a channel that is away waits outside, and so do the answers.
  - {at: 06:00, outage: {channel: modem, until: 06:30}}
  - at: 06:10
    text: {from: Ana Cobo, body: INC ROB NEBAJ ayer}
    expect:
      - {to: Ana Cobo, by: none, within: 15m}
      - report: {ref: 3200, exists: no}
  - at: 06:30
    expect:
      - {to: Ana Cobo, by: sms, within: 60, has: R3200, times: 1}
      - report: {ref: 3200, category: robo, place: Nebaj, date: yesterday, sent: 06:10, received: 06:30, from: Ana}
  # A raw mail keeps its own date; one without gets that of its step.
  - at: 07:00
    text:
      from: panzos1@monitores.example
      via: email
      raw: |
        From: panzos1@monitores.example
        To: vocero@oficina.example
        Subject: aviso
        Message-ID: <1@monitores.example>

        INC TIE PANZOS 12 familias
    expect:
      - {to: Candelaria, by: email, has: R3201}
      - report: {ref: 3201, counts: 12 familias, sent: 07:00, via: mail}
  # What waits when the power fails is sent once, afterwards.
  - {at: 08:00, outage: {channel: mail, for: 30m}}
  - at: 08:05
    text: {from: Tomas Lux, body: ALERTA LIN SACAPULAS tienen amarrado a un joven}
    expect:
      - {to: Marta, by: sms, has: [ALERTA R3202], within: 60}
      - outbox: {channel: mail, queued: 1}
  - at: 08:10
    power: {off_for: 5m}
    expect:
      - outbox: as before
  - at: 08:12
    text: {from: Gaspar Caba, body: AC 23 NO}
    expect:
      - report: {ref: 3203, received: 08:15}
  - at: 08:20
    admin: {do: close, ref: 3202}
    expect:
      - report: {ref: 3202, state: closed}
      - page: {path: /reports/R3202, has: Sacapulas}
  - at: 08:30
    expect:
      - {to: Marta, by: email, within: 5m, has: R3202, times: 1}
      - outbox: {channel: mail, queued: 0, within: 5m}
  - {at: 08:35, tick: {to: 08:45}}
checks:
  - totals: {texts: 4, reports: 4, lost: 0, doubled: 0}
  - queue: {channel: mail, empty_by: 08:35}
"""
WRONG = """
start: 2026-03-10 05:55
contacts: pack
steps:
  - at: 06:10
    text: {from: Ana Cobo, body: INC ROB NEBAJ ayer}
    expect:
      - {to: Ana Cobo, by: sms, has: [Acul, R3000]}
      - {to: Ana Cobo, by: none}
      - report: {ref: 3000, place: Chajul}
checks:
  - totals: {reports: 2}
"""


def told(day: Day, record: Record) -> list[str]:
    return [f"line {failure.line}: {failure.words}" for failure in failures(day, record)]


def test_what_is_away_waits_and_what_waits_survives_the_power(database_url: str | None) -> None:
    day = read_day(OUTSIDE, Path())
    assert told(day, play(day, database_url)) == []


def test_a_failure_says_who_should_have_seen_what_and_what_they_saw(database_url: str | None) -> None:
    day = read_day(WRONG, Path())
    place, nothing, report, total = told(day, play(day, database_url))
    assert place.startswith(
        "line 8: Ana Cobo should get an SMS within 60 s with 'Acul', 'R3000', and got 06:10 sms 'R30"
    )
    assert nothing.startswith("line 9: Ana Cobo should get nothing, and got 06:10 sms 'R3000 recibido")
    assert report == "line 10: report R3000: place should be '1405', and is '1413'"
    assert total == "line 12: totals: reports should be '2', and is 1"


def test_a_digest_that_is_due_as_the_day_begins_belongs_to_the_day(database_url: str | None) -> None:
    head = "start: 2026-03-10 06:00\ncontacts: pack\nsubscriptions: {Marta: '06:00'}\n"
    step = "steps:\n  - {at: 06:00, expect: [{to: Marta, by: email, times: 1}, {to: Marta, by: sms, times: 1}]}\n"
    day = read_day(head + step, Path())
    assert told(day, play(day, database_url)) == []


def test_an_act_that_cannot_be_done_then_is_told_with_its_line(database_url: str | None) -> None:
    day = read_day("start: 2026-03-10 05:55\nsteps:\n  - {at: 06:00, admin: {do: close, ref: 9}}\n", Path())
    with pytest.raises(DayError, match=r"line 3: admin close: .*there is no report R9"):
        play(day, database_url)


def test_the_command_prints_each_message_and_ends_with_one_when_something_failed(
    tmp_path: Path, database_url: str | None
) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    database = ["--database", database_url] if database_url else []
    done = subprocess.run(
        [sys.executable, "-m", "gateway.cli", "simulate", "wrong.yaml", "--json", *database], cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    (sent,) = (json.loads(line) for line in done.stdout.splitlines())
    assert (sent["at"], sent["to"], sent["by"]) == ("2026-03-10T06:10:00-06:00", "Ana Cobo", "sms")
    assert sent["text"].startswith("R3000 recibido: Robo")
    assert "line 10, 06:10, Ana Cobo writes 'INC ROB NEBAJ ayer': report R3000" in done.stderr
    assert "4 failed" in done.stderr


def test_a_day_is_not_played_in_a_database_that_is_in_use(
    postgres_server: str, postgres_installation: Installation, tmp_path: Path
) -> None:
    day = read_day("start: 2026-03-10 05:55\nsteps:\n  - at: 06:00\n", tmp_path)
    with pytest.raises(Conflict, match="not empty"):
        play(day, database_of(postgres_server, postgres_installation.name))
