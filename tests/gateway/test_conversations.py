from datetime import date, timedelta

from sqlalchemy import select

from gateway.models import Alert, PollAnswer
from tests.conftest import HandClock
from tests.gateway.desk import (
    ANA,
    CONCEPCION,
    EULALIO,
    GASPAR,
    LUCIA,
    MARCOS,
    MARIA,
    MARTA,
    STRANGER,
    TOMAS,
    Desk,
)  # fmt: skip


def test_a_missing_field_is_asked_for_and_the_next_text_completes_the_draft(desk: Desk) -> None:
    asked = desk.say(MARCOS, "INC 1609")
    assert desk.message(asked.message_id).state == "asked"
    (draft,) = desk.reports()
    assert (draft.state, draft.ref) == ("draft", None)
    assert desk.told(MARCOS)[0].startswith("¿Que paso? Responda con una palabra")
    desk.say(MARCOS, "amenasas")
    (report,) = desk.reports()
    assert (report.id, report.state, report.ref, report.category) == (draft.id, "open", 3000, "AME")
    assert desk.events(report.id) == ["drafted", "completed"]
    assert "R3000" in desk.told(MARCOS)[1]
    assert [question.state for question in desk.questions()] == ["answered"]
    assert desk.folds_differ() == []


def test_question_and_answer_that_arrive_together_are_one_report(desk: Desk) -> None:
    desk.say_all([desk.incoming(MARCOS, "INC 1609"), desk.incoming(MARCOS, "amenasas")])
    (report,) = desk.reports()
    assert (report.state, report.category) == ("open", "AME")
    assert desk.folds_differ() == []


def test_a_new_report_leaves_the_draft(desk: Desk) -> None:
    desk.say(MARCOS, "INC 1609")
    desk.say(MARCOS, "inc rob 1613 ayer")
    assert sorted(report.state for report in desk.reports()) == ["draft", "open"]
    assert [question.state for question in desk.questions()] == ["left"]


def test_an_answer_after_the_time_is_over_completes_nothing(desk: Desk, clock: HandClock) -> None:
    desk.say(MARCOS, "INC 1609")
    clock.advance(timedelta(hours=25))
    desk.say(MARCOS, "INC 1609")
    assert [question.state for question in desk.questions()] == ["expired", "open"]


def test_nothing_is_sent_after_baja_but_its_confirmation(desk: Desk) -> None:
    desk.say(CONCEPCION, "INC ROB 0719")
    desk.say(CONCEPCION, "BAJA")
    desk.say(CONCEPCION, "INC AME 0719")
    desk.say(CONCEPCION, "baja")
    told = desk.told(CONCEPCION)
    assert [text[:5] for text in told] == ["R3000", "Listo"]
    assert [row.state for row in desk.outbox()] == ["cancelled", "queued"]
    assert len(desk.reports()) == 2
    desk.say(CONCEPCION, "ALTA")
    assert desk.told(CONCEPCION)[-1].startswith("Listo. Vuelve")


def test_an_alert_goes_to_the_coordinators_of_the_place(desk: Desk) -> None:
    desk.say(TOMAS, "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar")
    (report,) = desk.reports()
    assert (report.category, report.place, report.urgent) == ("ALN", "1416", True)
    (alert,) = desk.told(MARTA)
    assert alert.startswith("ALERTA R3000: Amenaza linchamiento, Sacapulas, 10/03 06:12")
    assert desk.told(EULALIO) == []
    by_mail = desk.told("mailto:marta.coordinadora@oficina.example")
    assert [mail.split("\n")[0] for mail in by_mail] == [alert]
    assert "110" in desk.told(TOMAS)[0]
    desk.say(MARTA, "VISTO 3000")
    (row,) = desk._rows(select(Alert.__table__))
    assert row.state == "seen"


def test_an_urgent_draft_is_alerted_at_once_and_completed_later(desk: Desk) -> None:
    desk.say(STRANGER, "ALERTA turba")
    (draft,) = desk.reports()
    assert (draft.state, draft.ref, draft.urgent) == ("draft", 3000, True)
    assert "sin registro" in desk.told("tel:+50255550301")[0]
    desk.say(STRANGER, "Nebaj")
    (report,) = desk.reports()
    assert (report.state, report.ref, report.place) == ("open", 3000, "1413")
    assert desk.folds_differ() == []


