"""Who is told next when nobody answers, and when."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.alerts import RECEIVER, escalate_due, keep_ladder
from gateway.house import open_house
from gateway.limits import change
from outbox.rows import OUTBOUND
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.alerts.crew import (
    EULALIO_MAIL,
    JULIO,
    MARTA_MAIL,
    PETRONA,
    TURBA,
    alerts,
    later,
    receivers_of,
    set_contact,
    set_sent,
)
from tests.gateway.desk import EULALIO, MARTA, TOMAS, Desk
from tests.gateway.rows import add_people


def test_an_alert_nobody_sees_goes_to_the_next_coordinator_and_then_to_the_admin(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    for _ in range(12):
        later(desk, clock, 5)
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1), ("Julio", 2)]
    assert [len(desk.told(who)) for who in (MARTA, EULALIO, JULIO, PETRONA)] == [1, 1, 1, 0]
    assert "escalada 2" in desk.told(JULIO)[0]
    assert alerts(desk)[0].state == "open"


def test_after_days_without_power_both_steps_are_taken_at_once_and_once(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    clock.advance(timedelta(days=2))
    assert escalate_due(desk.house) == 4
    assert escalate_due(desk.house) == 0
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1), ("Julio", 2)]


def test_a_restart_forgets_nothing(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    later(desk, clock, 16)
    other = open_house(desk.house.settings, clock)
    assert escalate_due(other) == 0
    clock.advance(timedelta(minutes=15))
    assert escalate_due(other) == 2
    other.close()
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1), ("Julio", 2)]


def test_several_workers_take_each_step_once(desk: Desk, clock: HandClock) -> None:
    for number in range(4):
        desk.say(TOMAS, f"ALERTA LIN 14{number + 10} turba")
    houses = [open_house(desk.house.settings, clock) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        for _ in range(2):
            clock.advance(timedelta(minutes=15))
            for _ in range(2):
                list(pool.map(escalate_due, houses))
    for house in houses:
        house.close()
    found = desk._rows(select(RECEIVER.c.alert_id, RECEIVER.c.step))
    assert len(found) == len(set(found)) == 12
    assert len([text for text in desk.told(EULALIO) if "escalada 1" in text]) == 4
    assert len([text for text in desk.told(JULIO) if "escalada 2" in text]) == 4


@pytest.mark.parametrize("state", ["failed", "expired", "cancelled"])
def test_an_sms_that_never_arrives_escalates_at_once(desk: Desk, clock: HandClock, state: str) -> None:
    desk.say(TOMAS, TURBA)
    later(desk, clock, 1)
    assert desk.told(EULALIO) == []
    set_sent(desk, MARTA, state)
    later(desk, clock, 1)
    assert "escalada 1" in desk.told(EULALIO)[0]
    assert desk.told(JULIO) == []


def test_an_sms_that_was_said_by_another_is_no_failure(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    set_sent(desk, MARTA, "cancelled", "merged")
    later(desk, clock, 1)
    assert desk.told(EULALIO) == []


def test_an_old_phone_that_said_baja_does_not_silence_the_new_one(desk: Desk, clock: HandClock) -> None:
    desk.say(MARTA, "BAJA")
    row = "+50255550299,marta.coordinadora@oficina.example,Marta Brito,coordinator,Nebaj,1413,14,es,active,14|07"
    add_people(desk.house, row)
    desk.say(TOMAS, TURBA)
    later(desk, clock, 1)
    assert len(desk.told("tel:+50255550299")) == 1
    assert receivers_of(desk) == [("Marta", 0)]


def test_an_sms_that_fails_at_every_step_reaches_everybody_in_the_end(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    for who in (MARTA, EULALIO, JULIO):
        set_sent(desk, who, "failed")
        later(desk, clock, 1)
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1), ("Julio", 2), ("Petrona", 3)]


def test_who_said_baja_is_passed_over_at_once(desk: Desk, clock: HandClock) -> None:
    desk.say(MARTA, "BAJA")
    desk.say(TOMAS, TURBA)
    assert len(desk.told(MARTA)) == 1
    assert len(desk.told(EULALIO)) == 1
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1)]


def test_who_says_baja_after_the_alert_is_passed_over(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    set_sent(desk, MARTA, "delivered")
    desk.say(MARTA, "BAJA")
    later(desk, clock, 0.1)
    assert "escalada 1" in desk.told(EULALIO)[0]


def test_a_suspended_coordinator_is_passed_over(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    set_contact(desk, MARTA, status="suspended")
    later(desk, clock, 0.1)
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1)]


def test_one_of_two_coordinators_who_is_reached_is_enough(desk: Desk, clock: HandClock) -> None:
    set_contact(desk, PETRONA, places=["14"])
    desk.say(TOMAS, TURBA)
    set_sent(desk, MARTA, "failed")
    later(desk, clock, 1)
    assert desk.told(EULALIO) == []
    assert receivers_of(desk) == [("Marta", 0), ("Petrona", 0)]


def test_without_coordinators_every_admin_is_told_and_reminded(desk: Desk, clock: HandClock) -> None:
    for who in (MARTA, EULALIO, PETRONA):
        set_contact(desk, who, status="left")
    desk.say(TOMAS, TURBA)
    assert receivers_of(desk) == [("Julio", 0)]
    later(desk, clock, 15)
    later(desk, clock, 15)
    assert receivers_of(desk) == [("Julio", 0), ("Julio", 2)]
    assert len(desk.told(JULIO)) == 2


def test_the_next_coordinator_is_the_first_of_the_list_who_was_not_told(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, "ALERTA LIN 1613 turba")
    later(desk, clock, 15)
    assert receivers_of(desk) == [("Petrona", 0), ("Marta", 1)]


def test_the_steps_obey_the_limits_an_admin_sets(desk: Desk, clock: HandClock) -> None:
    for name, minutes in (("alert_next_minutes", "5"), ("alert_admin_minutes", "20")):
        desk.house.writer.write_now(lambda c, n=name, m=minutes: change(c, n, m, at=clock(), actor="test"))
    desk.say(TOMAS, TURBA)
    later(desk, clock, 5)
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1)]
    later(desk, clock, 14)
    assert len(receivers_of(desk)) == 2
    later(desk, clock, 1)
    assert len(receivers_of(desk)) == 3


def test_a_clock_set_back_delays_a_step_by_its_own_time_at_most(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    later(desk, clock, 10)
    clock.advance(timedelta(days=-1))
    later(desk, clock, 0)
    assert len(receivers_of(desk)) == 1
    later(desk, clock, 15)
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1)]
    clock.advance(timedelta(days=-1))
    later(desk, clock, 0)
    later(desk, clock, 14)
    assert len(receivers_of(desk)) == 2
    later(desk, clock, 1)
    assert receivers_of(desk)[-1] == ("Julio", 2)


def test_a_clock_set_forward_takes_nobody_the_time_to_answer(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    clock.advance(timedelta(minutes=5))
    jump = timedelta(days=3650)
    clock.advance(jump)
    assert desk.house.writer.write_now(lambda conn: keep_ladder(conn, jump)) == 1
    later(desk, clock, 9)
    assert len(receivers_of(desk)) == 1
    later(desk, clock, 1)
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1)]


def test_each_receiver_gets_one_sms_and_one_mail(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    later(desk, clock, 15)
    told = desk._rows(select(OUTBOUND).where(OUTBOUND.c.kind == "alert").order_by(OUTBOUND.c.id))
    assert [(row.priority, row.report_id == alerts(desk)[0].report_id) for row in told] == [(0, True)] * 4
    rows = desk._rows(select(RECEIVER).order_by(RECEIVER.c.step))
    assert {row.id for row in told} == {key for row in rows for key in (row.sms_id, row.mail_id)}
    assert len(desk.told(MARTA_MAIL)) == len(desk.told(EULALIO_MAIL)) == 1


def test_every_alert_is_one_sms_whatever_its_words(desk: Desk) -> None:
    from gateway.alerts.office import alert_text, office_of
    from gateway.alerts.opening import Facts

    def longest(connection: object) -> int:
        office = office_of(connection, desk.house)  # type: ignore[arg-type]
        book = office.codebook
        places = sorted((p.code for p in book.places.values()), key=lambda code: len(book.places[code].short))[-5:]
        texts = [
            alert_text(office, name, Facts(99999, category, place, known), desk.house.clock(), n=2)
            for name in ("coordinator_alert", "escalation")
            for category in (*book.categories, None)
            for place in (*places, None)
            for known in (True, False)
        ]
        return max(count(text).segments for text in texts)

    assert desk.house.read_now(longest) == 1
