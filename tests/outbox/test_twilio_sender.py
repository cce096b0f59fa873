import asyncio
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from outbox_cast import ANA, NOW, envelope_of
from outbox_http import FakeTwilio, Say, http_server

from outbox import errors
from outbox.errors import SendError
from outbox.senders.base import Envelope, Sent
from outbox.senders.twilio import TwilioSender

CALLBACK = "https://gw.example.org/in/sms/status"


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    yield fake
    fake.close()


def send(twilio: FakeTwilio, envelope: Envelope | None = None, *, url: str | None = None, **config: Any) -> Sent:
    settings = {"account_sid": twilio.account, "from": "+15005550006", "timeout": 2} | config

    async def story() -> Sent:
        sender = TwilioSender(
            {"api_base": url or twilio.server.url, **settings}, {"auth_token": twilio.token}, status_callback=CALLBACK
        )
        try:
            return await sender.send(envelope or envelope_of())
        finally:
            await sender.close()

    return asyncio.run(story())


def test_a_message_is_created_with_our_id_in_the_address_for_receipts(twilio: FakeTwilio) -> None:
    envelope = envelope_of(text="Recibido 3001 ñ")
    sent = send(twilio, envelope)
    [heard] = twilio.server.heard
    assert heard.form == {
        "To": "+50255550101", "From": "+15005550006", "Body": "Recibido 3001 ñ",
        "StatusCallback": f"{CALLBACK}?m={envelope.id}",
    }  # fmt: skip
    assert sent == Sent(twilio.messages[0]["sid"], segments=1)
    assert heard.headers["authorization"].startswith("Basic ")


def test_a_messaging_service_takes_the_place_of_the_number(twilio: FakeTwilio) -> None:
    send(twilio, **{"from": "MG123"})
    assert twilio.server.heard[0].form["MessagingServiceSid"] == "MG123"
    assert "From" not in twilio.server.heard[0].form


