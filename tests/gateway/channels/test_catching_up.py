"""When a channel is asked for what it missed, and from when on."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.channels import registry
from gateway.channels.android import REACH
from gateway.house import House
from gateway.running import Running
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, until
from tests.gateway.channels.android_phone import Phone

DAY = timedelta(days=1)


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.close()


def add(house: House, phone: Phone) -> None:
    add_channel(house, "android", "phone", token="key", send_url=phone.url, username="sms", password="pass")


def asked_since(phone: Phone) -> list[datetime]:
    """From when on the phone was asked to look, each time."""
    return [datetime.fromisoformat(json.loads(one.body)["since"]) for one in phone.asked if one.method == "POST"]


async def times(phone: Phone, number: int) -> None:
    async def there() -> bool:
        return len(asked_since(phone)) >= number and phone.asked[-1].method == "GET"

    await until(there, 20)


def marked(house: House) -> Any:
    return house.read_now(lambda conn: conn.scalar(select(registry.CHANNEL.c.caught_up_at)))


async def mark(house: House, at: datetime) -> None:
    async def there() -> bool:
        return marked(house) == at

    await until(there)


def work(house: House, story: Callable[[Running], Any]) -> None:
    async def run() -> None:
        async with at_work(house) as (running, _):
            await story(running)

    asyncio.run(run())


def test_a_new_channel_is_asked_from_its_making_on_and_every_hour(house: House, clock: HandClock, phone: Phone) -> None:
    add(house, phone)
    made = clock()
    clock.advance(timedelta(minutes=10))

    async def story(_running: Running) -> None:
        await times(phone, 1)
        await mark(house, made + timedelta(minutes=10))
        clock.advance(timedelta(hours=1))
        await times(phone, 2)

    work(house, story)
    assert asked_since(phone) == [made, made]


def test_after_a_long_time_off_it_is_asked_from_before_its_end_on(house: House, clock: HandClock, phone: Phone) -> None:
    add(house, phone)

    async def once(_running: Running) -> None:
        await times(phone, len(asked_since(phone)) + 1)
        await mark(house, clock())

    clock.advance(10 * DAY)
    work(house, once)
    caught_up = clock()
    clock.advance(20 * DAY)
    work(house, once)
    assert asked_since(phone)[-1] == caught_up - REACH


def test_a_failure_leaves_the_mark_where_it_was(house: House, clock: HandClock, phone: Phone) -> None:
    add(house, phone)
    phone.trouble = "throttled"

    async def story(_running: Running) -> None:
        async def there() -> bool:
            return bool(phone.asked)

        await until(there)

    work(house, story)
    assert marked(house) is None


def test_new_settings_and_a_link_that_is_back_are_reasons_to_ask(house: House, clock: HandClock, phone: Phone) -> None:
    add(house, phone)

    async def story(running: Running) -> None:
        await times(phone, 1)
        await mark(house, clock())
        house.writer.write_now(
            lambda conn: registry.change(
                conn, house.sealer, name="phone", values={"sim": "2"}, at=clock(), actor="test"
            )
        )
        await times(phone, 2)
        assert running._catching_up is not None
        running._catching_up.link_is_back("phone")
        await times(phone, 3)

    work(house, story)
