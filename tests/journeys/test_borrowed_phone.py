"""A borrowed phone and a registration, over Twilio's wire from webhook to provider."""

import asyncio
from collections.abc import Awaitable, Callable

from servers import FakeTwilio

from tests.gateway.at_work import at_work
from tests.gateway.desk import ANA, MARTA, STRANGER, Desk
from tests.gateway.test_borrowed import PIN, give
from tests.journeys.test_sms import Wire, open_channel, sent

Story = Callable[[Wire], Awaitable[None]]


def play(office: Desk, twilio: FakeTwilio, story: Story) -> None:
    open_channel(office.house, twilio)

    async def whole() -> None:
        async with at_work(office.house, worker=True) as (running, client):
            await story(Wire(running, client, twilio))

    asyncio.run(whole())


def number(address: str) -> str:
    return address.removeprefix("tel:")


def test_a_report_from_a_borrowed_phone_is_confirmed_there_and_asked_for_at_home(
    office: Desk, twilio: FakeTwilio
) -> None:
    give(office.house, ANA)

    async def story(wire: Wire) -> None:
        assert (await wire.text(number(STRANGER), f"ID {PIN} inc rob nebaj ayer 2 heridos")).status_code == 200
        await sent(office, 1)
        assert (await wire.text(number(STRANGER), "ESTADO 3000")).status_code == 200
        assert (await wire.text(number(ANA), "ESTADO 3000")).status_code == 200
        await sent(office, 3)

    play(office, twilio, story)
    told = {to: [one["body"] for one in twilio.messages if one["to"] == number(to)] for to in (STRANGER, ANA)}
    assert told[STRANGER][0].startswith("R3000 recibido")
    assert told[STRANGER][1].startswith("No hallamos un reporte suyo")
    assert told[ANA][0].startswith("R3000 del 09/03")


def test_three_wrong_numbers_are_answered_and_the_right_one_after_them_is_not_taken(
    office: Desk, twilio: FakeTwilio
) -> None:
    give(office.house, ANA)

    async def story(wire: Wire) -> None:
        for guess in ("1111", "2222", "3333", PIN):
            said = await wire.text(number(STRANGER), f"ID {guess} inc rob nebaj {guess[0]} heridos")
            assert said.status_code == 200
        await sent(office, 3)

    play(office, twilio, story)
    assert {row.contact_id for row in office.reports()} == {None}
    told = [text[:15] for text in office.told(STRANGER)]
    assert told[:3] == ["Ese numero pers", "Ese numero pers", "Por seguridad n"]


def test_who_asks_to_join_counts_from_that_day_once_a_coordinator_says_so(office: Desk, twilio: FakeTwilio) -> None:
    async def story(wire: Wire) -> None:
        await wire.text(number(STRANGER), "REGISTRO Juana Brito Nebaj")
        await wire.text(number(STRANGER), "inc ame nebaj ayer")
        assert [row.registered for row in office.reports()] == [False]
        await wire.text(number(MARTA), "APROBAR 1")
        await sent(office, 4)

    play(office, twilio, story)
    assert [row.registered for row in office.reports()] == [True]
    assert office.told(MARTA)[-1].startswith("Registro 1 aprobado")
    assert office.told(STRANGER)[-1].startswith("Su registro fue aprobado")
