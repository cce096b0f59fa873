"""A person's wish by which way answers go: obeyed once, within the limits, and never against a BAJA."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, update

from gateway.answer_by import set_answer_by
from gateway.contacts import ADDRESS, people
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.desk import ANA, MARTA, Desk
from tests.gateway.rows import contact_of

REPORT = "inc rob nebaj ayer 2 heridos"


def wish(desk: Desk, who: str, kind: str | None) -> None:
    key, at = contact_of(desk.house, who), desk.house.clock()
    desk.house.writer.write_now(lambda conn: set_answer_by(conn, key, kind, at=at, actor="test"))


def ways(desk: Desk) -> list[str]:
    """By which scheme each answer goes."""
    opened = (desk.house.sealer.open(OUTBOUND.name, "to", row.id, row.to_sealed) for row in desk.outbox()
              if row.kind in ("confirmation", "question"))  # fmt: skip
    return [to.partition(":")[0] for to in opened]


def mailbox(desk: Desk, who: str) -> str:
    found = desk.house.read_now(lambda conn: people(conn, desk.house.sealer, only=[contact_of(desk.house, who)]))
    return found[0].address("mailto") or ""


def test_the_answer_goes_where_the_text_came_in(desk: Desk) -> None:
    desk.say(MARTA, REPORT)
    assert ways(desk) == ["tel"]


def test_the_answer_goes_by_mail_to_who_wants_that(desk: Desk) -> None:
    wish(desk, MARTA, "mailto")
    desk.say(MARTA, REPORT)
    assert ways(desk) == ["mailto"]
    row = next(row for row in desk.outbox() if row.kind == "confirmation")
    assert row.channel == "mail"
    assert "R3000" in desk.told(mailbox(desk, MARTA))[-1]


def test_the_answer_to_a_mail_goes_by_sms_to_who_wants_that(desk: Desk) -> None:
    wish(desk, MARTA, "tel")
    desk.say(mailbox(desk, MARTA), REPORT, channel="mail", subject="informe")
    assert ways(desk) == ["tel"]


def test_who_has_no_other_address_is_answered_where_the_text_came_in(desk: Desk) -> None:
    wish(desk, ANA, "mailto")
    hashed = desk.house.sealer.hash("address", mailbox(desk, ANA))
    desk.house.writer.write_now(lambda conn: conn.execute(delete(ADDRESS).where(ADDRESS.c.address_hash == hashed)))
    desk.say(ANA, REPORT)
    assert ways(desk) == ["tel"]


def test_a_mailbox_that_said_baja_or_is_dead_gets_nothing(desk: Desk) -> None:
    wish(desk, MARTA, "mailto")
    box = mailbox(desk, MARTA)
    desk.say(box, "BAJA", channel="mail")
    before = len(desk.told(box))
    desk.say(MARTA, REPORT)
    assert (ways(desk)[-1], len(desk.told(box))) == ("tel", before)
    desk.say(box, "ALTA", channel="mail")
    dead = update(ADDRESS).where(ADDRESS.c.address_hash == desk.house.sealer.hash("address", box))
    desk.house.writer.write_now(lambda conn: conn.execute(dead.values(failing_since=desk.house.clock())))
    desk.say(MARTA, "inc rob chajul ayer 1 herido")
    assert ways(desk)[-1] == "tel"


def test_who_said_baja_by_phone_gets_its_answers_nowhere(desk: Desk) -> None:
    wish(desk, MARTA, "mailto")
    desk.say(MARTA, "BAJA")
    box = mailbox(desk, MARTA)
    assert (len(desk.told(MARTA)), len(desk.told(box))) == (1, 0), "the last word goes where the BAJA came from"
    desk.say(MARTA, REPORT)
    assert (len(desk.told(MARTA)), ways(desk)) == (1, [])


def test_answers_that_go_elsewhere_count_against_who_wrote(desk: Desk, clock: HandClock) -> None:
    wish(desk, MARTA, "mailto")
    for number in range(40):
        clock.now += timedelta(seconds=30)
        desk.say(MARTA, f"hola que tal {number} xyz")
    sent: list[Any] = [row for row in desk.outbox() if row.message_id is not None and row.kind != "alert"]
    assert 0 < len(sent) <= 30
