import asyncio
import logging
import threading

import pytest
from outbox_cast import envelope_of

from outbox import errors
from outbox.senders.base import Sent
from outbox.senders.console import ConsoleSender, masked
from outbox.senders.null import NullSender
from outbox.senders.pool import Pool
from outbox.senders.simulator import SimulatorSender


def test_the_console_tells_that_something_went_but_neither_to_whom_nor_what(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "vocero.console"):
        asyncio.run(ConsoleSender({}, {}).send(envelope_of()))
    assert "confirmation" in caplog.text
    assert "55550101" not in caplog.text
    assert "Recibido" not in caplog.text


MASKED = {
    "tel:+50255550101": "tel:+502…01",
    "tel:+1234": "tel:…",
    "mailto:ana@example.org": "mailto:…@example.org",
    "": ":…",
}


@pytest.mark.parametrize(("address", "shown"), MASKED.items())
def test_addresses_are_masked(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_the_null_sender_counts() -> None:
    sender = NullSender({"parallel": 7}, {})
    asyncio.run(sender.send(envelope_of()))
    assert (sender.taken, sender.parallel) == (1, 7)


def test_the_simulator_delivers_to_phones_only() -> None:
    envelope = envelope_of()
    assert asyncio.run(SimulatorSender({}, {}).send(envelope)) == Sent(str(envelope.id), state="delivered")
    with pytest.raises(errors.Unsupported):
        asyncio.run(SimulatorSender({}, {}).send(envelope_of(to="mailto:ana@example.org")))


def test_a_job_that_was_given_up_before_it_began_never_runs() -> None:
    async def story() -> list[str]:
        pool, hold, ran = Pool(1, "test"), threading.Event(), list[str]()
        first = asyncio.create_task(pool.run(hold.wait))
        given_up = asyncio.create_task(pool.run(lambda: ran.append("given up")))
        await asyncio.sleep(0)
        given_up.cancel()
        last = asyncio.create_task(pool.run(lambda: ran.append("last")))
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(first, last)
        pool.close()
        return ran

    assert asyncio.run(story()) == ["last"]


def test_a_pool_passes_errors_on_and_starts_no_more_threads_than_it_may() -> None:
    async def story() -> None:
        pool = Pool(2, "test-bounded")

        def fail() -> None:
            raise ValueError("no")

        results = await asyncio.gather(*(pool.run(fail) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(result, ValueError) for result in results)
        assert sum(thread.name.startswith("test-bounded") for thread in threading.enumerate()) <= 2
        pool.close()
        with pytest.raises(errors.Offline):
            await pool.run(fail)

    asyncio.run(story())
