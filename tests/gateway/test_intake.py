import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text as sql

from gateway.errors import Busy
from gateway.incoming import Receipt
from gateway.models import metadata
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.desk import (
    ANA,
    MARIA,
    STRANGER,
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


def test_a_text_in_a_language_nobody_here_reads_is_kept_and_answered_politely(desk: Desk) -> None:
    receipt = desk.say(ANA, "k'o jun nim k'ax xk'ulmaj iwir chi ri' pa ri qatinamit")
    kept = desk.message(receipt.message_id)
    assert kept.state == "unread"
    assert "persona que habla su idioma" in desk.told(ANA)[0]


def test_a_caller_who_goes_away_loses_nothing_and_harms_nobody(desk: Desk) -> None:
    async def story() -> Receipt:
        gone = asyncio.create_task(desk.intake.receive(desk.incoming(ANA, "INC ROB 1413")))
        await asyncio.sleep(0)
        gone.cancel()
        return await desk.intake.receive(desk.incoming(ANA, "INC AME 1413"))

    assert asyncio.run(story()).status == "kept"
    assert sorted(report.category for report in desk.reports()) == ["AME", "ROB"]
