"""SMS Gateway for Android: webhooks, sending, and what was missed; the official client is the judge of both sides."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from android_sms_gateway import client as official
from android_sms_gateway import domain, enums, webhooks
from sqlalchemy import select

from gateway.channels.android import KIND, AndroidDoor
from gateway.channels.base import ChannelConfig, ChannelError, HttpCall, StatusReport
from gateway.channels.forms import JSON
from gateway.house import House
from gateway.keeping import MESSAGE
from outbox.senders.base import Envelope
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, until
from tests.gateway.channels.android_phone import Phone, event, received, signed, told

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
KEY = "a-signing-key"
OURS = UUID("0198c0de-0000-7000-8000-000000000001")
ANA = "+50255550101"


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.close()


def config(**values: str) -> ChannelConfig:
    secrets = {"token": KEY, "password": "pass"}
    return ChannelConfig(uuid4(), "phone", "android", {"username": "sms", **values}, secrets)


DOOR = AndroidDoor(config())


def call(document: dict[str, Any], at: datetime = NOW, key: str = KEY) -> HttpCall:
    body = json.dumps(document).encode()
    headers = {name.lower().encode(): value.encode() for name, value in signed(body, key, at).items()}
    return HttpCall("http://x/in/phone", JSON, headers, b"", body, "POST", NOW)


def test_a_text_is_read_as_the_official_client_reads_it() -> None:
    document = received(ANA, "inc rob nebaj ñ K’iche’ 😀", NOW - timedelta(minutes=2))
    judge = webhooks.SmsReceivedPayload.from_dict(document["payload"])
    [text] = DOOR.read(call(document), NOW).texts
    assert (text.sender, text.text, text.sent_at) == (f"tel:{judge.sender}", judge.message, judge.received_at)


def test_a_batch_is_read_as_the_official_client_reads_it() -> None:
    payloads = [received(ANA, f"inc rob nebaj {number}", NOW)["payload"] for number in range(3)]
    judge = webhooks.SmsBatchReceivedPayload.from_dict({"messages": payloads})
    texts = DOOR.read(call(event("sms:batch:received", {"messages": payloads})), NOW).texts
    assert [text.text for text in texts] == [message.message for message in judge.messages]


def test_the_same_text_is_the_same_whatever_the_id_of_its_webhook() -> None:
    first, again = (DOOR.read(call(received(ANA, "hola", NOW)), NOW).texts[0] for _ in range(2))
    later = DOOR.read(call(received(ANA, "hola", NOW + timedelta(hours=1))), NOW).texts[0]
    other = DOOR.read(call(received(ANA, "otra", NOW)), NOW).texts[0]
    assert first.external_id == again.external_id
    assert len({first.external_id, later.external_id, other.external_id}) == 3


NEWS: dict[str, tuple[str, dict[str, Any], StatusReport]] = {
    "sent": ("sms:sent", {"partsCount": 1, "sentAt": told(NOW)}, StatusReport("sent", OURS, str(OURS), None, NOW)),
    "delivered": ("sms:delivered", {"deliveredAt": told(NOW)}, StatusReport("delivered", OURS, str(OURS), None, NOW)),
    "failed": (
        "sms:failed", {"failedAt": told(NOW), "reason": "no service for +50255550101"},
        StatusReport("failed", OURS, str(OURS), "no service for #", NOW),
    ),
    "cancelled": ("sms:cancelled", {}, StatusReport("failed", OURS, str(OURS), "cancelled", None)),
}  # fmt: skip


@pytest.mark.parametrize("label", NEWS)
def test_news_of_a_message_is_read(label: str) -> None:
    name, payload, wanted = NEWS[label]
    found = DOOR.read(call(event(name, {"messageId": str(OURS), "recipient": ANA, **payload})), NOW)
    assert (found.texts, list(found.reports)) == ((), [wanted])


def test_every_event_the_official_client_knows_is_taken() -> None:
    for name in enums.WebhookEvent:
        payload = {**received(ANA, "hola", NOW)["payload"], "messages": [], "body": None, "subject": "foto"}
        DOOR.read(call(event(name.value, payload)), NOW)


REFUSED: dict[str, tuple[HttpCall, int]] = {
    "another key": (call(received(ANA, "x", NOW), key="guess"), 401),
    "an old signature": (call(received(ANA, "x", NOW), at=NOW - timedelta(minutes=20)), 401),
    "a signature of the future": (call(received(ANA, "x", NOW), at=NOW + timedelta(minutes=20)), 401),
    "no signature": (replace(call(received(ANA, "x", NOW)), headers={}), 401),
    "no event": (call({"payload": {}}), 400),
    "no payload": (call({"event": "sms:received"}), 400),
    "no sender": (call(event("sms:received", {"message": "x"})), 400),
    "a message that is a list": (call(event("sms:received", {"sender": ANA, "message": []})), 400),
    "a batch that is none": (call(event("sms:batch:received", {"messages": "x"})), 400),
    "news of nothing": (call(event("sms:sent", {})), 400),
}


@pytest.mark.parametrize("label", REFUSED)
def test_what_cannot_be_trusted_or_read_is_refused(label: str) -> None:
    given, status = REFUSED[label]
    with pytest.raises(ChannelError) as refused:
        DOOR.read(given, NOW)
    assert refused.value.status == status


def test_a_clock_that_is_wrong_by_hours_can_be_allowed() -> None:
    door = AndroidDoor(config(window_s="7200"))
    assert len(door.read(call(received(ANA, "x", NOW), at=NOW - timedelta(hours=1)), NOW).texts) == 1


def envelope(text: str = "Recibido ñ") -> Envelope:
    return Envelope(
        id=OURS, kind="notice", channel="phone", to=f"tel:{ANA}", text=text, lease="l", to_hash=b"", leased_at=NOW
    )


def test_what_is_sent_is_what_the_official_client_would_send(phone: Phone) -> None:
    async def story() -> Any:
        assert KIND.make_sender is not None
        sender = KIND.make_sender(config(send_url=phone.url, sim="2"), None)  # type: ignore[arg-type]
        assert sender is not None
        try:
            return [await sender.send(envelope()), await sender.send(envelope())]
        finally:
            await sender.close()

    first, again = asyncio.run(story())
    judge = domain.Message(
        id=str(OURS), phone_numbers=[ANA], text_message=domain.TextMessage("Recibido ñ"), sim_number=2,
    ).asdict()  # fmt: skip
    asked = phone.asked[0].json
    assert {**judge, **asked} == judge
    assert set(judge) - set(asked) == {"isEncrypted", "priority"}
    assert first.provider_id == str(OURS)
    assert again.provider_id is None  # refused as known, which is a yes
    assert len(phone.taken) == 1


def test_the_phone_of_these_tests_is_one_the_official_client_can_use(phone: Phone) -> None:
    phone.android.append((ANA, "inc rob nebaj", NOW))
    with official.APIClient("sms", "pass", base_url=phone.url) as judge:
        state = judge.send(domain.Message(id="m-1", phone_numbers=[ANA], text_message=domain.TextMessage("hola")))
        assert state.state is enums.ProcessState.Pending
        assert judge.get_state("m-1").recipients[0].phone_number == ANA
        assert judge.health_check().status is enums.HealthStatus.PASS
        judge.refresh_inbox(domain.InboxRefreshRequest(since=NOW - timedelta(hours=1), until=NOW))
        filters = domain.InboxQueryFilter(from_=NOW - timedelta(hours=1), to=NOW)
        [text] = judge.list_inbox_messages(inbox_filter=filters, pagination=domain.QueryPagination(limit=10, offset=0))
        assert (text.sender, text.content_preview, text.created_at) == (ANA, "inc rob nebaj", NOW)


def kept(house: House) -> list[str]:
    rows = house.read_now(lambda connection: list(connection.execute(select(MESSAGE).order_by(MESSAGE.c.id))))
    return [house.sealer.open("message", "text", row.id, row.text_sealed) for row in rows]


def add_phone(house: House, phone: Phone) -> None:
    add_channel(house, "android", "phone", token=KEY, send_url=phone.url, username="sms", password="pass")


def test_what_came_while_the_gateway_was_away_is_fetched_at_its_start_and_kept_once(
    house: House, clock: HandClock, phone: Phone
) -> None:
    """450 texts over pages, some of them heard by webhook as well, two in the same second."""
    add_phone(house, phone)
    before = clock() - timedelta(days=1)
    phone.android = [(ANA, "escrito antes de todo", before)]
    phone.android += [
        (f"+502555{number:05}", f"inc rob nebaj {number}", clock() + timedelta(seconds=number // 2))
        for number in range(450)
    ]
    clock.advance(timedelta(hours=1))

    async def story() -> None:
        async with at_work(house) as (_, client):

            async def all_here() -> bool:
                return len(kept(house)) >= 450

            await until(all_here, 60)
            for number, text, at in phone.android[1:6]:
                body = json.dumps(received(number, text, at)).encode()
                answer = await client.post("/in/phone", content=body, headers=signed(body, KEY, clock()))
                assert answer.status_code == 200

    asyncio.run(story())
    texts = kept(house)
    assert len(texts) == 450
    assert "escrito antes de todo" not in texts


def test_a_phone_that_was_out_of_reach_is_asked_again(house: House, clock: HandClock, phone: Phone) -> None:
    add_phone(house, phone)
    phone.android = [(ANA, "inc rob nebaj", clock() + timedelta(minutes=1))]
    clock.advance(timedelta(hours=1))
    phone.trouble = "throttled"

    async def story() -> list[list[str]]:
        async with at_work(house) as (running, _):

            async def asked() -> bool:
                return bool(phone.asked)

            async def here() -> bool:
                return bool(kept(house))

            await until(asked)
            nothing = kept(house)
            phone.trouble = ""
            assert running._catching_up is not None
            running._catching_up.link_is_back("phone")
            await until(here)
            return [nothing, kept(house)]

    assert asyncio.run(story()) == [[], ["inc rob nebaj"]]


def test_an_app_too_old_to_be_asked_stops_nothing(house: House, clock: HandClock, phone: Phone) -> None:
    add_phone(house, phone)
    phone.trouble = "old"
    phone._says["old"] = phone._says["refused"].__class__(404)

    async def story() -> None:
        async with at_work(house) as (running, _):
            assert running._catching_up is not None
            done = running._catching_up._done

            async def through() -> bool:
                return "phone" in done

            await until(through)

    asyncio.run(story())
    assert kept(house) == []
