"""A borrowed phone, and a personal number that says who writes."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.borrowed import ATTEMPT
from gateway.errors import Conflict, UsageError
from gateway.house import House
from gateway.intake import Intake
from gateway.pins import forget_attempts, give_pin, take_pin
from gateway.standing import CONTACT, OPT_OUT
from tests.conftest import HandClock
from tests.gateway.desk import ANA, GASPAR, MARTA, STRANGER, Desk

PIN = "482913"
WRONG = "Ese numero personal no coincide"
LOCKED = "Por seguridad no se aceptan"


def contact_of(house: House, address: str) -> Any:
    from gateway.contacts import require

    key = house.read_now(lambda conn: require(conn, address, house.sealer))
    return house.read_now(lambda conn: conn.execute(select(CONTACT).where(CONTACT.c.id == key)).one())


def give(house: House, address: str, pin: str = PIN) -> Any:
    key = contact_of(house, address).id
    house.writer.write_now(lambda conn: give_pin(conn, key, pin, sealer=house.sealer, at=house.clock(), actor="test"))
    return key


@pytest.mark.parametrize("phone", [STRANGER, GASPAR])
def test_a_text_with_a_number_counts_for_its_owner_and_answers_the_phone_in_hand(desk: Desk, phone: str) -> None:
    ana = give(desk.house, ANA)
    kept = desk.say(phone, f"ID {PIN} INC ROB ayer 2 heridos")
    (report,) = desk.reports()
    assert (report.contact_id, report.registered, report.place, report.ref) == (ana, True, "1413", 3000)
    assert desk.told(ANA) == []
    assert desk.told(phone)[0].startswith("R3000 recibido: Robo")
    row = desk.message(kept.message_id)
    assert row.contact_id == ana
    assert "borrowed" in row.flags
    assert desk.folds_differ() == []


def test_the_number_is_kept_nowhere_in_clear(desk: Desk) -> None:
    give(desk.house, ANA)
    desk.say(STRANGER, f"ID {PIN} INC 1413", raw=f"ID {PIN} INC 1413")
    desk.say(STRANGER, f"robo id {PIN}")
    desk.say(STRANGER, "ID 999888 inc rob nebaj")
    open_ = desk.house.sealer.open
    for row in desk.messages():
        assert "*" in open_("message", "text", row.id, row.text_sealed)
        assert row.raw_sealed is None
    texts = [open_("message", "text", row.id, row.text_sealed) for row in desk.messages()]
    texts += [open_("message", "reading", row.id, row.reading_sealed) for row in desk.messages() if row.reading_sealed]
    texts += [str(desk.texts(row)) for row in desk.reports()]
    texts += desk.told(STRANGER)
    assert not [text for text in texts if PIN in text or "999888" in text]
    assert contact_of(desk.house, ANA).pin_hash != PIN.encode()


def test_three_wrong_numbers_lock_the_phone_for_an_hour_and_a_restart_unlocks_nothing(
    desk: Desk, clock: HandClock
) -> None:
    give(desk.house, ANA)
    for number, seconds in (("1111", 0), ("2222", 600), ("3333", 600)):
        clock.advance(timedelta(seconds=seconds))
        desk.say(STRANGER, f"ID {number} INC ROB NEBAJ {number}")
    desk = Desk(desk.house, Intake(desk.house))
    desk.house.writer.first = desk.intake
    assert [text[:20] for text in desk.told(STRANGER)] == [WRONG[:20], WRONG[:20], LOCKED[:20]]
    clock.advance(timedelta(minutes=59))
    desk.say(STRANGER, f"ID {PIN} INC ROB NEBAJ ayer")
    assert desk.told(STRANGER)[-1].startswith(LOCKED)
    assert {report.contact_id for report in desk.reports()} == {None}
    clock.advance(timedelta(minutes=2))
    desk.say(STRANGER, f"ID {PIN} INC ROB CHAJUL ayer")
    assert desk.reports()[-1].contact_id == contact_of(desk.house, ANA).id


def test_wrong_numbers_that_arrive_together_are_counted_together(desk: Desk) -> None:
    give(desk.house, ANA)
    texts = [f"ID {number} INC ROB NEBAJ {number} familias" for number in ("1111", "2222", "3333")]
    desk.say_all([*(desk.incoming(STRANGER, one) for one in texts), desk.incoming(STRANGER, f"ID {PIN} INC ROB")])
    assert {report.contact_id for report in desk.reports()} == {None}


def test_one_number_guessed_from_many_phones_is_locked_too(desk: Desk) -> None:
    for phone in range(3):
        desk.say(f"tel:+5025555900{phone}", "ID 7777 INC ROB NEBAJ")
    give(desk.house, ANA, "7777")
    desk.say(STRANGER, "ID 7777 INC ROB NEBAJ")
    assert desk.told(STRANGER)[-1].startswith(LOCKED)


def test_thirty_wrong_numbers_in_an_hour_lock_every_phone(desk: Desk) -> None:
    give(desk.house, ANA)
    desk.say_all([desk.incoming(f"tel:+502555580{n:02d}", f"ID {4000 + n} INC ROB NEBAJ") for n in range(30)])
    desk.say(STRANGER, f"ID {PIN} INC ROB NEBAJ")
    assert desk.told(STRANGER)[-1].startswith(LOCKED)
    assert len(desk.reports()) == 31


def test_a_wrong_number_on_a_monitors_phone_is_not_the_monitors_report(desk: Desk) -> None:
    desk.say(GASPAR, "ID 9999 INC ROB NEBAJ")
    (report,) = desk.reports()
    assert (report.contact_id, report.registered) == (None, False)
    desk.say(GASPAR, "ID 9999 BAJA")
    assert desk.house.read_now(lambda conn: conn.execute(select(OPT_OUT)).all()) == []


def test_danger_is_told_whatever_the_number(desk: Desk) -> None:
    desk.say(STRANGER, "ID 9999 ALERTA turba en Nebaj quieren quemar a un hombre")
    assert "sin registro" in desk.told(MARTA)[0]
    assert desk.told(STRANGER)[0].startswith("ALERTA R3000")


def test_the_answer_is_the_same_for_a_suspended_contact_and_for_nobody(desk: Desk) -> None:
    from gateway.contacts import set_status

    key = give(desk.house, ANA)
    desk.house.writer.write_now(lambda conn: set_status(conn, key, "suspended", now=desk.house.clock(), actor="test"))
    desk.say(STRANGER, f"ID {PIN}")
    desk.say("tel:+50255559045", "ID 000111")
    assert desk.told(STRANGER) == desk.told("tel:+50255559045")


def test_a_question_is_answered_on_the_borrowed_phone_with_or_without_the_number(desk: Desk) -> None:
    ana = give(desk.house, ANA)
    desk.say(GASPAR, f"ID {PIN} INC")
    desk.say(GASPAR, "robo")
    desk.say(GASPAR, f"ID {PIN} INC ayer")
    desk.say(GASPAR, f"ID {PIN} amenazas")
    found = desk.reports()
    assert [(row.state, row.category, row.contact_id) for row in found] == [("open", "ROB", ana), ("open", "AME", ana)]
    assert desk.folds_differ() == []
    desk.say(GASPAR, "inc dan")
    assert desk.reports()[-1].contact_id == contact_of(desk.house, GASPAR).id


def test_the_owner_of_the_phone_neither_sees_nor_changes_what_was_borrowed(desk: Desk) -> None:
    give(desk.house, ANA)
    desk.say(GASPAR, f"ID {PIN} INC ROB NEBAJ")
    for text in ("ESTADO 3000", "ANULAR 3000", "CORREGIR 3000 heridos 9"):
        desk.say(GASPAR, text)
        assert desk.told(GASPAR)[-1].startswith("No hallamos un reporte suyo")
    desk.say(ANA, "ESTADO 3000")
    assert desk.told(ANA)[-1].startswith("R3000 del")
    desk.say(STRANGER, f"ID {PIN} ANULAR 3000")
    assert desk.report(3000).state == "withdrawn"


def test_baja_with_a_number_is_the_persons_and_not_the_phones(desk: Desk) -> None:
    give(desk.house, ANA)
    desk.say(GASPAR, f"ID {PIN} BAJA")
    assert desk.told(GASPAR)[-1].startswith("Listo. Ya no recibira")
    silent = desk.house.read_now(lambda conn: set(conn.scalars(select(OPT_OUT.c.address_hash))))
    assert desk.house.sealer.hash("address", ANA) in silent
    assert desk.house.sealer.hash("address", GASPAR) not in silent
    number = len(desk.outbox())
    desk.say(GASPAR, f"ID {PIN} INC ROB NEBAJ")
    assert len(desk.outbox()) == number
    desk.say(GASPAR, f"ID {PIN} ALTA")
    assert desk.told(GASPAR)[-1].startswith("Listo. Vuelve a recibir")


def test_a_borrowed_phone_that_said_baja_is_told_nothing(desk: Desk) -> None:
    give(desk.house, ANA)
    desk.say(GASPAR, "BAJA")
    number = len(desk.outbox())
    desk.say(GASPAR, f"ID {PIN} INC ROB NEBAJ")
    assert len(desk.reports()) == 1
    assert len(desk.outbox()) == number


def test_a_coordinators_commands_need_the_coordinators_own_phone(desk: Desk) -> None:
    give(desk.house, MARTA)
    desk.say(ANA, "INC ROB NEBAJ")
    desk.say(STRANGER, f"ID {PIN} CERRAR 3000")
    assert desk.report(3000).state == "open"


def test_a_number_split_over_parts_is_found_and_hidden(desk: Desk) -> None:
    ana = give(desk.house, ANA)
    desk.say(STRANGER, f"ID {PIN} INC ROB NEBAJ ayer ", part=("7", 1, 2))
    desk.say(STRANGER, "2 heridos", part=("7", 2, 2))
    assert desk.reports()[0].contact_id == ana
    texts = [desk.house.sealer.open("message", "text", row.id, row.text_sealed) for row in desk.messages()]
    assert not [text for text in texts if PIN in text]


def test_any_borrowed_text_is_a_sign_of_life_of_the_person(desk: Desk, clock: HandClock) -> None:
    give(desk.house, ANA)
    clock.advance(timedelta(hours=5))
    desk.say(STRANGER, f"ID {PIN}")
    assert desk.told(STRANGER)[0].startswith("Gracias. Lo que mande con ese numero")
    assert contact_of(desk.house, ANA).last_heard_at == clock.now


def test_the_same_words_of_two_people_on_one_phone_are_two_reports(desk: Desk) -> None:
    give(desk.house, ANA)
    give(desk.house, GASPAR, "555666")
    for pin in (PIN, "555666", PIN):
        desk.say(STRANGER, f"ID {pin} INC ROB NEBAJ ayer")
    assert len(desk.reports()) == 2
    assert desk.messages()[-1].state == "duplicate"


def test_numbers_are_given_once_drawn_by_lot_and_taken_away(desk: Desk) -> None:
    house, ana, gaspar = desk.house, contact_of(desk.house, ANA).id, contact_of(desk.house, GASPAR).id

    def given(key: Any, pin: str | None) -> str:
        return house.writer.write_now(
            lambda conn: give_pin(conn, key, pin, sealer=house.sealer, at=house.clock(), actor="test")
        )

    assert given(ana, PIN) == given(ana, PIN) == PIN
    with pytest.raises(Conflict):
        given(gaspar, PIN)
    for bad in ("123", "123456789", "12a4", "١٢٣٤"):
        with pytest.raises(UsageError):
            given(gaspar, bad)
    assert len(given(gaspar, None)) == 6
    house.writer.write_now(lambda conn: take_pin(conn, ana, at=house.clock(), actor="test"))
    desk.say(STRANGER, f"ID {PIN} INC ROB NEBAJ")
    assert desk.reports()[0].contact_id is None


def test_wrong_numbers_are_forgotten_after_a_day(desk: Desk, clock: HandClock) -> None:
    desk.say(STRANGER, "ID 1111")
    clock.advance(timedelta(hours=23))
    forget_attempts(desk.house)
    assert len(desk.house.read_now(lambda conn: conn.execute(select(ATTEMPT)).all())) == 1
    clock.advance(timedelta(hours=2))
    forget_attempts(desk.house)
    assert desk.house.read_now(lambda conn: conn.execute(select(ATTEMPT)).all()) == []
