"""What subscriptions may ask for."""

import csv
import io
import json
from base64 import b64decode
from datetime import timedelta

import openpyxl
import pytest

from gateway import subscriptions
from gateway.digests import run_due
from gateway.digests.post import read_stop_token
from gateway.digests.prepare import tools_of
from gateway.digests.preview import preview
from gateway.errors import Conflict, UsageError
from gateway.house import House
from gateway.wishes import Wish, make_wish
from outbox.rows import OUTBOUND
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.digests.office import (
    DAY,
    EVENING,
    HOUR,
    MORNING,
    messages,
    opened,
    run_at,
    subscribe,
    told,
)
from tests.gateway.rows import add_report


def texts(house: House) -> list[str]:
    return [opened(house, row) for row in messages(house, OUTBOUND)]


def test_both_ways_are_one_run_with_two_messages(office: House, clock: HandClock) -> None:
    subscribe(office, by="both")
    _, ref = add_report(office, MORNING - HOUR)
    (run,) = run_at(office, clock, MORNING)
    assert run.refs == (ref,)
    mail, sms = messages(office, OUTBOUND)
    assert (mail.channel, sms.channel) == ("correo", "telefono")
    assert {mail.digest_run_id, sms.digest_run_id} == {mail.digest_run_id}
    assert all(f"R{ref}" in text for text in texts(office))
    assert count(texts(office)[1]).segments <= 2


def test_an_sms_without_a_chosen_hour_waits_until_the_night_is_over(office: House, clock: HandClock) -> None:
    for by in ("sms", "email"):
        subscribe(office, by=by, at="")
    subscribe(office, by="sms", at="06:00")
    run_at(office, clock, MORNING + timedelta(seconds=3))
    waits = [row.not_before - MORNING for row in messages(office, OUTBOUND)]
    assert waits == [timedelta(hours=2, minutes=30), timedelta(seconds=3), timedelta(seconds=3)]


def test_one_way_is_enough_when_the_other_is_closed(office: House, clock: HandClock) -> None:
    subscribe(office, by="both")
    office.writer.write_now(
        lambda conn: conn.exec_driver_sql("UPDATE channel SET state = 'disabled' WHERE name = 'correo'")
    )
    (run,) = run_at(office, clock, MORNING)
    assert len(run.outbox) == 1


def test_one_who_wants_silence_gets_no_word_of_nothing(office: House, clock: HandClock) -> None:
    subscribe(office, when_empty="silent")
    (run,) = run_at(office, clock, MORNING)
    assert run.outbox == ()
    assert messages(office, OUTBOUND) == []
    assert run_at(office, clock, MORNING) == []
    _, ref = add_report(office, MORNING + HOUR)
    (run,) = run_at(office, clock, EVENING)
    assert run.refs == (ref,)
    assert len(run.outbox) == 1


def test_one_who_wants_silence_hears_of_the_silent(office: House, clock: HandClock) -> None:
    subscribe(office, when_empty="silent")
    clock.now = MORNING + 9 * DAY
    run_due(office)
    assert "Santa María Nebaj: sin noticias desde 09/03" in texts(office)[-1]
    assert "Ana" not in texts(office)[-1]


def test_each_period_is_told_for_itself_when_that_is_wanted(office: House, clock: HandClock) -> None:
    subscribe(office, catch_up="each")
    refs = [add_report(office, MORNING + n * 12 * HOUR - HOUR)[1] for n in range(3)]
    runs = run_at(office, clock, MORNING + DAY)
    evening_before = ((), MORNING - 12 * HOUR)
    told_each = [((refs[n],), MORNING + n * 12 * HOUR) for n in range(3)]
    assert [(run.refs, run.period_to) for run in runs] == [evening_before, *told_each]
    assert run_at(office, clock, MORNING + DAY) == []


def test_after_months_off_the_oldest_periods_are_told_together(office: House, clock: HandClock) -> None:
    subscribe(office, catch_up="each", at="06:00")
    _, old = add_report(office, MORNING + DAY - HOUR)
    runs = run_at(office, clock, MORNING + 90 * DAY)
    assert len(runs) == 31
    assert runs[0].refs == (old,)
    assert runs[0].period_from == MORNING - DAY
    assert runs[0].period_to == MORNING + 60 * DAY


def test_forms_and_categories_choose_what_is_told(office: House, clock: HandClock) -> None:
    subscribe(office, categories="AME,ROB", forms="incident")
    _, robbery = add_report(office, MORNING - 2 * HOUR)
    add_report(office, MORNING - HOUR, category="TIE")
    add_report(office, MORNING - HOUR, form="meeting", category=None)
    assert told(run_at(office, clock, MORNING)) == [(robbery,)]


