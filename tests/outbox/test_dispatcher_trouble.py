import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from outbox_cast import Box, message
from outbox_office import Office, Script, all_paused, run, until
from sqlalchemy import Connection, Engine, update

from outbox import errors
from outbox.dispatcher import SendingChannel
from outbox.errors import SendError
from outbox.rows import OUTBOUND


def test_offline_is_a_pause_that_uses_no_attempt_and_tries_one_at_a_time(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script([errors.Offline() for _ in range(4)], parallel=4)
        office.channels["sms"] = SendingChannel(script)
        box.put(*(message() for _ in range(50)))
        async with office.open():
            await until(lambda: bool(office.said))
            await office.until({"queued": 50})
            assert office.said == [("sms", "offline", "offline")]
            office.channels["sms"] = SendingChannel(script, paused=True)
            await all_paused(office)
            office.channels["sms"] = SendingChannel(script)
            await office.until({"sent": 50})
        assert ("sms", "online", "") in office.said
        assert {envelope.attempt for envelope in script.taken} == {1}

    run(story())


@pytest.mark.parametrize(
    "error",
    [errors.Offline(), errors.Throttled(), errors.Unavailable(), errors.Deferred(), errors.UnknownResult()],
    ids=lambda error: error.code,
)
def test_a_channel_in_trouble_fails_at_most_once_a_second(box: Box, error: SendError) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script([error for _ in range(100)])
        office.channels["sms"] = SendingChannel(script)
        box.put(*(message() for _ in range(30)))
        async with office.open():
            await until(lambda: bool(script.taken))
            for _ in range(20):
                office.dispatcher.wake()
                await asyncio.sleep(0.1)
        assert all(later - earlier > 0.95 for earlier, later in zip(script.times, script.times[1:], strict=False))

    run(story())


def test_a_refused_key_stops_the_channel_and_keeps_the_queue(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        refused = Script([errors.AuthFailed()])
        office.channels["sms"] = SendingChannel(refused)
        box.put(*(message() for _ in range(3)))
        async with office.open():
            await until(lambda: bool(office.said))
            await office.until({"queued": 3})
            assert office.said == [("sms", "auth_failed", "auth_failed")]
            assert len(refused.taken) == 1
            office.channels["sms"] = SendingChannel(Script())
            office.dispatcher.wake()
            await office.until({"sent": 3})

    run(story())


def test_a_final_error_holds_up_nobody(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        office.channels["sms"] = SendingChannel(Script([errors.InvalidAddress() for _ in range(20)]))
        box.put(*(message() for _ in range(21)))
        async with office.open():
            await office.until({"failed": 20, "sent": 1})

    run(story())


def test_a_sender_that_breaks_is_an_unknown_result(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        office.channels["sms"] = SendingChannel(Script([ValueError("oops")]))
        new = message()
        box.put(new)
        async with office.open():
            await until(lambda: box.row(new.id).error == "unknown_result")

    run(story())


def test_a_database_that_fails_for_a_while_loses_no_result(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        broken = threading.Event()
        inner = office.writer.write

        async def write(job: Callable[[Connection], Any]) -> Any:
            if broken.is_set():
                raise OSError("the disk is full")
            return await inner(job)

        office.dispatcher._write = write
        hanging = asyncio.Event()
        script = Script([hanging.wait])
        office.channels["sms"] = SendingChannel(script)
        box.put(message(), message())
        async with office.open():
            await office.until({"queued": 1, "sending": 1})
            broken.set()
            hanging.set()
            await until(lambda: bool(office.dispatcher._lines["sms"].ended))
            broken.clear()
            await office.until({"sent": 2})
        assert len(script.taken) == 2

    run(story())


def test_the_clock_set_back_a_day_stops_nothing(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        office.channels["sms"] = SendingChannel(Script())
        async with office.open():
            box.put(message(not_before=box.now + timedelta(hours=2)), message(channel="other"))
            await office.until({"queued": 2})
            box.now -= timedelta(days=1)
            box.put(message(kind="alert"))
            office.channels["other"] = SendingChannel(Script())
            await office.until({"queued": 1, "sent": 2})

    run(story())


def test_a_process_that_was_stopped_beyond_its_lease_cannot_undo_what_the_next_one_did(
    box: Box, new_engine: Callable[[], Engine]
) -> None:
    async def story() -> None:
        stopped, hanging = Office(box), asyncio.Event()
        stopped.channels["sms"] = SendingChannel(Script([hanging.wait]))
        other = Office(Box(new_engine(), box.seals))
        taken = Script()
        other.channels["sms"] = SendingChannel(taken)
        new = message()
        box.put(new)
        async with stopped.open():
            await stopped.until({"sending": 1})
            other.box.now += timedelta(minutes=2)
            async with other.open():
                await other.until({"sent": 1})
                assert taken.taken[0].unsure_since == box.now
                hanging.set()
                await until(lambda: len(other.box.attempts(new.id)) == 2)
        assert [result for _, result in box.attempts(new.id)] == ["sent", "late"]
        assert box.row(new.id).provider_id == "id-1"

    run(story())


def test_several_processes_send_each_message_once(box: Box, new_engine: Callable[[], Engine]) -> None:
    async def story() -> None:
        scripts = [Script(parallel=5) for _ in range(3)]
        offices = [Office(Box(new_engine(), box.seals)) for _ in scripts]
        for office, script in zip(offices, scripts, strict=True):
            office.channels["sms"] = SendingChannel(script)
        box.put(*(message() for _ in range(300)))
        async with offices[0].open(), offices[1].open(), offices[2].open():
            await offices[0].until({"sent": 300}, seconds=30)
        ids = [envelope.id for script in scripts for envelope in script.taken]
        assert len(ids) == len(set(ids)) == 300

    run(story())


def test_a_process_that_is_alone_goes_on_at_once_with_what_a_dead_one_held(box: Box) -> None:
    async def story() -> None:
        box.put(message())
        box.claim(owner="dead")
        office = Office(box, alone=True)
        script = Script()
        office.channels["sms"] = SendingChannel(script)
        async with office.open():
            await office.until({"sent": 1})
        assert script.taken[0].unsure_since == box.now

    run(story())


def test_what_a_provider_in_trouble_put_off_for_an_hour_goes_when_it_serves_again(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script([errors.Unavailable()])
        office.channels["sms"] = SendingChannel(script)
        put_off = [message() for _ in range(4)]
        box.put(put_off[0])
        async with office.open():
            await until(lambda: bool(office.said))
            office.channels["sms"] = SendingChannel(script, paused=True)
            await all_paused(office)
            box.put(*put_off[1:])
            later = {"not_before": box.now + timedelta(hours=1), "error": "unavailable"}
            box.run(lambda conn: conn.execute(update(OUTBOUND).values(later)))
            box.put(message(kind="alert"))
            office.channels["sms"] = SendingChannel(script)
            await office.until({"sent": 5})

    run(story())
