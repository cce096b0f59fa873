"""The main job by SMS, over Twilio's wire: a text becomes a report and a confirmation that is delivered."""

import asyncio
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from servers import FakeTwilio
from twilio.request_validator import RequestValidator

from gateway.house import House
from gateway.running import Running
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, until
from tests.gateway.desk import ANA, MARCOS, STRANGER, Desk

NUMBER = "+50222220000"


def open_channel(house: House, twilio: FakeTwilio) -> None:
    values = {"account_sid": twilio.account, "auth_token": twilio.token, "from": NUMBER}
    add_channel(house, "twilio", "tw", **values, api_base=twilio.server.url)


class Wire:
    """Twilio's side: signed webhooks to the gateway, and what its REST server was given."""

    def __init__(self, running: Running, client: httpx.AsyncClient, twilio: FakeTwilio) -> None:
        self.base, self.client, self.twilio = running.base_url, client, twilio
        self.number = 0

    async def text(self, sender: str, body: str, sid: str | None = None) -> httpx.Response:
        self.number += 1
        form = {
            "MessageSid": sid or f"SM{self.number:032x}", "AccountSid": self.twilio.account, "From": sender,
            "To": NUMBER, "Body": body, "NumMedia": "0", "NumSegments": "1", "SmsStatus": "received",
            "ApiVersion": "2010-04-01", "FromCountry": "GT",
        }  # fmt: skip
        return await self.post("/in/tw", form)

    async def status(self, path: str, sid: str, status: str) -> httpx.Response:
        form = {"MessageSid": sid, "MessageStatus": status, "SmsSid": sid, "AccountSid": self.twilio.account}
        return await self.post(path, {**form, "To": "+50255550101", "From": NUMBER})

    async def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        signature = RequestValidator(self.twilio.token).compute_signature(self.base + path, form)
        return await self.client.post(path, data=form, headers={"X-Twilio-Signature": signature})


def states(office: Desk) -> list[str]:
    return [row.state for row in office.outbox()]


async def sent(office: Desk, number: int = 1) -> None:
    async def all_sent() -> bool:
        return states(office).count("sent") + states(office).count("delivered") >= number

    await until(all_sent)


def test_a_text_becomes_a_report_and_a_delivered_confirmation(office: Desk, twilio: FakeTwilio) -> None:
    open_channel(office.house, twilio)

    async def story() -> None:
        async with at_work(office.house, worker=True) as (running, client):
            wire = Wire(running, client, twilio)
            answer = await wire.text("+50255550101", "inc rob nebaj ayer 2 heridos")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/xml")
            assert answer.text == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
            await sent(office)
            (given,) = twilio.messages
            path = twilio.server.heard[-1].form["StatusCallback"].removeprefix(wire.base)
            assert (await wire.status(path, given["sid"], "delivered")).status_code < 300

    asyncio.run(story())
    (message,) = office.messages()
    (report,) = office.reports()
    (queued,) = office.outbox()
    assert message.state == "read"
    assert (report.form, report.category, report.place) == ("incident", "ROB", "1413")
    assert (report.event_date, report.fields) == (date(2026, 3, 9), {"injured": 2})
    assert (queued.kind, queued.state, queued.segments, queued.encoding) == ("confirmation", "delivered", 1, "gsm7")
    assert twilio.messages[0]["to"] == "+50255550101"
    assert twilio.messages[0]["body"] == office.told(ANA)[0]
    assert count(twilio.messages[0]["body"]).segments == 1


@pytest.mark.parametrize("order", [("sent", "delivered"), ("delivered", "sent"), ("delivered", "delivered", "queued")])
def test_receipts_in_any_order_and_twice_end_as_delivered(
    office: Desk, twilio: FakeTwilio, order: tuple[str, ...]
) -> None:
    open_channel(office.house, twilio)

    async def story() -> None:
        async with at_work(office.house, worker=True) as (running, client):
            wire = Wire(running, client, twilio)
            await wire.text("+50255550101", "inc rob nebaj")
            await sent(office)
            path = twilio.server.heard[-1].form["StatusCallback"].removeprefix(wire.base)
            for status in order:
                assert (await wire.status(path, twilio.messages[0]["sid"], status)).status_code < 300

    asyncio.run(story())
    assert states(office) == ["delivered"]


def test_a_receipt_that_comes_before_our_own_record_is_applied(office: Desk, twilio: FakeTwilio) -> None:
    """Twilio tells `delivered` to a callback without our id before our worker has sent at all."""
    open_channel(office.house, twilio)

    async def story() -> None:
        async with at_work(office.house) as (running, client):
            wire = Wire(running, client, twilio)
            await wire.text("+50255550101", "inc rob nebaj")
            assert (await wire.status("/in/tw/status", f"SM{0:032d}", "delivered")).status_code < 300
        async with at_work(office.house, worker=True):
            await sent(office)

    asyncio.run(story())
    assert states(office) == ["delivered"]


