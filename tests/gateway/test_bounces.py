"""Dead addresses: three refusals in a row pause what goes there, a success or a person's word resets the count."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from gateway import subscriptions
from gateway.bounces import watch_bounces
from gateway.failing import ADDRESS
from gateway.models import AuditEntry
from outbox.errors import Deferred, InvalidAddress, SendError
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.desk import MARTA, Desk
from tests.gateway.post import Post
from tests.gateway.rows import contact_of

MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"
JULIO_MAIL = "mailto:admin@oficina.example"
JULIO = "tel:+50255550301"
AUDIT = AuditEntry.__table__


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk.house)


@pytest.fixture
def by_mail(desk: Desk) -> UUID:
    return subscribe(desk, "email")


def subscribe(desk: Desk, by: str) -> UUID:
    key = contact_of(desk.house, MARTA)

    def job(connection: object) -> UUID:
        wish = subscriptions.make_wish(by, "06:00", "", ())
        return subscriptions.add(connection, key, wish, now=desk.house.clock(), actor="test")  # type: ignore[arg-type]

    return desk.house.writer.write_now(job)


def digest(desk: Desk, post: Post, error: SendError | None, to: str = MARTA_MAIL) -> None:
    """One mail that goes, or fails."""
    clock = desk.house.clock
    assert isinstance(clock, HandClock)
    clock.advance(timedelta(minutes=1))
    message = NewMessage(id=uuid7(), kind="digest", channel="mail", to=to, text="resumen", subject="resumen")
    desk.house.writer.write_now(lambda conn: enqueue(conn, [message], seals=desk.house.sealer, now=clock.now))
    post.mail.refuses = {to: error} if error else {}
    post.send()


def paused(desk: Desk) -> list[tuple[bool, str | None]]:
    rows = desk.house.read_now(subscriptions.standing)
    return [(row.active, row.pause_reason) for row in rows]


def marked(desk: Desk) -> list[str | None]:
    query = select(ADDRESS.c.failing_reason).where(ADDRESS.c.failing_since.is_not(None))
    return desk.house.read_now(lambda conn: list(conn.scalars(query)))


def test_three_refusals_in_a_row_pause_and_the_admins_are_told_once(desk: Desk, post: Post, by_mail: UUID) -> None:
    for _ in range(2):
        digest(desk, post, InvalidAddress())
        assert watch_bounces(desk.house) == 0
    digest(desk, post, InvalidAddress())
    assert watch_bounces(desk.house) == 1
    assert watch_bounces(desk.house) == 0
    assert paused(desk) == [(False, "bounces")]
    assert marked(desk) == ["invalid_address"]
    (told,) = desk.told(JULIO_MAIL)
    assert "Fallo 3 veces" in told
    assert "Marta" not in told
    assert desk.told(JULIO) == []
    assert count(told).segments == 1
    actions = desk.house.read_now(lambda conn: list(conn.scalars(select(AUDIT.c.action))))
    assert {"address.failing", "subscription.pause"} <= set(actions)
    digest(desk, post, InvalidAddress())
    assert watch_bounces(desk.house) == 0
    assert len(desk.told(JULIO_MAIL)) == 1


def test_a_success_between_them_resets_the_count(desk: Desk, post: Post, by_mail: UUID) -> None:
    for error in (InvalidAddress(), InvalidAddress(), None, InvalidAddress(), InvalidAddress()):
        digest(desk, post, error)
        assert watch_bounces(desk.house) == 0
    assert paused(desk) == [(True, None)]


def test_a_mail_that_is_sent_back_later_counts(desk: Desk, post: Post, by_mail: UUID) -> None:
    for _ in range(3):
        digest(desk, post, None)
    assert watch_bounces(desk.house) == 0
    desk.house.writer.write_now(lambda conn: conn.execute(update(OUTBOUND).values(state="failed", error="5.1.1")))
    assert watch_bounces(desk.house) == 1
    assert marked(desk) == ["5.1.1"]


def test_what_may_pass_is_no_bounce(desk: Desk, post: Post, by_mail: UUID) -> None:
    for _ in range(4):
        digest(desk, post, Deferred())
    desk.house.writer.write_now(lambda conn: conn.execute(update(OUTBOUND).values(state="failed", error="deferred")))
    assert watch_bounces(desk.house) == 0


def test_who_takes_it_up_again_begins_anew(desk: Desk, post: Post, by_mail: UUID, clock: HandClock) -> None:
    for _ in range(3):
        digest(desk, post, InvalidAddress())
    watch_bounces(desk.house)
    clock.advance(timedelta(minutes=1))
    desk.house.writer.write_now(lambda conn: subscriptions.set_active(conn, by_mail, True, now=clock.now, actor="test"))
    assert (paused(desk), marked(desk)) == ([(True, None)], [])
    for found in (0, 0, 1):
        digest(desk, post, InvalidAddress())
        assert watch_bounces(desk.house) == found
    assert paused(desk) == [(False, "bounces")]


def test_an_address_that_is_reached_after_all_is_no_longer_marked(
    desk: Desk, post: Post, by_mail: UUID, clock: HandClock
) -> None:
    for _ in range(3):
        digest(desk, post, InvalidAddress())
    watch_bounces(desk.house)
    digest(desk, post, None)
    watch_bounces(desk.house)
    assert marked(desk) == ["invalid_address"], "it may still be sent back"
    clock.advance(timedelta(hours=2))
    watch_bounces(desk.house)
    assert marked(desk) == []


def test_a_digest_that_goes_both_ways_goes_on_by_the_other(desk: Desk, post: Post) -> None:
    subscribe(desk, "both")
    for _ in range(3):
        digest(desk, post, InvalidAddress())
    assert watch_bounces(desk.house) == 1
    assert paused(desk) == [(True, None)]


def test_the_admin_whose_own_mailbox_is_dead_hears_by_phone_in_the_morning(
    desk: Desk, post: Post, clock: HandClock
) -> None:
    clock.advance(timedelta(hours=15))
    for _ in range(3):
        digest(desk, post, InvalidAddress(), to=JULIO_MAIL)
    assert watch_bounces(desk.house) == 1
    assert (len(desk.told(JULIO)), desk.told(JULIO_MAIL)) == (1, ["resumen"] * 3)
    post.send()
    assert post.told(JULIO) == []
    clock.advance(timedelta(hours=12))
    post.send()
    assert len(post.told(JULIO)) == 1
