"""SMSSync and the CHT gateway: what their calls may hold, and what they are told."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.base import ChannelConfig, ChannelError, HttpCall, RoundEnd, StatusReport
from gateway.channels.cht import ChtDoor
from gateway.channels.forms import FORM, JSON
from gateway.channels.smssync import SmssyncDoor

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
TEN = datetime(2026, 3, 10, 12, 10, tzinfo=UTC)
SECRET = "a-secret-key"
OURS = UUID("0198c0de-0000-7000-8000-000000000001")
OTHER = UUID("0198c0de-0000-7000-8000-000000000002")


def door(**config: str) -> SmssyncDoor:
    return SmssyncDoor(ChannelConfig(uuid4(), "phone", "smssync", config, {"token": SECRET}))


def ask(method: str, query: str, body: Any = b"") -> HttpCall:
    media = "" if method == "GET" else FORM if isinstance(body, bytes) else JSON
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpCall(f"http://x/in/phone?{query}", media, {}, query.encode(), data, method, NOW)


TEXT = {
    "secret": SECRET, "from": "+50255550101", "message": "inc rob nebaj ñ", "message_id": "m-1",
    "sent_timestamp": "1773144600000", "sent_to": "1500", "device_id": "7",
}  # fmt: skip
FORMS = {
    "a form": ask("POST", "", urlencode(TEXT).encode()), "JSON": ask("POST", "", TEXT), "PUT": ask("PUT", "", TEXT),
}  # fmt: skip


@pytest.mark.parametrize("label", FORMS)
def test_smssync_brings_a_text_in_any_form_it_knows(label: str) -> None:
    [text] = door().read(FORMS[label], NOW).texts
    assert (text.sender, text.text, text.external_id, text.to, text.sent_at) == (
        "tel:+50255550101", "inc rob nebaj ñ", "m-1", "1500", TEN,
    )  # fmt: skip
    assert json.loads(door().reply(FORMS[label], RoundEnd()).body) == {"payload": {"success": True, "error": None}}


STRANGERS = {
    "a text with a guess": ask("POST", "", {**TEXT, "secret": "guess"}),
    "a text without": ask("POST", "", {**TEXT, "secret": None}),
    "a secret in the address of a text": ask("POST", f"secret={SECRET}", {**TEXT, "secret": "x"}),
    "asking for messages with a guess": ask("GET", "task=send&secret=guess"),
    "asking for messages without": ask("GET", "task=send"),
    "asking for results without": ask("GET", "task=result"),
    "results with a guess": ask("POST", "task=result&secret=guess", {"message_result": []}),
    "an unknown task without": ask("POST", "task=other", {}),
}


@pytest.mark.parametrize("label", STRANGERS)
def test_smssync_needs_its_secret(label: str) -> None:
    with pytest.raises(ChannelError) as refused:
        door().read(STRANGERS[label], NOW)
    assert refused.value.status == 401


def test_smssync_holds_messages_only_when_it_tells_of_them() -> None:
    call = ask("GET", f"task=send&secret={SECRET}")
    assert door().read(call, NOW).hold is None
    assert door(results="no").read(call, NOW).hold is None
    assert door(results="yes").read(call, NOW).hold == timedelta(hours=1)


def test_smssync_hears_of_no_id_it_has_not_named() -> None:
    call = ask("POST", "task=sent", {"queued_messages": [str(OURS), "x"]})
    assert door().read(call, NOW).asks
    assert json.loads(door().reply(call, RoundEnd(owed=[OURS, OTHER])).body) == {"message_uuids": [str(OURS)]}
    assert json.loads(door().reply(ask("POST", "task=sent", {}), RoundEnd(owed=[OURS])).body) == {"message_uuids": []}


def result(sent: Any, delivered: Any = 0, message: str = "") -> dict[str, Any]:
    return {"uuid": str(OURS), "sent_result_code": sent, "sent_result_message": message,
            "delivered_result_code": delivered}  # fmt: skip


RESULTS: dict[str, tuple[Any, list[StatusReport]]] = {
    "sent": ([result(-1)], [StatusReport("sent", OURS)]),
    "delivered": ([result(-1, -1)], [StatusReport("delivered", OURS)]),
    "in a string": (json.dumps([result(-1)]), [StatusReport("sent", OURS)]),
    "failed": ([result(4, 0, "No service")], [StatusReport("failed", OURS, None, "No service")]),
    "not known yet": ([result(0)], []),
    "a code that is none": ([result("x")], []),
    "an id of another": ([{**result(-1), "uuid": "m-1"}], []),
    "nothing": (None, []),
}


@pytest.mark.parametrize("label", RESULTS)
def test_smssync_tells_what_became_of_a_message(label: str) -> None:
    given_results, wanted = RESULTS[label]
    call = ask("POST", f"task=result&secret={SECRET}", {"message_result": given_results})
    assert list(door().read(call, NOW).reports) == wanted


CHT = ChtDoor(ChannelConfig(uuid4(), "phone", "cht", {"username": "phone"}, {"token": SECRET}))
LOGIN = {b"authorization": b"Basic " + base64.b64encode(f"phone:{SECRET}".encode())}


def cht(document: Any, method: str = "POST", headers: dict[bytes, bytes] = LOGIN) -> HttpCall:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return HttpCall("http://x/in/phone", JSON, headers, b"", body if method == "POST" else b"", method, NOW)


def test_cht_says_what_it_is_to_the_app_that_tries_its_address() -> None:
    call = cht({}, "GET")
    assert CHT.read(call, NOW).takes == 0
    assert json.loads(CHT.reply(call, RoundEnd()).body) == {"medic-gateway": True}


def test_cht_brings_texts_and_states_together() -> None:
    text = {"id": "m-1", "from": "+50255550101", "content": "hola ñ", "sms_sent": 1773144600000, "sms_received": 1}
    states = ("PENDING", "SENT", "DELIVERED", "FAILED", "UNHEARD_OF")
    updates = [{"id": str(OURS), "status": status, "reason": "no-service"} for status in states]
    found = CHT.read(cht({"messages": [text], "updates": updates}), NOW)
    assert [(one.sender, one.text, one.external_id, one.sent_at) for one in found.texts] == [
        ("tel:+50255550101", "hola ñ", "m-1", TEN)
    ]
    assert [(one.status, one.error) for one in found.reports] == [
        ("sent", None), ("delivered", None), ("failed", "no-service"),
    ]  # fmt: skip


def test_cht_is_not_held_up_by_a_text_that_lacks_something() -> None:
    texts = CHT.read(cht({"messages": [{"id": None, "from": None}, {"content": 5}, {}], "updates": [{}]}), NOW).texts
    assert [(one.sender, one.text, one.external_id) for one in texts] == [
        ("raw:", "", None), ("raw:", "5", None), ("raw:", "", None),
    ]  # fmt: skip


@given(st.binary(max_size=200), st.sampled_from(["POST", "GET"]), st.binary(max_size=40))
def test_no_call_of_a_phone_raises_anything_else(body: bytes, method: str, query: bytes) -> None:
    calls = (
        HttpCall("http://x/", JSON, LOGIN, query, body, method, NOW),
        HttpCall("http://x/", FORM, {}, f"secret={SECRET}&".encode() + query, body, method, NOW),
    )
    for one, call in zip((CHT, door()), calls, strict=True):
        try:
            one.reply(call, RoundEnd()) if one.read(call, NOW) else None
        except ChannelError as refused:
            told = refused.status
            assert told in (400, 401)
