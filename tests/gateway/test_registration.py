"""Asking to join, and being let in by a coordinator's word."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from gateway.contacts import set_status
from gateway.models import AuditEntry
from gateway.standing import CONTACT
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, MARTA, STRANGER, Desk

AUDIT = AuditEntry.__table__  # type: ignore[attr-defined]
ADMIN = "tel:+50255550301"
MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"


def asked(desk: Desk, sender: str = STRANGER, text: str = "REGISTRO Juana Brito Nebaj") -> Any:
    desk.say(sender, text)
    rows = desk.house.read_now(lambda conn: conn.execute(select(CONTACT).order_by(CONTACT.c.registration.desc())).all())
    return next(row for row in rows if row.status == "pending")


def status_of(desk: Desk, key: Any) -> str:
    return str(desk.house.read_now(lambda conn: conn.scalar(select(CONTACT.c.status).where(CONTACT.c.id == key))))


def actions(desk: Desk) -> list[str]:
    return desk.house.read_now(lambda conn: list(conn.scalars(select(AUDIT.c.action).order_by(AUDIT.c.number))))


def test_who_asks_to_join_gets_a_number_that_the_coordinator_is_told_without_a_name(desk: Desk) -> None:
    row = asked(desk)
    assert row.registration == 1
    (notice,) = desk.told(MARTA_MAIL)
    assert notice.startswith("Registro 1: alguien de Santa Maria Nebaj pide entrar.")
    assert "Juana" not in notice
    assert desk.told(MARTA) == []
    assert asked(desk, "tel:+50255559045").registration == 2


def test_a_coordinator_lets_in_by_sms_and_texts_since_then_count(desk: Desk, clock: HandClock) -> None:
    desk.say(STRANGER, "INC ROB NEBAJ antier")
    clock.advance(timedelta(hours=1))
    row = asked(desk)
    clock.advance(timedelta(hours=1))
    desk.say(STRANGER, "INC AME NEBAJ ayer")
    desk.say(STRANGER, "INC")
    clock.advance(timedelta(days=1))
    desk.say(MARTA, "APROBAR 1")
    assert desk.told(MARTA)[-1] == "Registro 1 aprobado, Santa Maria Nebaj. Sus textos desde que lo pidio ya cuentan."
    before, since = desk.report(3000), desk.report(3001)
    assert (before.registered, before.contact_id) == (False, None)
    assert (since.registered, since.contact_id) == (True, row.id)
    assert since.created_at < clock.now - timedelta(hours=20)
    draft = next(report for report in desk.reports() if report.state == "draft")
    assert (draft.registered, draft.contact_id) == (True, row.id)
    assert desk.events(since.id) == ["accepted", "noted"]
    assert desk.told(STRANGER)[-1].startswith("Su registro fue aprobado")
    assert "contact.approve" in actions(desk)
    assert desk.folds_differ() == []
    desk.say(STRANGER, "ESTADO 3001")
    assert desk.told(STRANGER)[-1].startswith("R3001 del 09/03")


def test_approving_twice_changes_nothing_more(desk: Desk) -> None:
    asked(desk)
    desk.say(STRANGER, "INC AME NEBAJ ayer")
    desk.say(MARTA, "APROBAR 1")
    told, done = len(desk.told(STRANGER)), actions(desk).count("contact.approve")
    desk.say(MARTA, "aprobar 1 por favor")
    assert desk.told(MARTA)[-1] == "El registro 1 de Santa Maria Nebaj ya estaba aprobado."
    assert (len(desk.told(STRANGER)), actions(desk).count("contact.approve")) == (told, done)
    assert desk.events(desk.report(3000).id) == ["accepted", "noted"]


def test_a_wrong_number_or_another_place_is_answered_with_where_to_look(desk: Desk) -> None:
    row = asked(desk)
    for who, text in ((MARTA, "APROBAR 7"), (EULALIO, "APROBAR 1"), (MARTA, "APROBAR 3001")):
        desk.say(who, text)
        assert desk.told(who)[-1].startswith("No hallamos en sus lugares un registro por aprobar")
    assert status_of(desk, row.id) == "pending"


def test_a_number_that_was_left_out_is_asked_for(desk: Desk) -> None:
    row = asked(desk)
    desk.say(MARTA, "APROBAR")
    assert desk.told(MARTA)[-1].startswith("¿Cual registro?")
    desk.say(MARTA, "APROBAR 1")
    assert status_of(desk, row.id) == "active"


def test_neither_a_monitor_nor_a_stranger_lets_anybody_in(desk: Desk) -> None:
    row = asked(desk)
    for who in (ANA, STRANGER, "tel:+50255559046"):
        desk.say(who, "APROBAR 1")
    assert status_of(desk, row.id) == "pending"


def test_an_admin_lets_in_anywhere_and_by_mail(desk: Desk) -> None:
    row = asked(desk)
    desk.say("mailto:admin@oficina.example", "APROBAR 1", channel="mail", subject="Re: Registro 1")
    assert status_of(desk, row.id) == "active"


def test_who_was_refused_is_not_let_in_by_its_number(desk: Desk) -> None:
    row = asked(desk)
    now = desk.house.clock()
    desk.house.writer.write_now(lambda conn: set_status(conn, row.id, "left", now=now, actor="test"))
    desk.say(MARTA, "APROBAR 1")
    assert status_of(desk, row.id) == "left"


def test_a_text_in_anothers_name_is_not_counted_for_who_is_let_in(desk: Desk) -> None:
    asked(desk)
    desk.say(STRANGER, "ID 987654 INC ROB NEBAJ ayer")
    desk.say(MARTA, "APROBAR 1")
    assert desk.report(3000).registered is False


def test_a_flood_of_registrations_does_not_flood_the_coordinator(desk: Desk) -> None:
    for number in range(12):
        desk.say(f"tel:+502555570{number:02d}", "REGISTRO Juana Brito Nebaj")
    assert len(desk.told(MARTA_MAIL)) == 5


def test_registrations_that_arrive_together_get_numbers_of_their_own(desk: Desk) -> None:
    batch = [desk.incoming(f"tel:+502555570{n:02d}", "REGISTRO Juana Brito Nebaj") for n in range(4)]
    desk.say_all(batch)
    numbers = desk.house.read_now(
        lambda conn: sorted(conn.scalars(select(CONTACT.c.registration).where(CONTACT.c.status == "pending")))
    )
    assert numbers == [1, 2, 3, 4]


def test_every_answer_about_registrations_is_one_segment(desk: Desk) -> None:
    replies = desk.house.read_now(desk.house.codebook).replies
    for name in ("registration_asked", "registration_known", "registration_not_found", "approved"):
        longest = replies[name].replace("{ref}", "9" * 9).replace("{place}", "X" * 28)
        assert count(longest).segments == 1, name