def test_the_environment_of_the_process_changes_nothing(twilio: FakeTwilio, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_EDGE", "TWILIO_REGION", "TWILIO_ACCOUNT_SID", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setitem(os.environ, name, "http://127.0.0.1:1")
    send(twilio)
    assert len(twilio.messages) == 1


def told(status: int, code: int | None) -> Say:
    return Say(
        status, json.dumps({"code": code, "message": "+50255550101 is wrong", "more_info": "", "status": status})
    )


REFUSALS = {
    "401": (told(401, 20003), errors.AuthFailed),
    "403": (told(403, None), errors.AuthFailed),
    "account suspended": (told(400, 20005), errors.AuthFailed),
    "account unknown": (told(404, 20404), errors.Misconfigured),
    "429": (told(429, 20429), errors.Throttled),
    "400 with 20429": (told(400, 20429), errors.Throttled),
    "queue full": (told(400, 21611), errors.Throttled),
    "invalid number": (told(400, 21211), errors.InvalidAddress),
    "landline": (told(400, 21614), errors.InvalidAddress),
    "opted out": (told(400, 21610), errors.OptedOut),
    "our number is wrong": (told(400, 21606), errors.Misconfigured),
    "too long": (told(400, 21617), errors.TooLong),
    "country not allowed": (told(400, 21408), errors.Refused),
    "no code": (told(400, None), errors.Refused),
    "400 that is no JSON": (Say(400, "oops", kind="text/plain"), errors.Refused),
    "500": (told(500, 20500), errors.UnknownResult),
    "502 page": (Say(502, "<html>", kind="text/html"), errors.UnknownResult),
    "503": (told(503, 20503), errors.Unavailable),
    "504": (Say(504, "", kind=""), errors.UnknownResult),
    "captive portal": (Say(200, "<html>", kind="text/html"), errors.CaptivePortal),
    "redirect": (Say(302, "", headers={"Location": "http://127.0.0.1:1/"}), errors.CaptivePortal),
    "truncated JSON": (Say(201, '{"sid": "SM'), errors.UnknownResult),
    "a yes without sid": (Say(201, '{"status": "queued"}'), errors.UnknownResult),
    "a yes that is a list": (Say(201, "[]"), errors.UnknownResult),
    "cut within the answer": (Say(201, json.dumps({"sid": "SM1"}), cut="body"), errors.UnknownResult),
    "cut before the answer": (Say(cut="none"), errors.UnknownResult),
    "failed at once": (
        Say(201, json.dumps({"sid": "SM1", "status": "failed", "error_code": 21610})), errors.OptedOut,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("say", "error"), REFUSALS.values(), ids=REFUSALS)
def test_every_refusal_has_its_meaning(twilio: FakeTwilio, say: Say, error: type[SendError]) -> None:
    twilio.next, twilio.keep_when_saying = [say], False
    with pytest.raises(SendError) as raised:
        send(twilio)
    assert type(raised.value) is error
    assert ANA.removeprefix("tel:") not in f"{raised.value} {raised.value.detail}"


def test_an_error_of_the_new_form_is_read_too(twilio: FakeTwilio) -> None:
    body = {"type": "x", "title": "x", "status": 400, "code": 21610}
    twilio.next = [Say(400, json.dumps(body), kind="application/problem+json")]
    with pytest.raises(errors.OptedOut):
        send(twilio)


def test_the_wish_to_wait_is_told(twilio: FakeTwilio) -> None:
    twilio.next = [Say(429, "{}", headers={"Retry-After": "9"})]
    with pytest.raises(errors.Throttled) as raised:
        send(twilio)
    assert raised.value.retry_after == timedelta(seconds=9)


def test_nobody_there_is_offline(twilio: FakeTwilio) -> None:
    with pytest.raises(errors.Offline):
        send(twilio, url="http://127.0.0.1:9")


def test_the_token_never_travels_bare_across_the_internet(twilio: FakeTwilio) -> None:
    with pytest.raises(errors.Misconfigured):
        send(twilio, url="http://api.twilio.example.com")


@pytest.mark.parametrize("missing", ["account_sid", "from"])
def test_what_is_not_configured_is_said_before_anything_is_sent(twilio: FakeTwilio, missing: str) -> None:
    with pytest.raises(errors.Misconfigured):
        send(twilio, **{missing: ""})
    assert twilio.server.heard == []


def test_a_text_that_twilio_would_refuse_is_not_sent(twilio: FakeTwilio) -> None:
    with pytest.raises(errors.TooLong):
        send(twilio, envelope_of(text="x" * 1601))
    assert twilio.server.heard == []


def unsure(**changes: Any) -> Envelope:
    return envelope_of(attempt=2, unsure_since=NOW, **changes)


def test_a_message_that_twilio_took_before_the_line_broke_is_found_and_not_sent_again(twilio: FakeTwilio) -> None:
    twilio.next = [Say(cut="none")]
    with pytest.raises(errors.UnknownResult):
        send(twilio)
    assert len(twilio.messages) == 1
    assert send(twilio, unsure()).provider_id == twilio.messages[0]["sid"]
    assert len(twilio.messages) == 1


def test_a_message_that_is_delivered_meanwhile_is_found_delivered(twilio: FakeTwilio) -> None:
    twilio.add({"To": "+50255550101", "Body": "Recibido 3001"}, status="delivered")
    assert send(twilio, unsure()).state == "delivered"


KNOWN = "SM" + "f" * 32
OTHERS = {
    "another text": {"body": "Recibido 3002"},
    "a text that ends alike": {"body": "No. Recibido 3001"},
    "a text from the person": {"direction": "inbound"},
    "one that failed": {"status": "undelivered"},
    "one from before": {"date_created": "Tue, 10 Mar 2026 11:00:00 +0000"},
    "one we know as another message": {"sid": KNOWN},
    "to somebody else": {"to": "+50255550999"},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_a_message_that_is_not_found_is_sent(twilio: FakeTwilio, changes: dict[str, str]) -> None:
    twilio.add({"To": "+50255550101", "Body": "Recibido 3001"}, **changes)
    sent = send(twilio, unsure(known_ids=(KNOWN,)))
    assert len(twilio.messages) == 2
    assert sent.provider_id == twilio.messages[1]["sid"]


def test_what_a_trial_account_puts_in_front_hides_nothing(twilio: FakeTwilio) -> None:
    twilio.add({"To": "+50255550101", "Body": "Sent from your Twilio trial account - Recibido 3001"})
    assert send(twilio, unsure()).provider_id == twilio.messages[0]["sid"]


def test_when_looking_fails_nothing_is_sent(twilio: FakeTwilio) -> None:
    with http_server(Say(503, "{}")) as server:
        with pytest.raises(errors.Unavailable):
            send(twilio, unsure(), url=server.url)
        assert [heard.method for heard in server.heard] == ["GET"]


def test_the_id_of_the_message_is_the_only_thing_in_the_address_for_receipts(twilio: FakeTwilio) -> None:
    send(twilio)
    query = twilio.server.heard[0].form["StatusCallback"].partition("?")[2]
    assert UUID(query.removeprefix("m="))


def test_a_sub_accounts_messages_are_sent_with_the_login_of_the_account(twilio: FakeTwilio) -> None:
    twilio.holder = "AC" + "5" * 32
    assert send(twilio, subaccount_sid=twilio.holder).provider_id == twilio.messages[0]["sid"]
    assert twilio.server.heard[0].path == f"/2010-04-01/Accounts/{twilio.holder}/Messages.json"


def test_a_message_that_still_waits_at_twilio_is_found_too(twilio: FakeTwilio) -> None:
    twilio.add({"To": "+50255550101", "Body": "Recibido 3001"}, status="accepted", num_segments="0")
    assert send(twilio, unsure()).provider_id == twilio.messages[0]["sid"]
    assert len(twilio.messages) == 1
