import asyncio
import hashlib
import hmac
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from outbox_cast import ANA, envelope_of
from outbox_http import HttpServer, Say, http_server
from outbox_tls import certificate

from outbox import errors
from outbox.errors import SendError
from outbox.senders.base import Envelope, Sent
from outbox.senders.http import HttpSender

PAGE = "<!DOCTYPE html><html><title>Hotel Wi-Fi</title></html>"


def send(url: str, envelope: Envelope | None = None, **config: Any) -> Sent:
    secrets = config.pop("secrets", {"token": "t0ken"})

    async def story() -> Sent:
        sender = HttpSender({"send_url": url, "from": "1500", "timeout": 2, **config}, secrets)
        try:
            return await sender.send(envelope or envelope_of())
        finally:
            await sender.close()

    return asyncio.run(story())


def test_the_message_is_posted_with_our_id_and_the_token() -> None:
    envelope = envelope_of(text="Recibido 3001 ñ")
    with http_server(Say(202, '{"id": "p-1"}')) as server:
        assert send(server.url + "/send", envelope) == Sent("p-1")
    [heard] = server.heard
    assert heard.json == {"id": str(envelope.id), "to": "+50255550101", "from": "1500", "text": "Recibido 3001 ñ"}
    assert heard.headers["authorization"] == "Bearer t0ken"
    assert heard.path == "/send"


def test_a_signing_key_signs_the_body_and_the_time() -> None:
    at = datetime(2026, 3, 10, tzinfo=UTC)

    async def story(url: str) -> None:
        sender = HttpSender({"send_url": url}, {"signing_key": "k"}, clock=lambda: at)
        await sender.send(envelope_of())
        await sender.close()

    with http_server(Say(200)) as server:
        asyncio.run(story(server.url))
    [heard] = server.heard
    stamp = str(int(at.timestamp()))
    assert heard.headers["x-timestamp"] == stamp
    expected = hmac.new(b"k", heard.body + stamp.encode(), hashlib.sha256).hexdigest()
    assert heard.headers["x-signature"] == expected
    assert "authorization" not in heard.headers


YES = {
    "empty": (Say(200), None),
    "204": (Say(204), None),
    "text": (Say(200, "OK", kind="text/plain"), None),
    "its own id": (Say(200, '{"id": "abc"}'), "abc"),
    "its own number": (Say(200, '{"id": 42}'), "42"),
    "JSON without id": (Say(200, '{"ok": true}'), None),
    "an error that is none": (Say(200, '{"id": "x", "error": null}'), "x"),
    "a list": (Say(200, "[1]"), None),
    "no content type": (Say(200, "queued", kind=""), None),
}


@pytest.mark.parametrize(("say", "provider_id"), YES.values(), ids=YES)
def test_2xx_is_a_yes(say: Say, provider_id: str | None) -> None:
    with http_server(say) as server:
        assert send(server.url) == Sent(provider_id)


NO = {
    "400": (Say(400), errors.Refused),
    "401": (Say(401), errors.AuthFailed),
    "403": (Say(403), errors.AuthFailed),
    "404": (Say(404), errors.Refused),
    "408": (Say(408), errors.Deferred),
    "409": (Say(409), errors.Refused),
    "413": (Say(413), errors.TooLong),
    "422": (Say(422), errors.Refused),
    "429": (Say(429), errors.Throttled),
    "500": (Say(500), errors.Unavailable),
    "502 with a page": (Say(502, PAGE, kind="text/html"), errors.Unavailable),
    "503": (Say(503), errors.Unavailable),
    "511": (Say(511, PAGE, kind="text/html"), errors.CaptivePortal),
    "captive portal": (Say(200, PAGE, kind="text/html; charset=utf-8"), errors.CaptivePortal),
    "captive portal without a type": (Say(200, PAGE, kind=""), errors.CaptivePortal),
    "200 with an error": (Say(200, '{"error": {"code": "busy"}}'), errors.Unavailable),
    "broken JSON": (Say(200, '{"id": "a'), errors.UnknownResult),
    "cut before the answer": (Say(cut="none"), errors.UnknownResult),
    "cut within the answer": (Say(200, '{"id": "abcdefgh"}', cut="body"), errors.UnknownResult),
    "more than fits": (Say(200, "x" * 300_000, kind="text/plain"), errors.UnknownResult),
}


