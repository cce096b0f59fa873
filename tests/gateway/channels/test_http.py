"""The generic HTTP door: bearer or signature, JSON or form, and no body that breaks it."""

import hashlib
import hmac
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.base import ChannelConfig, ChannelError, HttpCall, StatusReport
from gateway.channels.forms import FORM, JSON
from gateway.channels.http import HttpDoor
from gateway.incoming import Receipt

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
TEN = datetime(2026, 3, 10, 12, 10, tzinfo=UTC)
TOKEN = "a-long-random-secret"
DOOR = HttpDoor(ChannelConfig(uuid4(), "telco", "http", {}, {"token": TOKEN}))
BEARER = {b"authorization": b"Bearer " + TOKEN.encode()}
TEXT = {"id": "8731", "from": "+50255550101", "text": "inc rob nebaj ayer 2 heridos"}


def call(body: bytes | dict[str, Any], media: str = JSON, headers: dict[bytes, bytes] = BEARER) -> HttpCall:
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    return HttpCall("http://127.0.0.1:8000/in/telco", media, headers, b"", data)


def form(fields: dict[str, str]) -> HttpCall:
    return call(urlencode(fields).encode(), FORM)


HEARD: dict[str, tuple[HttpCall, dict[str, Any]]] = {
    "JSON": (call(TEXT), {"external_id": "8731", "sender": "tel:+50255550101", "text": TEXT["text"]}),
    "a form": (form(TEXT), {"external_id": "8731", "sender": "tel:+50255550101", "text": TEXT["text"]}),
    "numbers as numbers": (
        call({"id": 8731, "from": 50255550101, "text": "x"}), {"external_id": "8731", "sender": "tel:+50255550101"},
    ),
    "no id": (call({"from": "55550101", "text": "x"}), {"external_id": None, "sender": "tel:+50255550101"}),
    "sent_at with an offset": (call({**TEXT, "sent_at": "2026-03-10T06:10:00-06:00"}), {"sent_at": TEN}),
    "sent_at in UTC": (call({**TEXT, "sent_at": "2026-03-10T12:10:00Z"}), {"sent_at": TEN}),
    "null for unknown": (call({**TEXT, "id": None, "sent_at": None, "part": None}), {"external_id": None}),
    "to": (call({**TEXT, "to": "1500"}), {"to": "1500"}),
    "a part": (call({**TEXT, "part": {"ref": "17", "seq": 1, "total": 2}}), {"part": ("17", 1, 2)}),
    "a part in a form": (form({**TEXT, "part_ref": "17", "part_seq": "2", "part_total": "2"}), {"part": ("17", 2, 2)}),
    "keys nobody knows": (call({**TEXT, "operator": {"name": ["tigo"]}, "cost": 1.5}), {"text": TEXT["text"]}),
    "an empty text": (call({**TEXT, "text": ""}), {"text": ""}),
    "an empty sender": (call({**TEXT, "from": ""}), {"sender": "raw:"}),
    "a name as sender": (call({**TEXT, "from": "TIGO"}), {"sender": "raw:TIGO"}),
    "NUL and control characters": (call({**TEXT, "text": "inc\x00 rob\x07"}), {"text": "inc\x00 rob\x07"}),
    "a lone surrogate": (call(b'{"from":"55550101","text":"a\\ud800b"}'), {"text": "a\ufffdb", "raw": "a\ud800b"}),
    "a pair of surrogates": (call(b'{"from":"55550101","text":"\\ud83d\\ude00"}'), {"text": "😀", "raw": None}),
    "a byte order mark": (call(b"\xef\xbb\xbf" + json.dumps(TEXT).encode()), {"text": TEXT["text"]}),
    "Latin-1 in JSON": (call('{"from":"55550101","text":"violación"}'.encode("latin-1")), {"text": "violación"}),
    "Latin-1 in a form": (call(b"from=55550101&text=violaci%F3n", FORM), {"text": "violación"}),
    "plus and percent in a form": (call(b"from=%2B50255550101&text=a+b%2Bc%25", FORM), {"text": "a b+c%"}),
    "a broken percent in a form": (call(b"from=55550101&text=100%+%zz", FORM), {"text": "100% %zz"}),
    "nesting of 50": (call(b'{"from":"1","text":"x","a":' + b"[" * 50 + b"]" * 50 + b"}"), {"text": "x"}),
}  # fmt: skip