def test_a_correction_changes_only_the_own_report_and_keeps_the_old_value(desk: Desk) -> None:
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    desk.say(ANA, "CORREGIR 3000 heridos 3")
    assert desk.report(3000).fields == {"injured": 3}
    desk.say(GASPAR, "CORREGIR 3000 heridos 9")
    assert desk.report(3000).fields == {"injured": 3}
    not_his = desk.told(GASPAR)[0]
    desk.say(GASPAR, "CORREGIR 8888 heridos 9")
    assert desk.told(GASPAR)[1] == not_his.replace("3000", "8888")
    desk.say(ANA, "ANULAR 3000")
    assert desk.report(3000).state == "withdrawn"
    assert desk.events(desk.report(3000).id) == ["accepted", "corrected", "withdrawn"]
    assert desk.folds_differ() == []


def test_a_poll_answer_leaves_no_path_back(desk: Desk) -> None:
    desk.say(LUCIA, "ENC SI EXT NO MIEDO")
    (answer,) = desk._rows(select(PollAnswer.__table__))
    assert answer.answers == {"victim": True, "category": "EXT", "reported": False, "reason": "miedo"}
    assert answer.place == "08"
    assert answer.week == date(2026, 3, 9)
    (kept,) = desk.messages()
    assert desk.house.sealer.open("message", "text", kept.id, kept.text_sealed) == ""
    assert (kept.form, kept.reading_sealed) == ("poll", None)
    assert desk.reports() == []
    assert desk.told(LUCIA)[0].startswith("Gracias. Se guarda sin su nombre")


def test_a_poll_asked_step_by_step_blanks_every_text_and_counts_once_a_month(desk: Desk) -> None:
    for text in ("ENC SI", "robo", "no", "miedo"):
        desk.say(LUCIA, text)
    assert len(desk._rows(select(PollAnswer.__table__))) == 1
    opened = [desk.house.sealer.open("message", "text", row.id, row.text_sealed) for row in desk.messages()]
    assert opened == ["", "", "", ""]
    assert all(question.draft_sealed is None for question in desk.questions())
    desk.say(LUCIA, "ENC NO")
    assert len(desk._rows(select(PollAnswer.__table__))) == 1


def test_parts_in_any_order_become_one_report(desk: Desk) -> None:
    second = desk.say(TOMAS, "heridos camino a la escuela", part=("7", 2, 2))
    assert desk.message(second.message_id).state == "held"
    desk.say(TOMAS, "inc rob 1416 ayer 2 ", part=("7", 1, 2))
    (report,) = desk.reports()
    assert (report.category, report.fields) == ("ROB", {"injured": 2})
    assert len(desk.told(TOMAS)) == 1
    assert desk.message(second.message_id).state == "read"


def test_parts_numbered_by_hand_are_joined_without_their_numbers(desk: Desk) -> None:
    desk.say(TOMAS, "1/2 INC ROB 1416 ayer")
    assert desk.told(TOMAS)[0].startswith("Llego la parte 1 de 2")
    desk.say(TOMAS, "2/2 en la tienda, 1 herido")
    (report,) = desk.reports()
    assert (report.category, report.event_date, report.fields) == ("ROB", date(2026, 3, 9), {"injured": 1})


def test_several_reports_in_one_text_get_one_answer(desk: Desk) -> None:
    desk.say(MARIA, "INC ROB NEBAJ ayer ; INC AME CHAJUL hoy")
    assert [report.ref for report in desk.reports()] == [3000, 3001]
    (told,) = desk.told(MARIA)
    assert "R3000" in told
    assert "R3001" in told


def test_a_yes_from_somebody_who_opted_out_opts_in_again(desk: Desk) -> None:
    desk.say(CONCEPCION, "BAJA")
    desk.say(CONCEPCION, "YES")
    assert desk.told(CONCEPCION)[-1].startswith("Listo. Vuelve")


def test_a_coordinators_note_leaves_the_monitors_own_words_alone(desk: Desk) -> None:
    desk.say(TOMAS, "ALERTA turba en el parque de Sacapulas")
    before = desk.texts(desk.report(3000))
    desk.say(MARTA, "NOTA 3000 hable con el cocode")
    desk.say(MARTA, "NOTA 3000 ya se fue la gente")
    after = desk.texts(desk.report(3000))
    assert len(after.pop("remarks")) == 2
    assert after == before
    assert desk.folds_differ() == []