@pytest.mark.parametrize(("say", "error"), NO.values(), ids=NO)
def test_anything_else_is_an_error_of_its_kind(say: Say, error: type[SendError]) -> None:
    with http_server(say) as server, pytest.raises(SendError) as raised:
        send(server.url)
    assert type(raised.value) is error


def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else() -> None:
    with (
        http_server(Say(200, '{"id": "evil"}')) as other,
        http_server(Say(302, headers={"Location": other.url})) as server,
    ):
        with pytest.raises(errors.CaptivePortal):
            send(server.url)
        assert other.heard == []


@pytest.mark.parametrize("status", [429, 503])
def test_the_providers_wish_is_told(status: int) -> None:
    with http_server(Say(status, headers={"Retry-After": "17"})) as server, pytest.raises(SendError) as raised:
        send(server.url)
    assert raised.value.retry_after == timedelta(seconds=17)


def test_a_wish_given_as_a_date_is_read_by_the_providers_clock() -> None:
    say = Say(429, headers={"Date": "Tue, 10 Mar 1970 12:00:00 GMT", "Retry-After": "Tue, 10 Mar 1970 12:01:00 GMT"})
    with http_server(say) as server, pytest.raises(errors.Throttled) as raised:
        send(server.url)
    assert raised.value.retry_after == timedelta(seconds=60)


@pytest.mark.parametrize("wish", ["soon", "-5", "9" * 400, "Tue, 99 Foo", ""])
def test_a_wish_that_makes_no_sense_is_no_harm(wish: str) -> None:
    with http_server(Say(429, headers={"Retry-After": wish})) as server, pytest.raises(errors.Throttled):
        send(server.url)


def test_nobody_there_is_offline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.Offline):
        send(f"http://127.0.0.1:{port}")


def test_a_name_that_does_not_resolve_is_offline() -> None:
    with pytest.raises(errors.Offline):
        send("http://no-such-host.localhost.invalid.lan:1")


def test_a_certificate_that_is_not_trusted_hands_over_nothing(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path)
    with http_server(Say(200), tls=context) as server:
        with pytest.raises(errors.Insecure):
            send(server.url)
        assert server.heard == []


def test_a_certificate_for_another_host_hands_over_nothing(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path, "elsewhere.example")
    with http_server(Say(200), tls=context) as server:
        with pytest.raises(errors.Insecure):
            send(server.url, ca_file=authority)
        assert server.heard == []


def test_an_authority_of_ones_own_is_trusted(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    with http_server(Say(200), tls=context) as server:
        assert send(server.url, ca_file=authority) == Sent()


@pytest.mark.parametrize("url", ["http://sms.example.org/send", "http://8.8.8.8/", "ftp://127.0.0.1/", "", "http://"])
def test_a_key_never_travels_bare_across_the_internet(url: str) -> None:
    with pytest.raises(errors.Misconfigured):
        send(url)


def test_an_answer_that_never_comes_is_an_unknown_result() -> None:
    hold = threading.Event()
    with http_server(Say(200, hold=hold)) as server:
        with pytest.raises(errors.UnknownResult):
            send(server.url, timeout=0.2)
        hold.set()


def test_a_call_that_hangs_holds_up_no_other() -> None:
    hold = threading.Event()

    async def story(server: HttpServer) -> None:
        sender = HttpSender({"send_url": server.url, "parallel": 2, "timeout": 5}, {})
        slow = asyncio.create_task(sender.send(envelope_of()))
        await asyncio.wait_for(sender.send(envelope_of()), 2)
        assert not slow.done()
        hold.set()
        await slow
        await sender.close()

    with http_server(Say(200, hold=hold), Say(200)) as server:
        asyncio.run(story(server))


def test_mail_cannot_go_this_way() -> None:
    with pytest.raises(errors.Unsupported):
        send("http://127.0.0.1:1", envelope_of(to="mailto:ana@example.org"))


def test_no_error_tells_the_address_or_the_text() -> None:
    with http_server(Say(400, '{"error": "+50255550101 Recibido"}')) as server, pytest.raises(SendError) as raised:
        send(server.url)
    told = f"{raised.value} {raised.value.detail}"
    assert ANA.removeprefix("tel:") not in told
    assert "Recibido" not in told
