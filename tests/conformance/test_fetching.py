"""What every channel owes whose device comes for its messages: none lost, none given to two, none sent for ever."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.channels import registry
from gateway.house import House
from outbox.queue import release_all_leases, release_expired_leases
from tests.conformance.conftest import Open
from tests.conformance.rig import Office, kinds, rig_of
from tests.conformance.test_sending import LONG, TEXT, put, row
from tests.conftest import HandClock

FETCHERS = [kind for kind in kinds() if rig_of(kind).fetches]
HELD_AT_MOST = timedelta(hours=2)


def settle(house: House) -> None:
    """What the worker does from time to time."""
    house.writer.write_now(lambda conn: release_expired_leases(conn, house.clock()))


@pytest.mark.parametrize("kind", FETCHERS)
def test_a_message_is_given_to_the_device_once_and_is_sent_when_it_says_so(
    house: House, opened: Open, kind: str
) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> dict[str, Any]:
        async with opened(rig) as office:
            message = put(house, rig)
            told: dict[str, Any] = {"given": await rig.fetch(office), "state": row(house, message).state}
            settle(house)
            told["again"] = await rig.fetch(office)
            house.writer.write_now(release_all_leases)  # the gateway was started anew
            told["after a restart"] = await rig.fetch(office)
            assert await rig.report(office, row(house, message), "sent")
            told["told"] = row(house, message).state
            settle(house)
            told["left"] = await rig.fetch(office)
            return {**told, "id": str(message)}

    told = asyncio.run(story())
    assert told["given"] == [(told["id"], TEXT)]
    assert (told["state"], told["told"]) == ("sending", "sent")
    assert told["again"] == told["after a restart"] == told["left"] == []


@pytest.mark.parametrize("kind", FETCHERS)
def test_a_message_of_which_the_device_says_nothing_is_given_again_under_the_same_id(
    house: House, clock: HandClock, opened: Open, kind: str
) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> list[list[tuple[str, str]]]:
        async with opened(rig) as office:
            put(house, rig)
            given = [await rig.fetch(office)]
            clock.advance(HELD_AT_MOST)
            settle(house)
            return [*given, await rig.fetch(office)]

    first, again = asyncio.run(story())
    assert first == again
    assert len(first) == 1


@pytest.mark.parametrize("kind", FETCHERS)
def test_news_in_any_order_and_twice_ends_the_same(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> str:
        async with opened(rig) as office:
            message = put(house, rig)
            await rig.fetch(office)
            for status in ("delivered", "sent", "delivered"):
                assert await rig.report(office, row(house, message), status)
            return str(row(house, message).state)

    assert asyncio.run(story()) == "delivered"


@pytest.mark.parametrize("kind", FETCHERS)
def test_a_message_that_the_device_could_not_send_has_failed(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> str:
        async with opened(rig) as office:
            message = put(house, rig)
            await rig.fetch(office)
            assert await rig.report(office, row(house, message), "failed")
            return str(row(house, message).state)

    assert asyncio.run(story()) == "failed"


@pytest.mark.parametrize("kind", FETCHERS)
def test_two_calls_at_once_are_not_given_the_same(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> list[list[tuple[str, str]]]:
        async with opened(rig) as office:
            for number in range(30):
                put(house, rig, f"R30{number:02} recibido")
            return await asyncio.gather(*(rig.fetch(office) for _ in range(6)))

    given = [message for one in asyncio.run(story()) for message, _ in one]
    assert len(given) == len(set(given)) == 30


@pytest.mark.parametrize("kind", FETCHERS)
def test_nothing_is_given_while_the_channel_is_paused_and_a_long_text_goes_whole(
    house: House, opened: Open, kind: str
) -> None:
    rig = rig_of(kind)("canal")

    def turn(state: str) -> None:
        house.writer.write_now(
            lambda conn: registry.set_state(conn, name=rig.name, state=state, at=house.clock(), actor="test")
        )

    async def fetched(office: Office) -> list[tuple[str, str]]:
        await office.running.channels.look()
        return await rig.fetch(office)

    async def story() -> tuple[list[tuple[str, str]], list[tuple[str, str]], int]:
        async with opened(rig) as office:
            message = put(house, rig, LONG.strip())
            turn("paused")
            paused = await fetched(office)
            turn("active")
            return paused, await fetched(office), row(house, message).segments

    paused, given, segments = asyncio.run(story())
    assert (paused, [text for _, text in given], segments) == ([], [LONG.strip()], 3)