@pytest.mark.parametrize("label", HEARD)
def test_a_body_is_read(label: str) -> None:
    given_call, wanted = HEARD[label]
    incoming = DOOR.hear(given_call, NOW)
    assert {name: getattr(incoming, name) for name in wanted} == wanted


MALFORMED: dict[str, HttpCall] = {
    "nothing": call(b""),
    "not JSON": call(b"{"),
    "a list": call(b"[]"),
    "null": call(b"null"),
    "a string": call(b'"inc rob"'),
    "no text": call({"from": "55550101"}),
    "no sender": call({"text": "x"}),
    "text that is a number": call({**TEXT, "text": 5}),
    "text that is null": call({**TEXT, "text": None}),
    "sender that is a list": call({**TEXT, "from": ["55550101"]}),
    "sender that is true": call({**TEXT, "from": True}),
    "id that is a list": call({**TEXT, "id": []}),
    "an empty id": call({**TEXT, "id": ""}),
    "an id of 5,000 characters": call({**TEXT, "id": "x" * 5000}),
    "sent_at without offset": call({**TEXT, "sent_at": "2026-03-10T06:10:00"}),
    "sent_at that is no time": call({**TEXT, "sent_at": "ayer"}),
    "sent_at that is a number": call({**TEXT, "sent_at": 1773144600}),
    "sent_at before all time": call({**TEXT, "sent_at": "0001-01-01T00:00:00+14:00"}),
    "a doubled key": call(b'{"from":"1","text":"a","text":"b"}'),
    "a doubled field": call(b"from=1&text=a&text=b", FORM),
    "a number out of range": call(b'{"from":"1","text":"a","n":1e400}'),
    "NaN": call(b'{"from":"1","text":"a","n":NaN}'),
    "Infinity": call(b'{"from":"1","text":"a","n":-Infinity}'),
    "an integer of 10,000 digits": call(b'{"from":"1","text":"a","n":' + b"9" * 10_000 + b"}"),
    "a sender of 10,000 digits": call(b'{"text":"a","from":' + b"9" * 10_000 + b"}"),
    "nesting of 10,000": call(b'{"from":"1","text":"a","n":' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "a reserved key": call(b'{"from":"1","text":"a","__proto__":{}}'),
    "a part without total": call({**TEXT, "part": {"ref": "1", "seq": 1}}),
    "a part beyond its total": call({**TEXT, "part": {"ref": "1", "seq": 3, "total": 2}}),
    "a part of a thousand": call({**TEXT, "part": {"ref": "1", "seq": 3, "total": 1000}}),
    "a part that is a word": call({**TEXT, "part": "1/2"}),
    "a thousand fields": call(b"&".join(b"f%d=1" % n for n in range(1000)), FORM),
}


@pytest.mark.parametrize("label", MALFORMED)
def test_a_malformed_body_is_refused_with_words(label: str) -> None:
    with pytest.raises(ChannelError) as refused:
        DOOR.hear(MALFORMED[label], NOW)
    assert (refused.value.status, refused.value.code) == (400, "malformed")


@given(st.binary(max_size=300), st.sampled_from([JSON, FORM]))
def test_no_body_raises_anything_else(body: bytes, media: str) -> None:
    with suppress(ChannelError):
        DOOR.hear(call(body, media), NOW)


SIGNATURE = hmac.new(TOKEN.encode(), json.dumps(TEXT).encode(), hashlib.sha256).hexdigest()
KEYS = {
    "bearer": (BEARER, True),
    "bearer in small letters": ({b"authorization": b"bearer " + TOKEN.encode()}, True),
    "signature": ({b"x-signature": SIGNATURE.encode()}, True),
    "signature in capitals": ({b"x-signature": SIGNATURE.upper().encode()}, True),
    "nothing": ({}, False),
    "empty bearer": ({b"authorization": b"Bearer "}, False),
    "wrong bearer": ({b"authorization": b"Bearer a-long-random-secreT"}, False),
    "not ASCII": ({b"authorization": "Bearer ñ".encode()}, False),
    "basic": ({b"authorization": b"Basic " + TOKEN.encode()}, False),
    "wrong signature": ({b"x-signature": b"0" * 64}, False),
    "wrong bearer with a right signature": ({b"authorization": b"Bearer x", b"x-signature": SIGNATURE.encode()}, False),
}


@pytest.mark.parametrize("label", KEYS)
def test_only_who_holds_the_token_is_heard(label: str) -> None:
    headers, right = KEYS[label]
    if right:
        assert DOOR.hear(call(TEXT, headers=headers), NOW).text == TEXT["text"]
    else:
        with pytest.raises(ChannelError) as refused:
            DOOR.hear(call(TEXT, headers=headers), NOW)
        assert refused.value.status == 401


def test_an_empty_token_never_opens_the_door() -> None:
    door = HttpDoor(ChannelConfig(uuid4(), "telco", "http", {}, {}))
    with pytest.raises(ChannelError) as refused:
        door.hear(call(TEXT, headers={b"authorization": b"Bearer "}), NOW)
    assert refused.value.status == 503


def test_without_an_id_sender_moment_and_text_are_the_delivery() -> None:
    body = {"from": "+50255550101", "text": "inc", "sent_at": "2026-03-10T06:10:00-06:00"}
    same = {**body, "from": "5555 0101", "sent_at": "2026-03-10T12:10:00Z"}
    first, second = DOOR.hear(call(body), NOW), DOOR.hear(call(same), NOW)
    other = DOOR.hear(call({**body, "text": "inc "}), NOW)
    assert first.external_id == second.external_id
    assert first.external_id != other.external_id


def test_the_answer_names_the_message() -> None:
    receipt = Receipt(UUID("0198c0de-0000-7000-8000-000000000001"), "kept")
    answer = DOOR.answer(receipt)
    assert answer.status == 202
    assert json.loads(answer.body) == {"message": "0198c0de-0000-7000-8000-000000000001", "status": "kept"}


OURS = "0198c0de-0000-7000-8000-000000000001"
AT = datetime(2026, 3, 10, 12, 12, 9, tzinfo=UTC)
RECEIPTS: dict[str, tuple[dict[str, Any], StatusReport]] = {
    "our id": ({"id": OURS, "status": "delivered"}, StatusReport("delivered", UUID(OURS), OURS)),
    "the provider's id": ({"id": "x-1", "status": "sent"}, StatusReport("sent", None, "x-1")),
    "with a reason and a time": (
        {"id": "x-1", "status": "failed", "error": "no such number", "at": "2026-03-10T06:12:09-06:00"},
        StatusReport("failed", None, "x-1", "no such number", AT),
    ),
    "a long reason": ({"id": 7, "status": "failed", "error": "x" * 999}, StatusReport("failed", None, "7", "x" * 64)),
}


@pytest.mark.parametrize("label", RECEIPTS)
def test_a_receipt_is_read(label: str) -> None:
    fields, wanted = RECEIPTS[label]
    assert DOOR.receipt(call(fields)) == wanted


@pytest.mark.parametrize(
    "fields", [{}, {"id": "x"}, {"status": "sent"}, {"id": "x", "status": "eaten"}, {"id": "x", "status": []}]
)
def test_a_malformed_receipt_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ChannelError) as refused:
        DOOR.receipt(call(fields))
    assert refused.value.status == 400


def test_a_receipt_needs_the_token() -> None:
    with pytest.raises(ChannelError) as refused:
        DOOR.receipt(replace(call({"id": "x", "status": "sent"}), headers={}))
    assert refused.value.status == 401
