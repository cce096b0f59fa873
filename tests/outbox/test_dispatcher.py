import asyncio
from datetime import timedelta

from outbox_cast import Box, message
from outbox_office import Office, Script, all_paused, run, until

from outbox import errors
from outbox.dispatcher import SendingChannel
from outbox.senders.null import NullSender


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
            await all_paused(office)
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
