"""The mail is away for six hours, the machine for two minutes: what waits goes out once, the oldest first."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from gateway import subscriptions
from gateway.contacts import CONTACT
from gateway.digests import run_due
from gateway.silence_watch import watch_silence
from outbox.queue import claim_due, release_expired_leases
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, GASPAR, MARTA, TOMAS, Desk
from tests.gateway.post import Post
from tests.gateway.rows import contact_of

NINE = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
ROSA = "tel:+50255550113"
MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"
EULALIO_MAIL = "mailto:eulalio.coord@oficina.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def post(desk: Desk, clock: HandClock) -> Post:
    clock.now = NINE
    return Post(desk.house)


def subscribe(desk: Desk, address: str, hours: str) -> None:
    key = contact_of(desk.house, address)

    def job(connection: object) -> None:
        wish = subscriptions.make_wish("email", hours, "", ())
        subscriptions.add(connection, key, wish, now=desk.house.clock(), actor="test")  # type: ignore[arg-type]

    desk.house.writer.write_now(job)


def states(desk: Desk) -> dict[str, int]:
    found = [row.state for row in desk.outbox()]
    return {state: found.count(state) for state in sorted(set(found))}


def test_after_six_hours_without_mail_the_queue_drains_once_oldest_first(
    desk: Desk, clock: HandClock, post: Post
) -> None:
    for address in (MARTA, EULALIO):
        subscribe(desk, address, "10:00,11:00,12:00,13:00,14:00,15:00")
    post.mail.up = False
    for number in range(72):
        clock.now = NINE + number * 5 * MINUTE
        if number == 9:
            desk.say(TOMAS, "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar")
        if number % 12 == 6:
            desk.say(ANA, f"inc rob nebaj ayer {number} heridos")
        run_due(desk.house)
        post.send()
    assert post.mail.taken == []
    waiting = [row for row in desk.outbox() if row.channel == "mail"]
    assert {row.state for row in waiting} == {"queued"}
    assert all(row.attempts == 0 for row in waiting), "an outage uses up no attempt"
    clock.now = NINE + timedelta(hours=6)
    run_due(desk.house)
    post.mail.up = True
    returned = clock.now
    while "queued" in states(desk):
        post.send()
        clock.advance(MINUTE)
    assert clock.now - returned <= 5 * MINUTE
    sent = [one.id for one in post.mail.taken]
    assert len(sent) == len(set(sent)) == len([row for row in desk.outbox() if row.channel == "mail"])
    kinds = [one.kind for one in post.mail.taken]
    assert kinds == sorted(kinds, key=lambda kind: kind != "alert"), "alerts go before digests"
    for address in (MARTA_MAIL, EULALIO_MAIL):
        times = [one.queued_at for one in post.mails(address) if one.kind == "digest"]
        assert len(times) == 6
        assert times == sorted(times, key=str)


def test_what_a_machine_had_in_hand_when_it_lost_power_goes_out_once(desk: Desk, clock: HandClock, post: Post) -> None:
    desk.house.writer.write_now(lambda conn: conn.execute(update(CONTACT).values(rhythm_days=0)))
    rosa = contact_of(desk.house, ROSA)
    long_ago = NINE - timedelta(days=8)
    desk.house.writer.write_now(
        lambda conn: conn.execute(
            update(CONTACT).where(CONTACT.c.id == rosa).values(rhythm_days=7, last_heard_at=long_ago)
        )
    )
    subscribe(desk, MARTA, "08:00")
    for sender in (ANA, GASPAR):
        desk.say(sender, "inc rob nebaj ayer")
    watch_silence(desk.house)
    lease = timedelta(seconds=60)
    desk.house.writer.write_now(
        lambda conn: claim_due(
            conn, channel="modem", limit=2, now=clock.now, lease=lease, owner="dead", seals=desk.house.sealer
        )
    )
    before = len(desk.outbox())
    clock.advance(2 * MINUTE)
    for _ in range(3):
        watch_silence(desk.house)
        run_due(desk.house)
        desk.house.writer.write_now(lambda conn: release_expired_leases(conn, clock.now))
        post.send()
        clock.advance(MINUTE)
    assert len(desk.outbox()) == before
    assert [len(post.told(address)) for address in (ANA, GASPAR, ROSA)] == [1, 1, 1]
    assert states(desk) == {"sent": before}
