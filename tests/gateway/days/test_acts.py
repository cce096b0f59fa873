"""What an admin does on a day, and what stands before it."""

from pathlib import Path

import pytest

from gateway.days.acts import ACTS
from gateway.days.day_file import read_day
from gateway.days.lines import DayError
from gateway.days.player import play
from gateway.days.verdict import failures

DAY = """
start: 2026-03-10 05:55
refs_from: 3200
contacts: pack
settings: {quiet_hours: 00:00-00:00}
before:
  last_words: {Juana Sunu: 2026-03-08 10:00}
  reports:
    - {ref: 3180, category: TIE, place: Ixcan, date: 2026-03-06}
    - {ref: 3190, from: Ana Cobo, at: 2026-03-09 07:00, body: INC ROB NEBAJ, state: closed}
steps:
  - at: 06:00
    expect:
      - report: [{ref: 3180, state: open, place: 1420, date: 06/03}, {ref: 3190, state: closed}]
      - totals: {reports: 0, texts: 0}
  - {at: 06:01, admin: {do: add_word, kind: category, name: ROB, word: birlaron}}
  - at: 06:02
    text: {from: Ana, body: INC birlaron NEBAJ}
    expect: [{report: {ref: 3200, category: ROB}}]
  - {at: 06:03, admin: {do: remove word, kind: category, name: ROB, word: birlaron}}
  - {at: 06:04, admin: {do: correct, ref: 3200, field: injured, value: 2}, report: {ref: 3200, counts: 2 heridos}}
  - {at: 06:05, admin: {do: correct, ref: 3200, field: place, value: Chajul}, report: {ref: 3200, place: 1405}}
  - {at: 06:06, admin: {do: verify, ref: 3200, as: refuted}, report: {ref: 3200, verification: refuted}}
  - {at: 06:07, admin: {do: note, ref: 3200, text: hablado}, page: {path: /reports/R3200, has: hablado}}
  - {at: 06:08, admin: {do: withdraw, ref: 3200}, report: {ref: 3200, state: withdrawn}}
  - {at: 06:09, admin: {do: reopen, ref: 3200}, report: {ref: 3200, state: open}}
  - {at: 06:10, admin: {do: close, ref: 3200}, report: {ref: 3200, state: closed}}
  - at: 06:20
    text: {from: 5555 9044, body: REGISTRO Juan Sales Nebaj}
  - at: 06:21
    admin: {do: approve, who: 5555 9044}
    expect: [{to: 5555 9044, by: sms, has: aprobado}]
  - {at: 06:22, admin: {do: suspend, who: 5555 9044}}
  - at: 06:23
    text: {from: 5555 9044, body: INC DAN NEBAJ}
    expect: [{report: {from: 5555 9044, registered: no}}]
  - {at: 06:24, admin: {do: left, who: 5555 9044}}
  - {at: 06:25, admin: {do: add_contact, name: Rosa Ixcoy, phone: 5555 9045, role: coordinator, places: [14]}}
  - {at: 06:26, admin: {do: pin, who: Ana, pin: 8361}}
  - at: 06:30
    text: {from: Tomas, body: ALERTA LIN SACAPULAS tienen amarrado a un joven}
    expect: [{to: 5555 9045, by: sms, has: VISTO}]
  - at: 06:31
    admin: {do: seen, ref: 3202, by: Marta}
    expect:
      - alert: {ref: 3202, state: seen, seen_by: Marta, seen_after: 60s}
      - {to: 5555 9045, by: sms, has: la atiende Marta}
  - {at: 06:32, admin: {do: handled, ref: 3202}, alert: {ref: 3202, state: handled}}
  - {at: 06:40, admin: {do: pause, channel: modem}}
  - at: 06:41
    text: {from: Gaspar, body: AC 23 NO}
    expect: [{to: Gaspar, by: none}, {outbox: {to: Gaspar, queued: 1}}]
  - at: 06:42
    admin: {do: resume, channel: modem}
    expect: [{to: Gaspar, by: sms, has: C23}]
  - at: 06:50
    admin: {do: announce, to: Rosa Coc, text: Llame a la oficina}
    expect: [{to: Rosa Coc, by: sms, within: 2m, has: Llame}, {to: Ana, by: none, within: 2m}]
  # Two days without a word.
  - at: 06:55
    admin: {do: set, name: rhythm_days, value: 1}
    expect: [{to: Juana Sunu, by: sms, within: 5m, kind: reminder}]
  - {at: 06:56, admin: {do: subscribe, who: Petrona, by: email, at: 07:00}}
  - {at: 07:00, expect: [{to: Petrona, by: email, kind: digest, times: 1}]}
  - {at: 07:01, admin: {do: pause_digests, who: Petrona}}
  - {at: +1d 07:00, expect: [{to: Petrona, by: none, has: Resumen}]}
  - {at: +1d 07:30, admin: {do: resume_digests, who: Petrona}}
  - {at: +1d 07:40, admin: {do: disable, channel: mail}}
checks: {lost: 0, doubled: 0}
"""


def test_every_act_does_what_its_page_does(database_url: str | None) -> None:
    day = read_day(DAY, Path())
    told = [f"line {failure.line}: {failure.words}" for failure in failures(day, play(day, database_url))]
    assert told == []


def test_every_act_is_tried() -> None:
    assert [name for name in ACTS if f"do: {name}" not in DAY.replace("remove word", "remove_word")] == []


def test_a_report_of_before_that_is_read_otherwise_is_told_with_its_line(database_url: str | None) -> None:
    before = "before: [{ref: 3180, from: Ana Cobo, at: 2026-03-06 09:00, body: INC ROB NEBAJ, place: Chajul}]"
    day = read_day(f"start: 2026-03-10 05:55\ncontacts: pack\n{before}\nsteps:\n  - at: 06:00\n", Path())
    with pytest.raises(DayError, match="line 3: the text of R3180 was read with place 1413 and not 1405"):
        play(day, database_url)
