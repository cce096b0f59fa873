"""Who is silent, by the rhythm that is expected of each."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import update

from gateway import limits
from gateway.contacts import CONTACT, set_status
from gateway.errors import NotFound, UsageError
from gateway.silence import Silent, keep_heard, silent_contacts
from tests.conftest import HandClock
from tests.gateway.desk import ANA, GASPAR, MARTA, Desk
from tests.gateway.rows import contact_of

ROSA = "tel:+50255550113"
LAST_WORDS = datetime(2026, 3, 3, 3, 40, tzinfo=UTC)
WEEK = timedelta(days=7)


def silent(desk: Desk, places: Sequence[str] | None = None) -> list[Silent]:
    now = desk.house.clock()
    return desk.house.read_now(lambda connection: silent_contacts(connection, now=now, places=places))


def set_contact(desk: Desk, address: str, **values: object) -> None:
    key = contact_of(desk.house, address)
    desk.house.writer.write_now(
        lambda connection: connection.execute(update(CONTACT).where(CONTACT.c.id == key).values(**values))
    )


def set_limit(desk: Desk, name: str, value: str) -> None:
    at = desk.house.clock()
    desk.house.writer.write_now(lambda connection: limits.change(connection, name, value, at=at, actor="test"))


@pytest.fixture
def rosa_is_silent(desk: Desk) -> Desk:
    set_contact(desk, ROSA, last_heard_at=LAST_WORDS)
    return desk


def test_a_monitor_is_silent_a_week_after_the_last_text(rosa_is_silent: Desk, clock: HandClock) -> None:
    clock.now = LAST_WORDS + WEEK - timedelta(seconds=1)
    assert silent(rosa_is_silent) == []
    clock.now = LAST_WORDS + WEEK
    rosa = contact_of(rosa_is_silent.house, ROSA)
    assert silent(rosa_is_silent) == [Silent(rosa, "1612", LAST_WORDS)]


@pytest.mark.parametrize(("places", "number"), [(["1612"], 1), (["16"], 1), (["14", "1601"], 0), ([], 0), (None, 1)])
def test_only_the_places_asked_for_are_looked_at(
    rosa_is_silent: Desk, clock: HandClock, places: list[str] | None, number: int
) -> None:
    assert len(silent(rosa_is_silent, places)) == number


@pytest.mark.parametrize("text", ["BIEN", "sin novedad", "inc rob nebaj", "hola", "PRUEBA inc rob nebaj"])
def test_any_text_is_a_sign_of_life(rosa_is_silent: Desk, clock: HandClock, text: str) -> None:
    rosa_is_silent.say(ROSA, text)
    assert silent(rosa_is_silent) == []


def test_who_never_wrote_is_counted_from_the_registration(desk: Desk, clock: HandClock) -> None:
    registered = clock.now
    clock.advance(WEEK)
    found = silent(desk)
    assert len(found) == 20, "every monitor with a phone; not the team that writes e-mail, nor coordinators"
    assert {one.since for one in found} == {registered}


def test_the_rhythm_of_a_person_goes_before_the_usual_one(rosa_is_silent: Desk, clock: HandClock) -> None:
    set_contact(rosa_is_silent, ROSA, rhythm_days=0)
    assert silent(rosa_is_silent) == []
    set_contact(rosa_is_silent, ROSA, rhythm_days=30)
    assert silent(rosa_is_silent) == []
    clock.now = LAST_WORDS + timedelta(days=30)
    set_limit(rosa_is_silent, "rhythm_days", "60")
    assert len(silent(rosa_is_silent)) == 1
    set_contact(rosa_is_silent, MARTA, rhythm_days=20)
    assert len(silent(rosa_is_silent)) == 2


def test_the_usual_rhythm_can_be_changed_while_running(rosa_is_silent: Desk) -> None:
    set_limit(rosa_is_silent, "rhythm_days", "14")
    assert silent(rosa_is_silent) == []
    set_limit(rosa_is_silent, "rhythm_days", "0")
    assert silent(rosa_is_silent) == []


def test_nobody_is_expected_who_left_or_opted_out(rosa_is_silent: Desk, clock: HandClock) -> None:
    house = rosa_is_silent.house
    rosa_is_silent.say(ROSA, "BAJA")
    rosa_is_silent.say(ANA, "inc rob")
    rosa_is_silent.say(GASPAR, "inc rob")
    key = contact_of(house, ANA)
    house.writer.write_now(lambda conn: set_status(conn, key, "left", now=clock.now, actor="test"))
    clock.advance(WEEK)
    who = {one.contact_id for one in silent(rosa_is_silent)}
    assert contact_of(house, GASPAR) in who
    assert not who & {contact_of(house, ROSA), key}


def test_a_clock_that_ran_ahead_makes_nobody_silent(rosa_is_silent: Desk, clock: HandClock) -> None:
    clock.now = LAST_WORDS - timedelta(days=400)
    assert silent(rosa_is_silent) == []


def test_a_limit_is_checked_audited_and_can_go_back_to_its_default(desk: Desk, clock: HandClock) -> None:
    write, read = desk.house.writer.write_now, desk.house.read_now
    set_limit(desk, "quiet_from", "9:05")
    assert read(limits.load).value("quiet_from") == "09:05"
    for name, typed, error in (
        ("quiet_from", "25:00", UsageError), ("reminders", "6", UsageError), ("reminders", "-1", UsageError),
        ("reminders", "viele", UsageError), ("colour", "red", NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            set_limit(desk, name, typed)
    write(lambda connection: limits.reset(connection, "quiet_from", at=clock.now, actor="test"))
    assert read(limits.load).value("quiet_from") == "20:00"


def test_who_was_heard_while_the_clock_was_weeks_behind_is_not_silent(rosa_is_silent: Desk, clock: HandClock) -> None:
    house, step = rosa_is_silent.house, timedelta(days=21)
    right = clock.now
    began = clock.now = right - step
    clock.advance(timedelta(minutes=5))
    rosa_is_silent.say(ANA, "inc rob nebaj ayer")
    clock.advance(timedelta(minutes=5))
    clock.now += step
    put_right = partial(keep_heard, began=began, step=step, now=clock.now)
    assert [house.writer.write_now(put_right) for _ in range(2)] == [1, 0]
    who = {one.contact_id for one in silent(rosa_is_silent)}
    assert contact_of(house, ROSA) in who
    assert contact_of(house, ANA) not in who
