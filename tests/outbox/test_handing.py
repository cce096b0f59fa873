"""Messages for devices that fetch them: leased, settled by their word, never given to two, never for ever."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from outbox_cast import BEATRIZ, Box, message
from sqlalchemy import Connection

from outbox.handing import hand_over, owed
from outbox.queue import release_all_leases
from outbox.senders.base import Envelope

HOLD = timedelta(minutes=15)


def everyone(_conn: Connection, envelopes: Sequence[Envelope]) -> Collection[UUID]:
    return [envelope.id for envelope in envelopes]


def give(box: Box, limit: int = 10, hold: timedelta | None = HOLD, allowed: object = everyone) -> list[UUID]:
    return box.run(
        lambda conn: [
            one.id
            for one in hand_over(
                conn, channel="sms", limit=limit, now=box.now, seals=box.seals, hold=hold, allowed=allowed
            )
        ]
    )


def test_what_is_given_is_leased_counted_and_owed(box: Box) -> None:
    first, second = message(), message(to=BEATRIZ)
    box.put(first, second)
    assert give(box, 1) == [first.id]
    assert (box.row(first.id).state, box.row(first.id).attempts) == ("sending", 1)
    assert box.attempts(first.id) == [(1, "handed_over")]
    assert box.run(lambda conn: owed(conn, "sms")) == [first.id]
    assert give(box) == [second.id]
    assert give(box) == []


def test_what_a_device_holds_outlives_our_process_but_not_its_lease(box: Box) -> None:
    held = message()
    box.put(held)
    give(box)
    box.run(release_all_leases)
    assert give(box) == []
    box.now += HOLD
    box.release()
    assert give(box) == [held.id]
    assert box.row(held.id).attempts == 2


def test_the_word_of_the_device_settles_it_also_when_it_comes_late(box: Box) -> None:
    told, late = message(), message(to=BEATRIZ)
    box.put(told, late)
    give(box)
    assert box.receipt("sent", told.id) == "applied"
    box.now += HOLD
    box.release()
    assert box.receipt("sent", late.id) == "applied"
    assert give(box) == []
    assert box.states() == {"sent": 2}
    assert box.receipt("delivered", told.id) == "applied"
    assert box.run(lambda conn: owed(conn, "sms")) == []


def test_a_device_that_never_tells_has_sent_what_it_was_given(box: Box) -> None:
    given = message()
    box.put(given)
    assert give(box, hold=None) == [given.id]
    assert (box.row(given.id).state, box.row(given.id).sent_at) == ("sent", box.now)
    assert box.run(lambda conn: owed(conn, "sms")) == []
    box.now += 2 * HOLD
    box.release()
    assert give(box, hold=None) == []


def test_what_may_not_go_is_cancelled_and_not_given(box: Box) -> None:
    out, stays = message(), message(to=BEATRIZ)
    box.put(out, stays)
    assert give(box, allowed=lambda _conn, found: [one.id for one in found if one.id != out.id]) == [stays.id]
    assert (box.row(out.id).state, box.row(out.id).error) == ("cancelled", "opted_out")


def test_what_has_expired_is_not_given(box: Box) -> None:
    old = message(expires_at=box.now + timedelta(hours=1))
    box.put(old)
    box.now += timedelta(hours=2)
    assert give(box) == []
    assert box.row(old.id).state == "expired"
