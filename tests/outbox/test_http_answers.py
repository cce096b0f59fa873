"""What a gateway's words mean, by the rules an admin may set."""

import pytest
from outbox_http import Say, http_server
from test_http_sender import send

from outbox import errors
from outbox.errors import SendError
from outbox.senders.base import Sent

STATUS = {"send_ok": "messages.0.status=0", "send_id": "messages.0.id", "send_errors": "1=throttled, 4=auth_failed"}
WORDS = {"send_ok": "~0:,3:", "send_errors": "503=deferred"}

YES = {
    "a field": (STATUS, Say(200, '{"messages": [{"status": "0", "id": "m-1"}]}'), "m-1"),
    "a number": (STATUS, Say(200, '{"messages": [{"status": 0, "id": 7}]}'), "7"),
    "true": ({"send_ok": "ok=true"}, Say(200, '{"ok": true, "id": "m"}'), "m"),
    "words": (WORDS, Say(202, "0: Accepted for delivery", kind="text/html"), None),
    "other words": (WORDS, Say(202, "3: Queued for later delivery", kind="text/html"), None),
}


@pytest.mark.parametrize(("settings", "say", "provider_id"), YES.values(), ids=YES)
def test_a_yes_is_what_the_rule_says(settings: dict[str, str], say: Say, provider_id: str | None) -> None:
    with http_server(say) as server:
        assert send(server.url, **settings) == Sent(provider_id)


NO: dict[str, tuple[dict[str, str], Say, type[SendError]]] = {
    "a field with a known word": (STATUS, Say(200, '{"messages": [{"status": "1"}]}'), errors.Throttled),
    "a field with a word for the key": (STATUS, Say(200, '{"messages": [{"status": "4"}]}'), errors.AuthFailed),
    "a field with another word": (STATUS, Say(200, '{"messages": [{"status": "9"}]}'), errors.Refused),
    "no such field": (STATUS, Say(200, '{"result": "?"}'), errors.Refused),
    "words where JSON should be": (STATUS, Say(200, "OK", kind="text/plain"), errors.UnknownResult),
    "half an answer": (STATUS, Say(200, '{"messages": [{"sta'), errors.UnknownResult),
    "other words": (WORDS, Say(202, "Message failed", kind="text/html"), errors.Refused),
    "a page of the network": (WORDS, Say(200, "<html>Wi-Fi</html>", kind="text/html"), errors.CaptivePortal),
    "a status with a word of its own": (WORDS, Say(503, "later", kind="text/html"), errors.Deferred),
    "a status without": (WORDS, Say(403, "no", kind="text/html"), errors.AuthFailed),
}


@pytest.mark.parametrize(("settings", "say", "kind"), NO.values(), ids=NO)
def test_anything_else_is_an_error_of_its_own(
    settings: dict[str, str], say: Say, kind: type[SendError]
) -> None:  # fmt: skip
    with http_server(say) as server, pytest.raises(kind) as raised:
        send(server.url, **settings)
    assert type(raised.value) is kind


def test_a_template_decides_what_is_asked_and_no_key_is_added() -> None:
    settings = {
        "send_method": "get", "send_as": "query", "send_body": "u={username}&p={password}&to={digits}&text={text}",
        "username": "gw", "secrets": {"token": "t0ken", "password": "pa&ss"},
    }  # fmt: skip
    with http_server(Say(200)) as server:
        send(server.url + "/cgi-bin/sendsms", **settings)
    [heard] = server.heard
    assert heard.method == "GET"
    assert heard.query | {"text": ""} == {"u": "gw", "p": "pa&ss", "to": "50255550101", "text": ""}
    assert "authorization" not in heard.headers


def test_a_template_that_cannot_stand_stops_the_channel() -> None:
    with http_server(Say(200)) as server, pytest.raises(errors.Misconfigured):
        send(server.url, send_body="no JSON")
    assert server.heard == []
