from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy import text as sql

from gateway.errors import Busy
from gateway.models import Alert, PollAnswer, metadata
from outbox.segments import count
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


def test_a_text_becomes_a_report_and_one_confirmation(desk: Desk) -> None:
    receipt = desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    assert receipt.status == "kept"
    (report,) = desk.reports()
    assert (report.form, report.category, report.place, report.ref) == ("incident", "ROB", "1413", 3000)
    assert report.event_date == date(2026, 3, 9)
    assert report.fields == {"injured": 2}
    assert report.state == "open"
    assert not report.urgent
    assert desk.texts(report)["text"] == "inc rob nebaj ayer 2 heridos"
    (told,) = desk.told(ANA)
    assert told.startswith("R3000 recibido: Robo")
    assert "2 heridos" in told
    assert "09/03" in told
    assert (count(told).segments, count(told).encoding) == (1, "gsm7")
    assert desk.folds_differ() == []


def test_the_same_delivery_again_writes_nothing(desk: Desk) -> None:
    first = desk.say(ANA, "INC ROB 1413", external_id="SM1")
    again = desk.say(ANA, "INC ROB 1413", external_id="SM1")
    assert again.message_id == first.message_id
    assert again.status == "duplicate"
    assert (len(desk.messages()), len(desk.reports()), len(desk.outbox())) == (1, 1, 1)


def test_fifty_copies_at_once_are_one(desk: Desk) -> None:
    receipts = desk.say_all([desk.incoming(ANA, "INC ROB 1413", external_id="SM1") for _ in range(50)])
    assert {receipt.message_id for receipt in receipts} == {desk.messages()[0].id}
    assert [receipt.status for receipt in receipts].count("kept") == 1
    assert (len(desk.messages()), len(desk.reports()), len(desk.outbox())) == (1, 1, 1)


def test_an_id_used_for_another_body_is_kept_and_flagged(desk: Desk) -> None:
    desk.say(ANA, "INC ROB 1413", external_id="SM1")
    other = desk.say(ANA, "INC AME 1413", external_id="SM1")
    again = desk.say(ANA, "INC AME 1413", external_id="SM1")
    assert other.status == "kept"
    assert (again.status, again.message_id) == ("duplicate", other.message_id)
    assert desk.message(other.message_id).flags == "same_id"


def test_without_an_id_the_same_text_within_seconds_is_the_same_delivery(desk: Desk, clock: HandClock) -> None:
    first = desk.say(ANA, "INC ROB 1413", external_id=None)
    clock.advance(timedelta(seconds=4))
    assert desk.say(ANA, "INC ROB 1413", external_id=None).message_id == first.message_id
    clock.advance(timedelta(seconds=6))
    later = desk.say(ANA, "INC ROB 1413", external_id=None)
    assert later.status == "kept"
    assert desk.message(later.message_id).state == "duplicate"


def test_a_repeat_is_kept_without_report_and_answered_once(desk: Desk, clock: HandClock) -> None:
    first = desk.say(ANA, "INC ROB 1413 ayer")
    clock.advance(timedelta(hours=1))
    repeat = desk.say(ANA, "inc  rob 1413 AYER")
    desk.say(ANA, "inc rob 1413 ayer.")
    kept = desk.message(repeat.message_id)
    assert (kept.state, kept.duplicate_of) == ("duplicate", first.message_id)
    assert len(desk.reports()) == 1
    assert [text[:24] for text in desk.told(ANA)] == ["R3000 recibido: Robo o a", "Este reporte ya lo tenia"]


def test_after_a_day_the_same_text_is_a_new_report(desk: Desk, clock: HandClock) -> None:
    desk.say(ANA, "INC ROB 1413")
    clock.advance(timedelta(hours=25))
    desk.say(ANA, "INC ROB 1413")
    assert [report.ref for report in desk.reports()] == [3000, 3001]


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


def test_what_is_not_understood_is_kept_and_answered_with_the_format(desk: Desk) -> None:
    receipt = desk.say(ANA, "asdf qwer")
    kept = desk.message(receipt.message_id)
    assert (kept.state, kept.reason) == ("unread", "unknown")
    assert "Mande INC" in desk.told(ANA)[0]
    assert desk.reports() == []


def test_a_stranger_is_kept_flagged_and_asked_to_register(desk: Desk) -> None:
    receipt = desk.say(STRANGER, "INC ROB NEBAJ ayer")
    kept = desk.message(receipt.message_id)
    assert (kept.flags, kept.contact_id) == ("unregistered", None)
    (report,) = desk.reports()
    assert report.registered is False
    assert "REGISTRO" in desk.told(STRANGER)[0]


def test_a_stranger_is_answered_three_times_an_hour(desk: Desk, clock: HandClock) -> None:
    for text in ("AYUDA", "hola como esta", "INC ROB NEBAJ", "INC AME CHAJUL", "asdf"):
        desk.say(STRANGER, text)
        clock.advance(timedelta(minutes=1))
    assert len(desk.told(STRANGER)) == 3
    assert len(desk.messages()) == 5


def test_spam_is_kept_and_gets_no_answer(desk: Desk) -> None:
    receipt = desk.say(STRANGER, "GANASTE Q5,000 llame ya al 1234 y reclama tu premio")
    assert desk.message(receipt.message_id).state == "spam"
    assert desk.outbox() == []


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
    assert by_mail == [alert]
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


def test_a_text_the_reader_fails_on_is_kept_unread_and_harms_nobody(desk: Desk) -> None:
    from gateway.conversation import decide
    from gateway.intake import Intake
    from gateway.plan import Reader

    def read(words, standing, codebook, keyed):  # type: ignore[no-untyped-def]
        if words.text == "poison":
            raise RuntimeError("broken reader")
        return decide(words, standing, codebook, keyed)

    desk.intake = Intake(desk.house, Reader(desk.house.sealer, read=read))
    desk.house.writer.first = desk.intake
    receipts = desk.say_all([desk.incoming(ANA, "INC ROB 1413"), desk.incoming(MARIA, "poison")])
    states = {row.id: (row.state, row.reason) for row in desk.messages()}
    assert states == {receipts[0].message_id: ("read", None), receipts[1].message_id: ("unread", "poison")}


def test_more_than_the_queue_holds_is_refused(desk: Desk) -> None:
    desk.house.settings.intake_queue = 0
    with pytest.raises(Busy):
        desk.say(ANA, "INC ROB 1413")
    assert desk.messages() == []


def test_no_answer_to_short_codes_and_names(desk: Desk) -> None:
    desk.say("raw:TIGO", "INC ROB NEBAJ")
    desk.say("raw:", "hola")
    assert desk.outbox() == []
    assert len(desk.messages()) == 2


def test_nothing_that_was_said_can_be_found_in_the_database(desk: Desk) -> None:
    desk.say(ANA, "inc rob nebaj Marimba escondida")
    desk.say(STRANGER, "REGISTRO Prudencia Escondida NEBAJ")
    content = everything_stored(desk)
    assert b"ROB" in content
    for secret in (b"Marimba", b"marimba", b"55550101", b"55559044", b"Ana Cobo", b"Prudencia", b"5555 0101"):
        assert secret not in content


def everything_stored(desk: Desk) -> bytes:
    """The bytes of the SQLite files, or every row of every Postgres table as text."""
    if desk.house.settings.sqlite_path is not None:
        return b"".join(file.read_bytes() for file in desk.house.settings.data_dir.glob("vocero.db*"))
    dumps = [desk._rows(sql(f"SELECT t::text FROM {table} t")) for table in metadata.tables]
    return "\n".join(row[0] for rows in dumps for row in rows).encode()
