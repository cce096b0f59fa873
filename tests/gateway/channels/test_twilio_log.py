"""What Twilio heard while nobody listened, fetched from its list: every text once, in order."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from twilio.request_validator import RequestValidator
from uuid_utils.compat import uuid7

from gateway.channels.registry import CHANNEL
from gateway.house import House
from gateway.models import AuditEntry, OptOut
from gateway.running import Running
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, until
from tests.gateway.channels.test_mailbox import kept
from tests.outbox.outbox_http import FakeTwilio, Say

OURS = "+15005550006"
ACCOUNT = "AC" + "0" * 32
TOKEN = "secret"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    fake = FakeTwilio(ACCOUNT, TOKEN)
    yield fake
    fake.close()


def add_twilio(house: House, twilio: FakeTwilio, **more: str) -> None:
    settings = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": OURS, "api_base": twilio.server.url}
    add_channel(house, "twilio", "sms", **{**settings, **more})


def texts(house: House) -> list[str]:
    return [house.sealer.open("message", "text", row.id, row.text_sealed) for row in kept(house)]


def caught_up(house: House) -> Any:
    return house.read_now(lambda conn: conn.scalar(select(CHANNEL.c.caught_up_at)))


def run_until_caught_up(house: House, seconds: float = 20.0, **parts: Any) -> None:
    before = caught_up(house)

    async def story() -> None:
        async with at_work(house, **parts):

            async def done() -> bool:
                return caught_up(house) not in (None, before)

            await until(done, seconds)

    asyncio.run(story())


def hear(twilio: FakeTwilio, clock: HandClock, number: int, minutes: float = 0, **changes: Any) -> None:
    at = clock() + timedelta(minutes=minutes)
    twilio.stored.append(twilio.hear(number, f"inc rob nebaj ayer {number}", at.replace(microsecond=0), **changes))


def test_texts_that_came_while_the_office_was_off_are_kept_once_and_in_order(
    house: House, clock: HandClock, twilio: FakeTwilio
) -> None:
    add_twilio(house, twilio)
    twilio.page_size = 7
    for number in range(45):
        hear(twilio, clock, number, minutes=number * 60)
    clock.advance(timedelta(days=2))
    run_until_caught_up(house)
    assert texts(house) == [f"inc rob nebaj ayer {number}" for number in range(45)]
    assert kept(house)[3].sent_at == clock() - timedelta(days=2) + timedelta(hours=3)
    clock.advance(timedelta(minutes=5))
    run_until_caught_up(house)
    assert len(texts(house)) == 45


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_texts_of_one_second_are_all_there_wherever_the_page_ends(
    house: House, clock: HandClock, twilio: FakeTwilio, size: int
) -> None:
    add_twilio(house, twilio)
    twilio.page_size = size
    for number in range(6):
        hear(twilio, clock, number, minutes=1)
    clock.advance(timedelta(hours=1))
    run_until_caught_up(house)
    assert texts(house) == [f"inc rob nebaj ayer {number}" for number in range(6)]


def test_texts_at_the_end_of_a_day_and_at_the_last_look_are_in(
    house: House, clock: HandClock, twilio: FakeTwilio
) -> None:
    add_twilio(house, twilio)
    clock.advance(timedelta(hours=1))
    run_until_caught_up(house)
    day = timedelta(days=1).total_seconds() / 60
    for number, minutes in enumerate((0, day - 60, day - 1 / 60, day, day + 1 / 60)):
        hear(twilio, clock, number, minutes=minutes)
    clock.advance(timedelta(days=3))
    run_until_caught_up(house)
    assert len(texts(house)) == 5


def test_a_text_that_comes_while_pages_are_turned_costs_no_other(
    house: House, clock: HandClock, twilio: FakeTwilio
) -> None:
    add_twilio(house, twilio)
    twilio.page_size = 2
    for number in range(6):
        hear(twilio, clock, number, minutes=number)
    late = clock() + timedelta(minutes=9)
    twilio.arriving = [twilio.hear(number, f"inc rob nebaj ayer {number}", late) for number in (90, 91)]
    clock.advance(timedelta(minutes=10))
    run_until_caught_up(house)
    assert texts(house)[:6] == [f"inc rob nebaj ayer {number}" for number in range(6)]
    clock.advance(timedelta(minutes=5))
    run_until_caught_up(house)
    assert sorted(texts(house)[6:]) == ["inc rob nebaj ayer 90", "inc rob nebaj ayer 91"]


def test_what_the_webhook_brought_is_not_kept_again_and_what_is_not_ours_is_left(
    house: House, clock: HandClock, twilio: FakeTwilio
) -> None:
    async def story() -> int:
        async with at_work(house) as (running, client):
            stored = twilio.stored[0]
            fields = {"MessageSid": stored["sid"], "AccountSid": ACCOUNT, "From": stored["from"], "To": OURS,
                      "Body": stored["body"]}  # fmt: skip
            signature = RequestValidator(TOKEN).compute_signature(f"{running.base_url}/in/sms", fields)
            answer = await client.post("/in/sms", data=fields, headers={"X-Twilio-Signature": signature})

            async def done() -> bool:
                return caught_up(house) is not None and len(kept(house)) == 2

            await until(done, 20)
            return answer.status_code

    add_twilio(house, twilio)
    hear(twilio, clock, 1)
    hear(twilio, clock, 2)
    hear(twilio, clock, 3, to="+15005550007")
    hear(twilio, clock, 4, direction="outbound-api", to=OURS)
    assert asyncio.run(story()) == 200
    assert sorted(texts(house)) == ["inc rob nebaj ayer 1", "inc rob nebaj ayer 2"]


def test_a_weak_link_loses_nothing(
    house: House, clock: HandClock, twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.channels import catching_up

    monkeypatch.setattr(catching_up, "FIRST_RETRY_S", 0.05)
    add_twilio(house, twilio)
    twilio.page_size = 3
    for number in range(10):
        hear(twilio, clock, number, minutes=number)
    twilio.next_lists = [
        Say(503), Say(429, headers={"Retry-After": "1"}), Say(200, "<html>log in</html>", "text/html"),
        Say(200, '{"messages": [{}]}'), Say(cut="none"),
    ]  # fmt: skip
    clock.advance(timedelta(hours=1))
    run_until_caught_up(house)
    assert texts(house) == [f"inc rob nebaj ayer {number}" for number in range(10)]


def test_the_password_goes_to_no_other_host(house: House, clock: HandClock, twilio: FakeTwilio) -> None:
    async def story() -> None:
        async with at_work(house):

            async def asked() -> bool:
                return len(twilio.server.heard) == 1

            await until(asked)
            await asyncio.sleep(0.3)

    add_twilio(house, twilio)
    twilio.next_lists = [Say(200, '{"messages": [], "next_page_uri": "http://127.0.0.1:1/evil"}')]
    asyncio.run(story())
    assert caught_up(house) is None


async def until_state(house: House, message_id: Any, state: str, running: Running) -> None:
    async def there() -> bool:
        assert running.dispatcher is not None
        running.dispatcher.wake()
        query = select(OUTBOUND.c.state).where(OUTBOUND.c.id == message_id)
        return bool(house.read_now(lambda conn: conn.scalar(query)) == state)

    await until(there)


def put(house: House, text: str = "Recibido 3001") -> Any:
    message = NewMessage(id=uuid7(), kind="alert", channel="sms", to="tel:+50255550101", text=text)
    house.writer.write_now(lambda conn: enqueue(conn, [message], seals=house.sealer, now=house.clock()))
    return message.id


def opted_out(house: House) -> list[tuple[Any, ...]]:
    table = OptOut.__table__
    query = select(table.c.address_hash, table.c.channel, table.c.source)
    return [tuple(row) for row in house.read_now(lambda conn: conn.execute(query).all())]


def audited(house: House, action: str) -> list[Any]:
    table = AuditEntry.__table__
    query = select(table.c.data).where(table.c.action == action)
    return list(house.read_now(lambda conn: conn.scalars(query).all()))


def test_who_stopped_our_messages_at_the_provider_gets_no_more(house: House, twilio: FakeTwilio) -> None:
    async def story() -> None:
        async with at_work(house, worker=True) as (running, _):
            await until_state(house, put(house), "failed", running)
            twilio.next = []
            await until_state(house, put(house, "Recibido 3002"), "cancelled", running)

    add_twilio(house, twilio)
    twilio.next = [Say(400, '{"code": 21610, "message": "unsubscribed", "status": 400}')]
    asyncio.run(story())
    assert opted_out(house) == [(house.sealer.hash("address", "tel:+50255550101"), "sms", "provider")]
    assert audited(house, "opt_out") == [{"addresses": 1}]
    assert twilio.messages == []


def test_a_receipt_can_say_that_too(house: House, twilio: FakeTwilio) -> None:
    async def story() -> int:
        async with at_work(house) as (running, client):
            message_id = put(house)
            house.writer.write_now(lambda conn: conn.execute(update(OUTBOUND).values(state="sent")))
            path = f"/in/sms/status?m={message_id}"
            fields = {"MessageSid": "SM9", "AccountSid": ACCOUNT, "MessageStatus": "failed", "ErrorCode": "21610"}
            signature = RequestValidator(TOKEN).compute_signature(running.base_url + path, fields)
            answers = [
                await client.post(path, data=fields, headers={"X-Twilio-Signature": signature}) for _ in range(2)
            ]
            return answers[1].status_code

    add_twilio(house, twilio)
    assert asyncio.run(story()) == 200
    assert len(opted_out(house)) == 1


def test_a_text_to_another_number_stands_in_the_audit_log_once_a_minute(house: House, twilio: FakeTwilio) -> None:
    async def story() -> list[int]:
        async with at_work(house) as (running, client):
            told = []
            for number in range(5):
                fields = {"MessageSid": f"SM{number}", "AccountSid": ACCOUNT, "To": "+15005550007", "Body": "hola"}
                signature = RequestValidator(TOKEN).compute_signature(f"{running.base_url}/in/sms", fields)
                answer = await client.post("/in/sms", data=fields, headers={"X-Twilio-Signature": signature})
                told.append(answer.status_code)
            return told

    add_twilio(house, twilio)
    assert asyncio.run(story()) == [403] * 5
    assert audited(house, "channel.refused") == [{"why": "other_number"}]
    assert kept(house) == []
