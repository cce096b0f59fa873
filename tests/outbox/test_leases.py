from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from outbox_cast import ANA, BEATRIZ, Box, message
from sqlalchemy import Engine, delete

from gateway.sealing import Sealer
from outbox import errors
from outbox.queue import (
    cancel_for,
    claim_due,
    expire,
    release_leases_of,
    thaw,
)
from outbox.rows import OUTBOUND
from outbox.senders.base import Sent

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def test_a_try_whose_end_nobody_saw_is_remembered_until_it_is_known(box: Box) -> None:
    other, new = message(), message()
    box.put(other)
    box.sent(box.claim()[0], Sent("SM-other"))
    box.put(new, message(to=BEATRIZ))
    started = box.now
    envelope = next(envelope for envelope in box.claim() if envelope.id == new.id)
    box.failed(envelope, errors.UnknownResult())
    box.now += MINUTE
    [again] = [envelope for envelope in box.claim() if envelope.id == new.id]
    assert again.unsure_since == started
    assert again.known_ids == ("SM-other",)
    box.sent(again)
    assert box.row(new.id).unsure_since is None


def test_a_dead_process_loses_its_lease_and_the_next_one_looks_before_it_sends(box: Box) -> None:
    box.put(message())
    [lost] = box.claim(owner="one")
    started = box.now
    box.now += timedelta(seconds=30)
    assert box.release() == 0
    box.now += timedelta(seconds=30)
    assert box.release() == 1
    [taken] = box.claim(owner="two")
    assert taken.unsure_since == started
    assert box.sent(lost, Sent("late")) is False
    assert box.row(taken.id).state == "sending"
    assert box.sent(taken, Sent("SM2")) is True
    assert box.row(taken.id).provider_id == "SM2"
    assert box.attempts(taken.id) == [(1, "late"), (1, "sent")]


def test_a_late_failure_of_a_lost_lease_changes_nothing(box: Box) -> None:
    box.put(message())
    [lost] = box.claim()
    box.now += MINUTE
    box.release()
    [taken] = box.claim(owner="two")
    assert box.failed(lost, errors.InvalidAddress()) == "sending"
    assert box.sent(taken)


def test_a_late_yes_counts_when_nobody_has_taken_the_message_yet(box: Box) -> None:
    box.put(message())
    [lost] = box.claim()
    box.now += MINUTE
    box.release()
    assert box.sent(lost, Sent("SM1")) is True
    assert box.claim() == []
    assert box.row(lost.id).state == "sent"


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_a_late_yes_outranks_an_end_that_came_without_sending(box: Box, seals: Sealer, end: str) -> None:
    box.put(message(expires_at=box.now + MINUTE))
    [lost] = box.claim()
    box.now += MINUTE
    box.release()
    to_hash = seals.hash("address", ANA)
    box.run(lambda conn: expire(conn, box.now) if end == "expired" else cancel_for(conn, to_hash))
    assert box.row(lost.id).state == end
    assert box.sent(lost) is True
    assert box.row(lost.id).state == "sent"


def test_a_yes_recorded_twice_counts_once(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    assert box.sent(envelope) is True
    assert box.sent(envelope) is False


def test_a_live_process_keeps_what_it_is_sending_when_the_clock_jumps(box: Box) -> None:
    box.put(message())
    [held] = box.claim()
    box.now += DAY
    assert box.release(holding=[held.id]) == 0
    assert box.sent(held)


def test_a_lease_from_the_future_counts_as_ended(box: Box) -> None:
    box.put(message())
    box.claim()
    box.now -= timedelta(seconds=4)
    assert box.release() == 0, "two machines' clocks may differ a little"
    box.now -= DAY
    assert box.release() == 1


def test_a_restarted_process_takes_back_its_own_leases_only(box: Box) -> None:
    box.put(message(), message())
    box.claim(1, owner="node-1")
    box.claim(1, owner="node-10")
    assert box.run(lambda conn: release_leases_of(conn, "node-1")) == 1
    assert box.states() == {"queued": 1, "sending": 1}


def test_after_the_clock_was_set_back_what_had_been_due_is_due(box: Box) -> None:
    due, tried, planned = message(), message(), message(not_before=box.now + DAY)
    box.put(due, tried, planned)
    envelope = next(envelope for envelope in box.claim() if envelope.id == tried.id)
    box.failed(envelope, errors.Unavailable())
    box.now -= DAY
    box.release()
    assert box.claim() == []
    assert box.run(lambda conn: thaw(conn, box.now)) == 2
    assert {envelope.id for envelope in box.claim()} == {due.id, tried.id}


def test_many_claimers_at_once_share_the_messages_without_overlap(
    box: Box, new_engine: Callable[[], Engine], seals: Sealer
) -> None:
    box.put(*(message() for _ in range(200)))
    claimers = [Box(new_engine(), seals) for _ in range(4)]

    def empty(number: int) -> list[UUID]:
        found: list[UUID] = []
        while batch := claimers[number].claim(7, owner=f"claimer-{number}"):
            found += [envelope.id for envelope in batch]
        return found

    with ThreadPoolExecutor(4) as pool:
        ids = [message_id for found in pool.map(empty, range(4)) for message_id in found]
    assert len(ids) == len(set(ids)) == 200


def test_an_uncommitted_claim_leaves_no_trace(box: Box) -> None:
    box.put(message())
    with box.engine.connect() as conn, conn.begin() as transaction:
        found = claim_due(conn, channel="sms", limit=1, now=box.now, lease=MINUTE, owner="x", seals=box.seals)
        assert len(found) == 1
        transaction.rollback()
    assert box.states() == {"queued": 1}


def test_a_message_erased_while_it_is_sent_is_no_error(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    box.run(lambda conn: conn.execute(delete(OUTBOUND)))
    assert box.sent(envelope) is False
