from datetime import UTC, datetime, timedelta

from gateway.reminders import ask_again
from gateway.upkeep import expire_questions
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.desk import LUCIA, MARCOS, Desk


def test_an_unanswered_question_is_asked_once_more_the_next_morning(desk: Desk, clock: HandClock) -> None:
    desk.say(MARCOS, "INC 1609")
    assert ask_again(desk.house) == 0
    clock.now = datetime(2026, 3, 11, 13, 0, tzinfo=UTC)
    expire_questions(desk.house)
    assert ask_again(desk.house) == 0, "07:00 in Guatemala is too early"
    clock.now = datetime(2026, 3, 11, 14, 31, tzinfo=UTC)
    expire_questions(desk.house)
    assert ask_again(desk.house) == 1
    assert ask_again(desk.house) == 0
    first, again = desk.told(MARCOS)
    assert again.startswith("Falta un dato de su reporte del 10/03. ¿Que paso?") or again == first
    assert count(again).segments == 1
    desk.say(MARCOS, "amenazas")
    (report,) = desk.reports()
    assert (report.state, report.category) == ("open", "AME")


def test_nobody_is_asked_who_answered_left_or_wrote_again(desk: Desk, clock: HandClock) -> None:
    desk.say(MARCOS, "INC 1609")
    desk.say(MARCOS, "amenazas")
    desk.say(LUCIA, "INC 0804")
    desk.say(LUCIA, "BAJA")
    clock.advance(timedelta(hours=27))
    assert ask_again(desk.house) == 0


def test_a_poll_that_was_never_finished_is_blanked(desk: Desk, clock: HandClock) -> None:
    desk.say(LUCIA, "ENC SI")
    clock.advance(timedelta(hours=25))
    assert expire_questions(desk.house) == 1
    (question,) = desk.questions()
    assert (question.state, question.draft_sealed) == ("expired", None)
    (kept,) = desk.messages()
    assert desk.house.sealer.open("message", "text", kept.id, kept.text_sealed) == ""
