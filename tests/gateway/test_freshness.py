"""After an outage: one mail an alert, one text for all that was confirmed, and nothing that is true no more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event, update
from uuid_utils.compat import uuid7

from gateway.contacts import CONTACT
from gateway.freshness import Freshness
from gateway.silence_watch import watch_silence
from outbox.queue import NewMessage, enqueue
from outbox.segments import count
from outbox.senders.base import Envelope
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, MARTA, TOMAS, Desk
from tests.gateway.post import Post
from tests.gateway.rows import contact_of

MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"
ROSA = "tel:+50255550113"
HOUR = timedelta(hours=1)
MORNING = datetime(2026, 3, 10, 15, 47, tzinfo=UTC)
ALARM = "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar"


@pytest.fixture
def post(desk: Desk, clock: HandClock) -> Post:
    clock.now = MORNING
    return Post(desk.house)


def put(desk: Desk, to: str, kind: str, text: str, **more: object) -> UUID:
    key = uuid7()
    channel = "mail" if "@" in to else "modem"
    message = NewMessage(id=key, kind=kind, channel=channel, to=to, text=text, **more)  # type: ignore[arg-type]
    desk.house.writer.write_now(lambda conn: enqueue(conn, [message], seals=desk.house.sealer, now=desk.house.clock()))
    return key


def ends(desk: Desk) -> dict[UUID, tuple[str, str | None]]:
    return {row.id: (row.state, row.error) for row in desk.outbox()}


def test_an_alert_mail_that_waited_says_so_and_that_it_was_seen(desk: Desk, clock: HandClock, post: Post) -> None:
    post.mail.up = False
    desk.say(TOMAS, ALARM)
    (report,) = desk.reports()
    post.send()
    assert len(post.told(MARTA)) == 1
    assert ("atrasado" in post.told(MARTA)[0]) is False
    clock.advance(timedelta(minutes=33))
    desk.say(MARTA, f"VISTO {report.ref}")
    for _ in range(10):
        clock.advance(timedelta(minutes=28))
        post.send()
    post.mail.up = True
    post.send()
    (mail,) = post.mails(MARTA_MAIL)
    assert mail.subject is not None
    assert "atrasado 5 h" in mail.subject
    assert "ya vista 10:20" in mail.subject
    assert "atrasado 5 h" in mail.text
    assert f"R{report.ref}" in mail.text
    assert mail.subject.count("atrasado") == mail.text.count("atrasado") == 1


def test_a_mail_that_did_not_wait_is_sent_as_it_was_written(desk: Desk, post: Post) -> None:
    desk.say(TOMAS, ALARM)
    post.send()
    (mail,) = post.mails(MARTA_MAIL)
    assert not mail.is_reworded
    assert "[" not in (mail.subject or "")


def test_all_that_waits_about_one_alert_goes_in_one_mail(desk: Desk, clock: HandClock, post: Post) -> None:
    desk.say(TOMAS, ALARM)
    (report,) = desk.reports()
    first = next(row.id for row in desk.outbox() if row.kind == "alert" and row.channel == "mail")
    clock.advance(HOUR)
    more = put(desk, MARTA_MAIL, "notice", "la atiende Eulalio", subject="nota", report_id=report.id, ref=report.ref)
    other = put(desk, MARTA_MAIL, "digest", "el resumen", subject="resumen")
    clock.advance(HOUR)
    post.send()
    told = post.mails(MARTA_MAIL)
    assert len(told) == 2
    assert "atrasado 2 h" in told[0].text
    assert "la atiende Eulalio" in told[0].text
    assert told[1].text == "el resumen"
    assert ends(desk)[more] == ("cancelled", "merged")
    assert {ends(desk)[key][0] for key in (first, other)} == {"sent"}
    kept = next(row for row in desk.outbox() if row.id == first)
    sealer = desk.house.sealer
    assert sealer.open("outbound_message", "text", first, kept.text_sealed) == told[0].text, (
        "what was sent is on record"
    )


def test_what_a_failed_try_would_have_replaced_is_not_lost(desk: Desk, clock: HandClock, post: Post) -> None:
    for text in ("inc rob nebaj ayer", "inc vif chajul ayer"):
        desk.say(ANA, text)
        clock.advance(timedelta(minutes=1))
    clock.advance(HOUR)
    post.modem.up = False
    post.send()
    assert {state for state, _ in ends(desk).values()} == {"queued"}
    desk.say(ANA, "inc ame cotzal ayer")
    clock.advance(HOUR)
    post.modem.up = True
    post.send()
    refs = [row.ref for row in desk.reports()]
    assert post.told(ANA) == [
        f"Recibidos con atraso: {', '.join(f'R{ref}' for ref in refs)}. Si hay error: CORREGIR y el numero. Gracias."
    ]
    states = [row.state for row in desk.outbox() if row.kind == "confirmation"]
    assert sorted(states) == ["cancelled", "cancelled", "sent"]


def test_a_confirmation_two_days_old_is_told_in_short_and_one_after_a_week_not_at_all(
    desk: Desk, clock: HandClock, post: Post
) -> None:
    desk.say(ANA, "inc rob nebaj ayer")
    clock.advance(timedelta(days=2, hours=1))
    post.send()
    assert post.told(ANA) == ["Recibido con atraso: R3000. Si hay error: CORREGIR y el numero. Gracias."]
    desk.say(ANA, "inc vif chajul ayer")
    clock.advance(timedelta(days=8))
    post.send()
    assert len(post.told(ANA)) == 1
    assert desk.outbox()[-1].state == "expired"


def test_a_confirmation_of_an_hour_goes_as_it_is(desk: Desk, clock: HandClock, post: Post) -> None:
    desk.say(ANA, "inc rob nebaj ayer")
    clock.advance(HOUR)
    post.send()
    assert "Robo" in post.told(ANA)[0]


def test_a_discreet_person_hears_numbers_only(desk: Desk, clock: HandClock, post: Post) -> None:
    key = contact_of(desk.house, ANA)
    desk.house.writer.write_now(
        lambda conn: conn.execute(update(CONTACT).where(CONTACT.c.id == key).values(discreet=True))
    )
    desk.say(ANA, "inc rob nebaj ayer")
    desk.say(ANA, "inc vif chajul ayer")
    clock.advance(HOUR)
    post.send()
    assert post.told(ANA) == ["Recibido 3000, 3001"]


def test_news_for_one_person_are_one_text_and_those_for_another_are_his_own(
    desk: Desk, clock: HandClock, post: Post
) -> None:
    desk.say(ANA, "inc rob nebaj ayer")
    (report,) = desk.reports()
    for number in range(1, 4):
        put(desk, MARTA, "notice", f"nota {number}", report_id=report.id, ref=3000 + number)
    put(desk, EULALIO, "notice", "nota sola", report_id=report.id, ref=3009)
    put(desk, MARTA, "notice", "listo, usted ya no recibe mensajes")
    clock.advance(HOUR)
    post.send()
    assert sorted(post.told(MARTA)) == [
        "Novedades atrasadas de R3001, R3002, R3003. Para saber mas mande ESTADO y el numero.",
        "listo, usted ya no recibe mensajes",
    ]
    assert post.told(EULALIO) == ["nota sola"]


def test_many_numbers_still_fit_one_segment(desk: Desk, clock: HandClock, post: Post) -> None:
    desk.say(ANA, "inc rob nebaj ayer")
    (report,) = desk.reports()
    for number in range(30):
        put(desk, MARTA, "notice", f"nota {number}", report_id=report.id, ref=9_990_000 + number)
    clock.advance(HOUR)
    post.send()
    (told,) = post.told(MARTA)
    assert count(told).segments == 1
    assert told.count("R99") == 8


def test_an_alert_by_sms_that_waited_keeps_what_it_says_until_somebody_saw_it(
    desk: Desk, clock: HandClock, post: Post
) -> None:
    desk.say(TOMAS, ALARM)
    (report,) = desk.reports()
    post.modem.up = False
    clock.advance(timedelta(minutes=40))
    post.modem.up = True
    post.send()
    (told,) = post.told(MARTA)
    assert "ALERTA" in told
    assert "VISTO" in told
    assert count(told).segments == 1
    desk.say(MARTA, f"VISTO {report.ref}")
    put(desk, MARTA, "alert", "escalada", report_id=report.id, ref=report.ref)
    clock.advance(2 * HOUR)
    post.send()
    assert any("Atrasado 2 h, ya vista" in text for text in post.told(MARTA)[1:])


def test_a_reminder_that_is_no_longer_true_is_not_sent(desk: Desk, clock: HandClock, post: Post) -> None:
    rosa = contact_of(desk.house, ROSA)
    long_ago = MORNING - timedelta(days=9)
    desk.house.writer.write_now(lambda conn: conn.execute(update(CONTACT).values(rhythm_days=0)))
    desk.house.writer.write_now(
        lambda conn: conn.execute(
            update(CONTACT).where(CONTACT.c.id == rosa).values(rhythm_days=7, last_heard_at=long_ago)
        )
    )
    assert watch_silence(desk.house) == 1
    post.modem.up = False
    post.send()
    clock.advance(timedelta(minutes=5))
    desk.say(ROSA, "BIEN")
    post.modem.up = True
    post.send()
    (reminder,) = [row for row in desk.outbox() if row.kind == "reminder"]
    assert (reminder.state, reminder.error) == ("cancelled", "stale")
    assert not any("No sabemos" in text for text in post.told(ROSA))


def test_an_sms_of_our_own_does_not_go_at_night_and_what_answers_does(desk: Desk, clock: HandClock, post: Post) -> None:
    clock.now = datetime(2026, 3, 11, 2, 30, tzinfo=UTC)
    own = put(desk, ROSA, "announcement", "reunion el viernes")
    mail = put(desk, MARTA_MAIL, "announcement", "reunion el viernes", subject="reunion")
    digest = put(desk, MARTA, "digest", "resumen de la hora que escogio")
    desk.say(TOMAS, ALARM)
    post.send()
    sent = {key for key, (state, _) in ends(desk).items() if state == "sent"}
    assert {mail, digest} <= sent
    assert ends(desk)[own] == ("queued", None)
    assert len(post.told(TOMAS)) == 1
    assert any("ALERTA" in text for text in post.told(MARTA))
    clock.now = datetime(2026, 3, 11, 14, 29, tzinfo=UTC)
    assert post.send() == 0
    clock.now = datetime(2026, 3, 11, 14, 30, tzinfo=UTC)
    assert post.send() == 1
    assert ends(desk)[own][0] == "sent"


def test_what_did_not_wait_is_not_looked_up(desk: Desk, clock: HandClock, post: Post) -> None:
    envelopes = [
        Envelope(
            id=uuid7(), kind=kind, channel="modem", to=ANA, text="x", lease="l", to_hash=b"h", leased_at=clock.now,
            queued_at=clock.now - timedelta(minutes=29),
        )
        for kind in ("alert", "confirmation", "question", "notice", "digest", "test")
    ]  # fmt: skip
    heard: list[str] = []
    engine = desk.house.engine

    def listen(conn: object, cursor: object, statement: str, *rest: object) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", listen)
    assert desk.house.read_now(lambda conn: Freshness(desk.house).review(conn, envelopes)) == {}
    event.remove(engine, "before_cursor_execute", listen)
    assert heard == []


def test_what_became_of_an_alert_is_told_with_it_once_somebody_saw_it(desk: Desk, clock: HandClock, post: Post) -> None:
    desk.say(TOMAS, ALARM)
    (report,) = desk.reports()
    put(desk, MARTA, "notice", "la atiende Eulalio", report_id=report.id, ref=report.ref)
    clock.advance(HOUR)
    post.modem.up = False
    post.send()
    post.modem.up = True
    post.send()
    assert len(post.told(MARTA)) == 2, "open: both are told"
    desk.say(MARTA, f"VISTO {report.ref}")
    post.send()
    before = len(post.told(MARTA))
    put(desk, MARTA, "alert", "escalada", report_id=report.id, ref=report.ref)
    for text in ("la atiende Eulalio", "termino"):
        put(desk, MARTA, "notice", text, report_id=report.id, ref=report.ref)
    clock.advance(HOUR)
    post.send()
    (told,) = post.told(MARTA)[before:]
    assert "Atrasado 1 h, ya vista" in told
