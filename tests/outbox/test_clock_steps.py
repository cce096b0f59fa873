"""A clock that is set forward: what waits keeps the time it had left."""

from datetime import timedelta

from outbox_cast import Box, message

from outbox.queue import expire, keep_time_left

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_a_machine_that_woke_in_the_past_loses_nothing_when_its_clock_is_put_right(box: Box) -> None:
    waiting, overdue = message(expires_at=box.now + 2 * DAY), message(expires_at=box.now + HOUR)
    box.put(waiting, overdue)
    box.now += 2 * HOUR
    box.run(lambda conn: expire(conn, box.now))
    step = 3 * DAY
    box.now += step
    later = message(expires_at=box.now + HOUR)
    box.put(later)
    box.run(lambda conn: expire(conn, box.now))
    assert box.row(waiting.id).state == "expired"
    assert box.run(lambda conn: keep_time_left(conn, step, box.now)) == 1
    assert box.run(lambda conn: keep_time_left(conn, step, box.now)) == 0, "another process saw the same step"
    assert box.now - box.row(waiting.id).queued_at == 2 * HOUR, "it is as late as it was"
    assert {envelope.id for envelope in box.claim()} == {waiting.id, later.id}
    assert box.row(waiting.id).expires_at == waiting.expires_at + step
    assert box.row(later.id).expires_at == later.expires_at
    assert box.row(overdue.id).state == "expired"