def test_a_forged_call_leaves_no_row(office: Desk, twilio: FakeTwilio) -> None:
    open_channel(office.house, twilio)

    async def story() -> None:
        async with at_work(office.house) as (_, client):
            form = {"MessageSid": "SM1", "From": "+50255550101", "Body": "inc rob nebaj"}
            answer = await client.post("/in/tw", data=form, headers={"X-Twilio-Signature": "AAAA"})
            assert answer.status_code == 403

    asyncio.run(story())
    assert office.messages() == []


def test_the_same_delivery_again_and_fifty_times_at_once_is_one(office: Desk, twilio: FakeTwilio) -> None:
    open_channel(office.house, twilio)

    async def story() -> list[int]:
        async with at_work(office.house, worker=True) as (running, client):
            wire = Wire(running, client, twilio)
            first = await wire.text("+50255550101", "inc rob nebaj ayer", sid="SM1")
            answers = await asyncio.gather(
                *(wire.text("+50255550101", "inc rob nebaj ayer", sid="SM1") for _ in range(50))
            )
            await sent(office)
            return [first.status_code, *(answer.status_code for answer in answers)]

    assert set(asyncio.run(story())) == {200}
    assert (len(office.messages()), len(office.reports()), len(office.outbox())) == (1, 1, 1)
    assert len(twilio.messages) == 1


def test_fifty_copies_to_a_new_delivery_are_one(office: Desk, twilio: FakeTwilio) -> None:
    open_channel(office.house, twilio)

    async def story() -> list[httpx.Response]:
        async with at_work(office.house) as (running, client):
            wire = Wire(running, client, twilio)
            return list(
                await asyncio.gather(*(wire.text("+50255550101", "inc rob nebaj", sid="SM1") for _ in range(50)))
            )

    assert {answer.status_code for answer in asyncio.run(story())} == {200}
    assert (len(office.messages()), len(office.reports()), len(office.outbox())) == (1, 1, 1)


TEXTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("+50255550101", "asdf qwerty", {"state": "unread", "reason": "unknown", "flags": None}, "Mande INC"),
    ("+50255559044", "INC ROB NEBAJ ayer", {"state": "read", "flags": "unregistered"}, "REGISTRO"),
    ("+50255559001", "GANASTE Q5,000 llame ya", {"state": "spam", "flags": "unregistered"}, ""),
]


@pytest.mark.parametrize(("sender", "text", "expected", "answer"), TEXTS, ids=["unknown", "stranger", "spam"])
def test_what_is_no_report_of_a_monitor_is_kept_and_answered_as_it_should(
    office: Desk, twilio: FakeTwilio, sender: str, text: str, expected: dict[str, Any], answer: str
) -> None:
    open_channel(office.house, twilio)

    async def story() -> None:
        async with at_work(office.house) as (running, client):
            assert (await Wire(running, client, twilio).text(sender, text)).status_code == 200

    asyncio.run(story())
    (message,) = office.messages()
    assert {name: getattr(message, name) for name in expected} == expected
    told = office.told(f"tel:{sender}")
    assert len(told) == (1 if answer else 0)
    assert all(answer in text for text in told)
    assert all(count(text).segments == 1 for text in told)
    if sender == STRANGER.removeprefix("tel:"):
        assert [report.registered for report in office.reports()] == [False]


def test_a_missing_field_is_asked_and_answered_after_a_restart(
    office: Desk, twilio: FakeTwilio, clock: HandClock
) -> None:
    open_channel(office.house, twilio)

    async def story(text: str) -> None:
        async with at_work(office.house, worker=True) as (running, client):
            wire = Wire(running, client, twilio)
            wire.number = len(office.messages())
            before = len(office.outbox())
            assert (await wire.text(MARCOS.removeprefix("tel:"), text)).status_code == 200
            await sent(office, before + 1)

    asyncio.run(story("INC 1609"))
    (draft,) = office.reports()
    assert (draft.state, draft.ref) == ("draft", None)
    clock.advance(timedelta(minutes=7))
    asyncio.run(story("amenasas"))
    (report,) = office.reports()
    assert (report.id, report.state, report.category, report.ref) == (draft.id, "open", "AME", 3000)
    question, confirmation = office.told(MARCOS)
    assert question.startswith("¿Que paso?")
    assert "R3000 recibido" in confirmation
    assert office.folds_differ() == []
