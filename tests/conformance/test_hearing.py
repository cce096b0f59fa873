"""What every channel that hears owes a text, tried through the channel's own door."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from gateway.channels import CHANNELS
from gateway.house import House
from gateway.keeping import MESSAGE
from tests.conformance.conftest import Open
from tests.conformance.rig import ABILITIES, HEARING, TROUBLES, Delivery, kinds, rig_of
from tests.conftest import HandClock

HEARERS = [kind for kind in kinds() if rig_of(kind).hears]


def able(ability: str) -> list[str]:
    return [kind for kind in HEARERS if ability not in rig_of(kind).cannot]


@pytest.mark.parametrize("kind", CHANNELS)
def test_every_kind_has_a_rig_that_tells_what_it_cannot_show(kind: str) -> None:
    rig = rig_of(kind)
    assert rig.kind == kind
    assert set(rig.cannot) <= set(ABILITIES)
    assert set(rig.codes) <= set(TROUBLES)
    assert all(rig.cannot.values())
    secret = {spec.name for spec in CHANNELS[kind].settings if spec.secret}
    assert bool(secret) == bool(rig.secrets)
    assert set(HEARING) <= set(ABILITIES)


def kept(house: House) -> list[str]:
    """Every text that was kept, in order."""
    rows = house.read_now(lambda connection: list(connection.execute(select(MESSAGE).order_by(MESSAGE.c.id))))
    return [house.sealer.open("message", "text", row.id, row.text_sealed).strip() for row in rows]


def break_commits(connection: Connection) -> None:
    """From now on a transaction that keeps a text fails at its very end, when it is committed."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("CREATE TABLE nowhere (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            "CREATE TABLE broken (id INTEGER REFERENCES nowhere (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER breaks AFTER INSERT ON message BEGIN INSERT INTO broken VALUES (1); END"
        )
        return
    connection.exec_driver_sql(
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no commit'; END $$"
    )
    connection.exec_driver_sql(
        "CREATE CONSTRAINT TRIGGER breaks AFTER INSERT ON message DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION broken()"
    )


def mend_commits(connection: Connection) -> None:
    connection.exec_driver_sql(
        "DROP TRIGGER breaks" if connection.dialect.name == "sqlite" else "DROP TRIGGER breaks ON message"
    )


@pytest.mark.parametrize("kind", HEARERS)
def test_a_text_that_could_not_be_committed_is_not_acknowledged(house: House, opened: Open, kind: str) -> None:
    rig, delivery = rig_of(kind)("canal"), Delivery("inc rob nebaj ayer 2 heridos")

    async def story() -> list[Any]:
        async with opened(rig) as office:
            house.writer.write_now(break_commits)
            refused = await rig.hear(office, delivery)
            nothing = kept(house)
            house.writer.write_now(mend_commits)
            return [refused, nothing, await rig.hear(office, delivery), kept(house)]

    assert asyncio.run(story()) == [False, [], True, [delivery.text]]


@pytest.mark.parametrize("kind", HEARERS)
def test_a_full_disk_is_told_in_a_way_that_brings_the_text_again(house: House, opened: Open, kind: str) -> None:
    rig, delivery = rig_of(kind)("canal"), Delivery("inc rob nebaj ayer 2 heridos")
    house.settings.disk_reserve_mb = 10**9

    async def story() -> bool:
        async with opened(rig) as office:
            return await rig.hear(office, delivery)

    assert asyncio.run(story()) is False
    assert kept(house) == []


@pytest.mark.parametrize("kind", able("again"))
def test_a_delivery_that_comes_again_and_again_is_one_text(
    house: House, clock: HandClock, opened: Open, kind: str
) -> None:
    """Also an hour later, when only its id tells that it is the same."""
    rig, delivery, other = rig_of(kind)("canal"), Delivery("inc rob nebaj ayer 2 heridos"), Delivery("inc rob chajul")

    async def story() -> list[bool]:
        async with opened(rig) as office:
            told = [await rig.hear(office, delivery)]
            clock.advance(timedelta(hours=1) if rig.names_deliveries else timedelta(seconds=1))
            told.append(await rig.hear(office, delivery))
            told += await asyncio.gather(*(rig.hear(office, delivery) for _ in range(8)))
            return [*told, await rig.hear(office, other)]

    assert asyncio.run(story()) == [True] * 11
    assert kept(house) == [delivery.text, other.text]


TEXTS = {
    "accents": "violación en Santa María Nebaj, niñas ¿cuántas? ¡dos!",
    "a glottal stop": "chi nimab’anik Chwi’ Mq’ina’ k’o kaminaqib’",
    "an emoji": "inc rob nebaj 😀 ayer",
    "signs of addresses": "a&b=c+d%20e #f ?g {to} %a",
    "quotes": "dijo \"hoy no\" y 'mañana' \\ fin",
    "400 characters": "inc ase chajul ayer 1 muerto " + "testigos dicen que llegaron de noche " * 10,
}


@pytest.mark.parametrize("kind", HEARERS)
def test_a_text_is_kept_as_it_was_written(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> list[bool]:
        async with opened(rig) as office:
            return [await rig.hear(office, Delivery(text)) for text in TEXTS.values()]

    assert all(asyncio.run(story()))
    if rig.brings_parts:
        assert "".join(kept(house)).replace(" ", "") == "".join(TEXTS.values()).replace(" ", "")
        return
    assert dict(zip(TEXTS, kept(house), strict=True)) == {label: text.strip() for label, text in TEXTS.items()}


@pytest.mark.parametrize("kind", able("stranger"))
def test_who_does_not_know_the_secret_is_not_heard(house: House, opened: Open, kind: str) -> None:
    rig = rig_of(kind)("canal")

    async def story() -> bool:
        async with opened(rig) as office:
            return await rig.hear_stranger(office, Delivery("inc rob nebaj ayer"))

    assert asyncio.run(story()) is False
    assert kept(house) == []
