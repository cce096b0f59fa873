"""A text that was long under way: its sender is told so."""

from datetime import timedelta

from outbox.segments import count
from tests.gateway.desk import ANA, Desk

TEAM = "mailto:acompanamiento@oficina.example"
NOTE = "R3000 llego con 6 horas de atraso por falta de senal."


def test_a_mail_that_came_hours_late_is_answered_with_a_note_of_the_delay(desk: Desk) -> None:
    sent = desk.house.clock() - timedelta(hours=5, minutes=48)
    desk.say(TEAM, "INC AME CAHABON ayer 25 familias", channel="mail", sent_at=sent)
    assert NOTE in desk.told(TEAM)[0]


def test_an_sms_says_so_when_one_segment_holds_it(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ", sent_at=desk.house.clock() - timedelta(hours=6))
    (told,) = desk.told(ANA)
    assert told.startswith("R3000 recibido: Robo") and told.endswith(NOTE)
    assert count(told).segments == 1


def test_a_confirmation_too_long_for_the_note_goes_without_it(desk: Desk) -> None:
    desk.say(ANA, "INC AME 0505 ayer 2 heridos 3 muertos", sent_at=desk.house.clock() - timedelta(hours=6))
    (told,) = desk.told(ANA)
    assert "atraso" not in told and count(told).segments == 1


def test_a_text_of_the_last_hours_is_answered_as_ever(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ", sent_at=desk.house.clock() - timedelta(hours=2, minutes=59))
    assert "atraso" not in desk.told(ANA)[0]
