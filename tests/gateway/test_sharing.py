"""Processes that send from one database share each channel's rate."""

import asyncio
from datetime import timedelta

from gateway.channels.live import LiveChannels
from gateway.house import House
from gateway.sharing import ALIVE, Sharing
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, until


def test_two_processes_keep_to_half_of_the_rate_until_one_ends(house: House) -> None:
    """On SQLite one process sends, and the rate is its own."""
    alone = house.settings.sqlite_path is not None

    async def story() -> list[int]:
        told: list[int] = []
        stops = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(Sharing(house, told.append, every_s=0.05).run(stops[0]))
        if alone:
            await asyncio.sleep(0)
            assert not first.done(), "a part that ends takes the process with it"
            stops[0].set()
            await first
            return told
        await until(lambda: seen(told, 1))
        second = asyncio.create_task(Sharing(house, lambda _number: None, every_s=0.05).run(stops[1]))
        await until(lambda: seen(told, 2))
        stops[1].set()
        await second
        await until(lambda: seen(told, 1))
        stops[0].set()
        await first
        return told

    told = asyncio.run(story())
    assert told == [] if alone else {1, 2} == set(told)


async def seen(told: list[int], last: int) -> bool:
    return bool(told) and told[-1] == last


def test_a_process_that_died_counts_no_more_after_half_a_minute(house: House, clock: HandClock) -> None:
    if house.settings.sqlite_path is not None:
        assert timedelta(seconds=30) == ALIVE
        return
    told: list[int] = []
    counted = house.writer.write_now(Sharing(house, told.append).count)
    assert counted == 1
    clock.now += timedelta(seconds=20)
    other = Sharing(house, told.append)
    assert house.writer.write_now(other.count) == 2
    clock.now += timedelta(seconds=20)
    assert house.writer.write_now(other.count) == 1


def test_the_part_of_a_rate_is_what_the_dispatcher_sees(house: House) -> None:
    add_channel(house, "http", "campo", token="a-token-of-the-test", send_url="http://127.0.0.1:9/send")
    house.writer.write_now(lambda conn: conn.exec_driver_sql("UPDATE channel SET rate = 10"))

    async def story() -> tuple[float | None, float | None]:
        async with at_work(house, worker=True, timer=False) as (running, _):
            channels: LiveChannels = running.channels
            channels.share = 1
            whole = channels.sending()["campo"].rate
            channels.share = 4
            return whole, channels.sending()["campo"].rate

    assert asyncio.run(story()) == (10, 2.5)
