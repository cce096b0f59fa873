"""Silence: a reminder by day, then the coordinators; once, and not after a sign of life."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.contacts import ADDRESS, CONTACT
from gateway.house import open_house
from gateway.models import OptOut
from gateway.silence_watch import SILENCE, watch_silence
from gateway.upkeep import SETTING
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.desk import MARTA, Desk
from tests.gateway.rows import contact_of

ROSA = "tel:+50255550113"
PETRONA = "tel:+50255550203"
PETRONA_MAIL = "mailto:petrona.coord@oficina.example"
JULIO = "tel:+50255550301"
CANDELARIA = "tel:+50255550111"
LAST_WORDS = datetime(2026, 3, 3, 3, 40, tzinfo=UTC)
DAY = timedelta(days=1)
MORNING = datetime(2026, 3, 10, 14, 30, tzinfo=UTC)
"""08:30 in Guatemala"""


def set_contact(desk: Desk, address: str, **values: object) -> UUID:
    key = contact_of(desk.house, address)
    desk.house.writer.write_now(
        lambda connection: connection.execute(update(CONTACT).where(CONTACT.c.id == key).values(**values))
    )
    return key


def set_limit(desk: Desk, name: str, value: str) -> None:
    desk.house.writer.write_now(lambda conn: limits.change(conn, name, value, at=desk.house.clock(), actor="test"))


def opt_out(desk: Desk, address: str) -> None:
    row = {"address_hash": desk.house.sealer.hash("address", address), "since": LAST_WORDS, "source": "text"}
    desk.house.writer.write_now(lambda connection: connection.execute(insert(OptOut.__table__), [row]))


@pytest.fixture
def tick(desk: Desk, clock: HandClock) -> Callable[[datetime], int]:
    """Rosa wrote last on 2 March at 21:40; all others are not expected. Ticks at a moment; says how many were sent."""
    desk.house.writer.write_now(lambda connection: connection.execute(update(CONTACT).values(rhythm_days=0)))
    set_contact(desk, ROSA, rhythm_days=None, last_heard_at=LAST_WORDS)

    def at(moment: datetime) -> int:
        clock.now = moment
        return watch_silence(desk.house)

    return at


def silences(desk: Desk) -> list[object]:
    return desk.house.read_now(lambda connection: list(connection.execute(select(SILENCE))))


def test_a_reminder_waits_for_the_morning_and_a_day_later_the_coordinator_is_told(
    desk: Desk, tick: Callable[[datetime], int]
) -> None:
    assert tick(datetime(2026, 3, 10, 3, 41, tzinfo=UTC)) == 0, "21:41 is night"
    assert tick(MORNING - timedelta(seconds=1)) == 0
    assert tick(MORNING) == 1
    (reminder,) = desk.told(ROSA)
    assert reminder.startswith("Hola Rosa Coc. No sabemos de su comunidad desde 02/03.")
    assert tick(MORNING + timedelta(minutes=1)) == 0
    assert tick(MORNING + timedelta(hours=23)) == 0
    assert tick(MORNING + DAY) == 1
    (told,) = desk.told(PETRONA)
    assert "Cahabon (1612): sin noticias desde 02/03." in told
    assert "Rosa" not in told
    assert (desk.told(PETRONA_MAIL), desk.told(MARTA), desk.told(JULIO)) == ([], [], [])
    for days in range(2, 12):
        assert tick(MORNING + days * DAY) == 0
    assert all(count(text).segments == 1 for text in (reminder, told))
    assert {row.kind for row in desk.outbox()} == {"reminder"}


def test_a_sign_of_life_ends_it(desk: Desk, clock: HandClock, tick: Callable[[datetime], int]) -> None:
    assert tick(MORNING) == 1
    clock.now = MORNING + timedelta(hours=2)
    desk.say(ROSA, "BIEN")
    assert tick(MORNING + DAY) == 0
    (row,) = silences(desk)
    assert (row.told_at, row.ended_at) == (None, MORNING + DAY)  # type: ignore[attr-defined]
    assert [tick(MORNING + days * DAY) for days in range(2, 9)] == [0, 0, 0, 0, 0, 0, 1], "a second silence"
    assert len(desk.told(ROSA)) == 3


def test_reminders_are_counted(desk: Desk, tick: Callable[[datetime], int]) -> None:
    set_limit(desk, "reminders", "2")
    assert [tick(MORNING + days * DAY) for days in range(5)] == [1, 2, 0, 0, 0]
    assert (len(desk.told(ROSA)), len(desk.told(PETRONA))) == (2, 1)


def test_without_reminders_only_the_coordinator_is_told(desk: Desk, tick: Callable[[datetime], int]) -> None:
    set_limit(desk, "reminders", "0")
    assert [tick(MORNING + days * DAY) for days in range(3)] == [0, 1, 0]
    assert desk.told(ROSA) == []


def test_quiet_hours_are_those_where_the_person_is(desk: Desk, tick: Callable[[datetime], int]) -> None:
    set_contact(desk, ROSA, zone="Europe/Madrid")
    assert tick(datetime(2026, 3, 10, 7, 29, tzinfo=UTC)) == 0
    assert tick(datetime(2026, 3, 10, 7, 30, tzinfo=UTC)) == 1


def test_quiet_hours_can_be_taken_away(desk: Desk, tick: Callable[[datetime], int]) -> None:
    set_limit(desk, "quiet_from", "08:30")
    assert tick(datetime(2026, 3, 10, 3, 41, tzinfo=UTC)) == 1


def test_who_said_baja_is_not_reminded(desk: Desk, tick: Callable[[datetime], int]) -> None:
    opt_out(desk, ROSA)
    opt_out(desk, "mailto:cahabon1@monitores.example")
    assert tick(MORNING) == 0
    assert tick(MORNING + DAY) == 0


def test_a_coordinator_who_said_baja_on_the_phone_is_told_by_mail(desk: Desk, tick: Callable[[datetime], int]) -> None:
    opt_out(desk, PETRONA)
    tick(MORNING)
    assert tick(MORNING + DAY) == 1
    assert len(desk.told(PETRONA_MAIL)) == 1


def test_a_discreet_monitor_gets_a_discreet_reminder(desk: Desk, tick: Callable[[datetime], int]) -> None:
    set_contact(desk, ROSA, discreet=True)
    tick(MORNING)
    assert desk.told(ROSA) == ["Hola Rosa Coc. ¿Todo bien? Responda BIEN."]


def test_a_place_without_coordinator_is_told_to_the_admins(desk: Desk, tick: Callable[[datetime], int]) -> None:
    set_contact(desk, PETRONA, status="left")
    tick(MORNING)
    assert tick(MORNING + DAY) == 1
    assert len(desk.told(JULIO)) == 1


def test_many_silences_of_a_coordinator_are_told_in_few_texts(desk: Desk, tick: Callable[[datetime], int]) -> None:
    desk.house.writer.write_now(
        lambda conn: conn.execute(update(CONTACT).where(CONTACT.c.role == "monitor").values(rhythm_days=7))
    )
    desk.house.writer.write_now(lambda conn: conn.execute(update(CONTACT).values(last_heard_at=LAST_WORDS)))
    assert tick(MORNING) == 21
    assert tick(MORNING + DAY) == len(desk.told(MARTA)) + len(desk.told(PETRONA)) + len(desk.told("tel:+50255550202"))
    told = desk.told(PETRONA)
    assert len(told) <= 2
    assert all(text.startswith("Sin noticias: ") for text in told)
    assert all(f"({place}) desde 02/03" in "".join(told) for place in ("1607", "1609", "1612", "1613"))
    for address in (MARTA, PETRONA):
        assert all(count(text).segments == 1 for text in desk.told(address))


def test_after_days_without_power_the_gateway_listens_before_it_complains(
    desk: Desk, tick: Callable[[datetime], int]
) -> None:
    assert tick(MORNING - 2 * DAY) == 0
    back = MORNING + 5 * DAY
    assert tick(back) == 0
    assert tick(back + timedelta(minutes=59)) == 0
    assert tick(back + timedelta(minutes=61)) == 1


def test_a_clock_set_far_ahead_and_back_sends_nothing_twice(desk: Desk, tick: Callable[[datetime], int]) -> None:
    assert tick(MORNING) == 1
    assert tick(MORNING + 3650 * DAY) == 0
    assert tick(MORNING + timedelta(hours=1)) == 0
    assert tick(MORNING + DAY) == 1
    assert [len(desk.told(address)) for address in (ROSA, PETRONA)] == [1, 1]


def test_someone_without_a_channel_is_told_of_all_the_same(desk: Desk, tick: Callable[[datetime], int]) -> None:
    key = contact_of(desk.house, ROSA)
    desk.house.writer.write_now(lambda conn: conn.execute(ADDRESS.delete().where(ADDRESS.c.contact_id == key)))
    row = {
        "id": uuid7(), "contact_id": key, "kind": "tel", "preferred": True, "created_at": LAST_WORDS,
        "address_hash": desk.house.sealer.hash("address", "tel:1500"),
    }  # fmt: skip
    row["address_sealed"] = desk.house.sealer.seal("contact_address", "address", row["id"], "tel:1500")  # type: ignore[arg-type]
    desk.house.writer.write_now(lambda conn: conn.execute(insert(ADDRESS), [row]))
    tick(MORNING)
    assert tick(MORNING + DAY) == 1
    assert desk.house.read_now(
        lambda conn: conn.scalar(select(SETTING.c.name).where(SETTING.c.name == "silence_watch"))
    )


def test_three_workers_that_tick_at_once_remind_and_tell_once(
    desk: Desk, clock: HandClock, tick: Callable[[datetime], int]
) -> None:
    desk.house.writer.write_now(
        lambda conn: conn.execute(update(CONTACT).values(rhythm_days=7, last_heard_at=LAST_WORDS))
    )
    houses = [open_house(desk.house.settings, clock) for _ in range(3)]
    try:
        for moment, number in ((MORNING, 25), (MORNING + DAY, 25 + 6)):
            clock.now = moment
            with ThreadPoolExecutor(3) as workers:
                assert sum(workers.map(watch_silence, houses * 2)) > 0
            addresses = [row.to_hash for row in desk.outbox() if row.queued_at == MORNING]
            assert len(addresses) == len(set(addresses)) == 25
            assert len(desk.outbox()) <= number + 3
        assert watch_silence(desk.house) == 0
    finally:
        for house in houses:
            house.close()
