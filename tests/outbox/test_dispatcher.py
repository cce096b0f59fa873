import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from outbox_cast import Box, message
from sqlalchemy import Connection, Engine

from gateway.db import Writer
from outbox import errors
from outbox.dispatcher import Dispatcher, SendingChannel
from outbox.errors import SendError
from outbox.senders.base import Envelope, Sent
from outbox.senders.null import NullSender

SOON = 5.0


@dataclass
class Script:
    """A sender that answers as it is told, in turn, then says yes."""

    answers: list[SendError | Exception | Callable[[], Awaitable[Any]]] = field(default_factory=list)
    parallel: int = 1
    taken: list[Envelope] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def send(self, envelope: Envelope) -> Sent:
        self.taken.append(envelope)
        self.times.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await answer()
        return Sent(f"id-{len(self.taken)}")

    async def close(self) -> None:
        pass


class Office:
    """A dispatcher over the box's database, its writer thread, and what it said of its channels."""

    def __init__(self, box: Box, **arguments: Any) -> None:
        self.box = box
        self.writer = Writer(box.engine)
        self.writer.start()
        self.channels: dict[str, SendingChannel] = {}
        self.said: list[tuple[str, str, str]] = []
        self.stop = asyncio.Event()
        self.dispatcher = Dispatcher(
            write=self.writer.write, seals=box.seals, clock=lambda: box.now, channels=lambda: self.channels,
            owner="office", on_state=lambda *said: self.said.append(said), **arguments,
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["Office"]:
        task = asyncio.create_task(self.dispatcher.run(self.stop))
        try:
            yield self
        finally:
            self.stop.set()
            self.dispatcher.wake()
            await asyncio.wait_for(task, SOON + 12)
            self.writer.stop()

    async def states(self) -> dict[str, int]:
        return await self.writer.write(lambda conn: self.box.states_in(conn))

    async def until(self, wanted: dict[str, int], seconds: float = SOON) -> None:
        """Ask, again and again, until the messages are in these states."""
        async with asyncio.timeout(seconds):
            while await self.states() != wanted:  # noqa: ASYNC110 - the database knows nothing of this test
                await asyncio.sleep(0.01)


async def until(condition: Callable[[], bool], seconds: float = SOON) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for knows nothing of this test
            await asyncio.sleep(0.01)


def run(job: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(job, 60))  # type: ignore[arg-type]


def test_what_is_due_is_sent_and_recorded(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script(parallel=3)
        office.channels["sms"] = SendingChannel(script)
        async with office.open():
            box.put(*(message() for _ in range(10)))
            office.dispatcher.wake()
            await office.until({"sent": 10})
        assert len(script.taken) == 10
        assert ("sms", "sent") in {said[:2] for said in office.said}

    run(story())


def test_a_wake_is_answered_before_the_next_poll(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script()
        office.channels["sms"] = SendingChannel(script)
        async with office.open():
            await office.until({})
            for _ in range(5):
                box.put(message())
                woken = asyncio.get_running_loop().time()
                office.dispatcher.wake("sms")
                await office.until({"sent": len(script.taken) + 1})
                assert script.times[-1] - woken < 0.5

    run(story())


def test_two_channels_do_not_wait_for_each_other(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        hanging = asyncio.Event()
        office.channels = {"slow": SendingChannel(Script([hanging.wait])), "sms": SendingChannel(Script())}
        box.put(message(channel="slow"), message())
        async with office.open():
            await office.until({"sending": 1, "sent": 1})
            hanging.set()
            await office.until({"sent": 2})

    run(story())


def test_a_hanging_send_takes_one_place_only(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        hanging = asyncio.Event()
        office.channels["sms"] = SendingChannel(Script([hanging.wait], parallel=2))
        box.put(*(message() for _ in range(20)))
        async with office.open():
            await office.until({"sending": 1, "sent": 19})
            hanging.set()

    run(story())


def test_a_send_that_never_ends_is_cut_off_as_an_unknown_result(box: Box) -> None:
    async def story() -> None:
        office = Office(box, send_seconds=0.05)
        office.channels["sms"] = SendingChannel(Script([asyncio.Event().wait]))
        new = message()
        box.put(new)
        async with office.open():
            await until(lambda: box.row(new.id).error == "unknown_result")
        assert (box.row(new.id).state, box.row(new.id).unsure_since) == ("queued", box.now)

    run(story())


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
            await _turns(office)
            office.channels["sms"] = SendingChannel(script)
            await office.until({"sent": 50})
        assert ("sms", "online", "") in office.said
        assert {envelope.attempt for envelope in script.taken} == {1}

    run(story())


async def _turns(office: Office) -> None:
    """Until every line has seen the channels as they are now."""
    office.dispatcher.wake()
    await until(lambda: all(line.paused for line in office.dispatcher._lines.values()))


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


def test_the_rate_is_kept(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script(parallel=10)
        office.channels["sms"] = SendingChannel(script, rate=20)
        box.put(*(message() for _ in range(30)))
        async with office.open():
            await office.until({"sent": 30})
        assert 30 / 20 - 1.1 < script.times[-1] - script.times[0] < 4
        windows = [sum(start <= at < start + 1 for at in script.times) for start in script.times]
        assert max(windows) <= 41

    run(story())


def test_who_opted_out_between_queueing_and_sending_is_not_sent_to(box: Box) -> None:
    async def story() -> None:
        left, stays = message(to="tel:+50255550109"), message()
        office = Office(box, allowed=lambda conn, claimed: [e.id for e in claimed if e.to != left.to])
        script = Script()
        office.channels["sms"] = SendingChannel(script)
        box.put(left, stays)
        async with office.open():
            await office.until({"cancelled": 1, "sent": 1})
        assert [envelope.id for envelope in script.taken] == [stays.id]
        assert box.row(left.id).error == "opted_out"

    run(story())


def test_a_paused_channel_sends_nothing(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script()
        office.channels["sms"] = SendingChannel(script, paused=True)
        box.put(message())
        async with office.open():
            office.dispatcher.wake()
            await _turns(office)
            assert await office.states() == {"queued": 1}
            office.channels["sms"] = SendingChannel(script)
            await office.until({"sent": 1})

    run(story())


def test_a_channel_added_while_running_is_served(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        box.put(message(channel="new"))
        async with office.open():
            office.channels["new"] = SendingChannel(Script())
            await office.until({"sent": 1})

    run(story())


def test_stopping_finishes_what_is_being_sent_and_begins_nothing(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        hanging = asyncio.Event()
        script = Script([hanging.wait])
        office.channels["sms"] = SendingChannel(script)
        box.put(*(message() for _ in range(5)))
        async with office.open():
            await office.until({"queued": 4, "sending": 1})
            office.stop.set()
            office.dispatcher.wake()
            asyncio.get_running_loop().call_later(0.1, hanging.set)
        assert box.states() == {"queued": 4, "sent": 1}
        assert len(script.taken) == 1

    run(story())


def test_stopping_cuts_off_what_does_not_end_and_remembers_that_it_may_have_arrived(box: Box) -> None:
    async def story() -> None:
        office = Office(box, drain_seconds=0.1)
        office.channels["sms"] = SendingChannel(Script([asyncio.Event().wait]))
        new = message()
        box.put(new)
        async with office.open():
            await office.until({"sending": 1})
        row = box.row(new.id)
        assert (row.state, row.unsure_since) == ("queued", box.now)

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


def test_an_alert_overtakes_a_long_queue(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        script = Script(parallel=4)
        office.channels["sms"] = SendingChannel(script, rate=50)
        box.put(*(message(kind="digest") for _ in range(2_000)))
        async with office.open():
            await until(lambda: len(script.taken) >= 10)
            alert = message(kind="alert")
            box.put(alert)
            before = len(script.taken)
            await until(lambda: alert.id in {envelope.id for envelope in script.taken})
            place = [envelope.id for envelope in script.taken].index(alert.id)
        assert place - before < 60

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


def test_a_rehearsal_sends_all_that_is_due_and_ends(box: Box) -> None:
    async def story() -> None:
        office = Office(box)
        sender = NullSender({}, {})
        office.channels = {"sms": SendingChannel(sender, rate=0.001), "off": SendingChannel(sender, paused=True)}
        box.put(*(message() for _ in range(250)), message(not_before=box.now + timedelta(hours=1)))
        box.put(message(channel="off"))
        assert await office.dispatcher.drain_once() == 250
        assert await office.states() == {"queued": 2, "sent": 250}
        office.channels["sms"] = SendingChannel(Script([errors.Offline()]))
        box.now += timedelta(hours=1)
        assert await office.dispatcher.drain_once() == 1
        assert await office.states() == {"queued": 2, "sent": 250}
        office.writer.stop()

    run(story())