def test_the_language_of_the_subscription_goes_before_that_of_the_person(office: House, clock: HandClock) -> None:
    subscribe(office, language="en")
    subscribe(office, "mailto:eulalio@oficina.example", language="es")
    run_at(office, clock, MORNING)
    assert ["Nothing new" in text for text in texts(office)] == [True, False]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_goes_with_the_mail_and_says_no_more_than_it(office: House, clock: HandClock, kind: str) -> None:
    subscribe(office, by="both", attach=kind)
    _, ref = add_report(office, MORNING - HOUR, fields={"injured": 2})
    _, reserved = add_report(office, MORNING - HOUR, category="VIF", place="1405")
    run_at(office, clock, MORNING)
    mail, sms = messages(office, OUTBOUND)
    assert sms.attachments_sealed is None
    ((name, _, data),) = json.loads(opened(office, mail, "attachments"))
    assert name == f"vocero-20260310-0600.{kind}"
    raw = b64decode(data)
    rows = (
        list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
        if kind == "csv"
        else [[str(v or "") for v in row] for row in openpyxl.load_workbook(io.BytesIO(raw)).active.values]  # type: ignore[union-attr]
    )
    assert rows[1][:4] == [str(ref), "Robo o asalto", "1413", "Santa María Nebaj"]
    assert rows[1][rows[0].index("heridos")] == "2"
    assert rows[2][:4] == ["", "Caso reservado", "14", "Quiché"]
    assert set(rows[2][4:]) == {""}
    assert str(reserved) not in str(rows)
    assert "el nombre de Ana" not in str(rows)


def test_the_mails_of_a_day_are_one_thread_with_steady_ids_and_a_way_out(office: House, clock: HandClock) -> None:
    key = subscribe(office)
    for at in (MORNING, EVENING, EVENING + 12 * HOUR):
        run_at(office, clock, at)
    first, second, third = (json.loads(opened(office, row, "headers")) for row in messages(office, OUTBOUND))
    assert first["References"] == second["References"] == first["In-Reply-To"]
    assert third["References"] != first["References"]
    assert len({found["Message-ID"] for found in (first, second, third)}) == 3
    assert first["Message-ID"].endswith("@oficina.example>")
    token = first["List-Unsubscribe"].rpartition("/")[2].rstrip(">")
    assert read_stop_token(token, office.sealer) == key
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(key) not in str(first)


def test_a_preview_has_no_effect_on_what_is_told(office: House, clock: HandClock) -> None:
    key = subscribe(office)
    _, ref = add_report(office, MORNING - HOUR)
    clock.now = MORNING
    for _ in range(2):
        shown = office.read_now(lambda conn: preview(conn, key, clock.now, tools_of(office, conn)))
        assert shown.refs == [ref]
    assert told(run_at(office, clock, MORNING)) == [(ref,)]


def test_a_wish_can_be_changed_and_twice_the_same_is_refused(office: House, clock: HandClock) -> None:
    key, other = subscribe(office), subscribe(office, at="12:00")
    weekly = Wish("email", ("12:00",), every="week", weekday=2)
    office.writer.write_now(lambda conn: subscriptions.change(conn, key, weekly, now=clock.now, actor="cli"))
    row = office.read_now(lambda conn: subscriptions.standing(conn)[0])
    assert row.id == key
    assert subscriptions.wish_of(row) == weekly
    with pytest.raises(Conflict):
        office.writer.write_now(lambda conn: subscriptions.change(conn, other, weekly, now=clock.now, actor="cli"))


WRONG: dict[str, dict[str, str]] = {
    "a way that is none": {"by": "fax"}, "an hour that is none": {"hours": "25:00"}, "a place": {"places": "99"},
    "a zone": {"zone": "Mars/Olympus"}, "a rhythm": {"every": "year"}, "a weekday": {"every": "week", "day": "1"},
    "a day of the month": {"every": "month", "day": "32"}, "a form": {"forms": "fable"},
    "a language": {"language": "1"}, "a category": {"categories": "ZZZ"}, "a detail": {"detail": "much"},
    "a file": {"attach": "pdf"},
}  # fmt: skip


@pytest.mark.parametrize("typed", WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_asked_for_is_refused_in_words(house: House, typed: dict[str, str]) -> None:
    book = house.read_now(house.codebook)
    fields = {"by": "email", "hours": "06:00", "places": "", "zone": "America/Guatemala", **typed}
    by, hours, places, zone = (fields.pop(name) for name in ("by", "hours", "places", "zone"))
    with pytest.raises(UsageError):
        make_wish(by, hours, places, book.places, zone, codebook=book, **fields)
