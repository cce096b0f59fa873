"""What every channel that sends owes a message, whatever its provider does."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from gateway.channels import registry
from gateway.house import House
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from tests.conformance.conftest import Open
from tests.conformance.rig import TROUBLES, Office, Rig, kinds, rig_of
from tests.conftest import HandClock
from tests.gateway.at_work import until

SENDERS = [kind for kind in kinds() if rig_of(kind).sends and not rig_of(kind).fetches]
TEXT = "R3001 recibido: Robo o asalto, Santa Maria Nebaj, 09/03. 2 heridos."
LONG = "Resumen de la semana con eñes ñ y signos ~ {} [] | de dos lugares. " * 6
# Sessions that hang are given up one after another.
PATIENCE_S = 40.0
FINAL = ("refused", "invalid_address", "too_long", "unsupported", "opted_out")


def troubles_of(kind: str) -> list[str]:
    return [trouble for trouble in TROUBLES if trouble not in rig_of(kind).cannot]


def put(house: House, rig: Rig, text: str = TEXT) -> UUID:
    message = NewMessage(id=uuid7(), kind="notice", channel=rig.name, to=rig.to, text=text)
    house.writer.write_now(lambda conn: enqueue(conn, [message], seals=house.sealer, now=house.clock()))
    return message.id


def row(house: House, message_id: UUID) -> Any:
    query = select(OUTBOUND).where(OUTBOUND.c.id == message_id)
    return house.read_now(lambda connection: connection.execute(query).one())


async def settled(office: Office, message_id: UUID, *states: str) -> Any:
    """The row once it is in one of `states`."""
    assert office.running.dispatcher is not None

    async def there() -> bool:
        office.running.dispatcher.wake()
        return row(office.house, message_id).state in states

    await until(there, PATIENCE_S)
    return row(office.house, message_id)


async def tried(office: Office, rig: Rig, message_id: UUID) -> Any:
    """The row once a try has ended and is recorded."""
    assert office.running.dispatcher is not None

    async def there() -> bool:
        office.running.dispatcher.wake()
        found = row(office.house, message_id)
        return found.error is not None or rig.name in office.running.activity.offline()

    await until(there, PATIENCE_S)
    return await settled(office, message_id, "queued", "failed")


@pytest.mark.parametrize("kind", SENDERS)
def test_a_message_goes_out_once_and_as_it_was_written(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> Any:
        async with opened(rig, worker=True) as office:
            found = await settled(office, put(house, rig), "sent", "delivered", "failed")
            return found.state, rig.sent(office)

    state, sent = asyncio.run(story())
    assert state in ("sent", "delivered")
    assert sent == [(rig.to, TEXT)]


@pytest.mark.parametrize("kind", SENDERS)
def test_a_text_too_long_for_one_segment_goes_whole_and_is_counted(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> Any:
        async with opened(rig, worker=True) as office:
            found = await settled(office, put(house, rig, LONG.strip()), "sent", "delivered", "failed")
            return found.state, found.segments, "".join(text for _, text in rig.sent(office))

    state, segments, text = asyncio.run(story())
    assert state in ("sent", "delivered")
    assert text == LONG.strip()
    assert segments == (0 if rig.to.startswith("mailto:") else 3) or kind == "twilio"


@pytest.mark.parametrize("kind", [kind for kind in SENDERS if troubles_of(kind)])
def test_each_trouble_of_a_provider_costs_no_message(house: House, clock: HandClock, opened: Open, kind: str) -> None:
    """In trouble: the right word, the right state. Mended: what may go again goes, and nothing else."""
    made = {trouble: rig_of(kind)(trouble.replace("_", "-")) for trouble in troubles_of(kind)}
    codes = {trouble: made[trouble].codes.get(trouble, TROUBLES[trouble]) for trouble in made}

    async def story() -> tuple[dict[str, Any], dict[str, str], dict[str, Any], dict[str, int]]:
        async with opened(*made.values(), worker=True) as office:
            for trouble, rig in made.items():
                rig.set_trouble(trouble)
            ids = {trouble: put(house, rig) for trouble, rig in made.items()}
            before = {trouble: await tried(office, rig, ids[trouble]) for trouble, rig in made.items()}
            known = dict(office.running.activity.offline())
            clock.advance(timedelta(hours=2))
            for rig in made.values():
                mend(house, rig.name, rig.mend())
            waiting = [trouble for trouble in made if codes[trouble] not in FINAL]
            after = {trouble: await settled(office, ids[trouble], "sent", "delivered") for trouble in waiting}
            return before, known, after, {trouble: len(rig.sent(office)) for trouble, rig in made.items()}

    before, known, after, sent = asyncio.run(story())
    assert {trouble: said(found, known.get(made[trouble].name)) for trouble, found in before.items()} == codes
    assert {trouble: found.state for trouble, found in before.items()} == {
        trouble: "failed" if code in FINAL else "queued" for trouble, code in codes.items()
    }
    spent = {trouble: found.attempts for trouble, found in before.items() if codes[trouble] in FREE}
    assert spent == dict.fromkeys(spent, 0)
    assert sent == {trouble: times(made[trouble], trouble, codes[trouble]) for trouble in made}
    assert set(after) == {trouble for trouble in made if codes[trouble] not in FINAL}


FREE = ("throttled", "offline", "auth_failed")


def said(found: Any, channel: str | None) -> str:
    """The word for the trouble, from the message or, where it is no fault of the message, from the channel."""
    return found.error or channel or ""


def times(rig: Rig, trouble: str, code: str) -> int:
    """How often the provider has the message in the end."""
    if code in FINAL:
        return 0
    return 2 if trouble == "silent" and not rig.looks_up else 1


def mend(house: House, name: str, values: Mapping[str, str]) -> None:
    house.writer.write_now(
        lambda conn: registry.change(conn, house.sealer, name=name, values=values, at=house.clock(), actor="test")
    )


@pytest.mark.parametrize("kind", [kind for kind in SENDERS if "receipt" not in rig_of(kind).cannot])
def test_receipts_in_any_order_and_twice_end_the_same(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> tuple[list[bool], str]:
        async with opened(rig, worker=True) as office:
            found = await settled(office, put(house, rig), "sent", "delivered")
            taken = [await rig.report(office, found, status) for status in ("delivered", "sent", "delivered")]
            return taken, row(house, found.id).state

    assert asyncio.run(story()) == ([True] * 3, "delivered")
