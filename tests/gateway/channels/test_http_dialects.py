"""The http channel told how a gateway names things: callers, fields, charsets, answers, receipts, templates."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels import registry
from gateway.channels.base import ChannelConfig, ChannelError, HttpCall, StatusReport
from gateway.channels.dialects import DIALECTS
from gateway.channels.forms import FORM, JSON
from gateway.channels.http import KIND, HttpDoor
from gateway.errors import UsageError
from outbox.address import Address
from outbox.senders.template import HOLES, holes_of, template_of

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
TOKEN = "a-long-random-secret"
STAMP = str(int(NOW.timestamp())).encode()
OURS = UUID("0198c0de-0000-7000-8000-000000000001")


def door(**config: str) -> HttpDoor:
    return HttpDoor(ChannelConfig(uuid4(), "telco", "http", config, {"token": TOKEN}))


def post(body: Any, query: str = f"token={TOKEN}", **headers: str) -> HttpCall:
    media = FORM if isinstance(body, bytes) else JSON
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return HttpCall(f"http://x/in/telco?{query}", media, sent, query.encode(), data, "POST", NOW)


def get(query: str) -> HttpCall:
    return HttpCall(f"http://x/in/telco?{query}", "", {}, query.encode(), b"", "GET", NOW)


PLAIN = {"dialect": "plain"}
QUERY = {"auth": "query", "auth_name": "token"}
UCS2 = "K’iche’ ñ 😀"
HEARD: dict[str, tuple[dict[str, str], HttpCall, dict[str, Any]]] = {
    "everything in the address": (
        PLAIN, get(f"token={TOKEN}&from=50255550101&text=inc+rob%20nebaj&id=7&to=1500&ts=1773144600"),
        {"sender": "tel:+50255550101", "text": "inc rob nebaj", "external_id": "7", "to": "1500",
         "sent_at": datetime(2026, 3, 10, 12, 10, tzinfo=UTC)},
    ),
    "names of a telco": (
        {**QUERY, "fields": "from=msisdn, text=message, id=uid"}, post(b"msisdn=55550101&message=hola&uid=a-1"),
        {"sender": "tel:+50255550101", "text": "hola", "external_id": "a-1"},
    ),
    "deep JSON": (
        {**QUERY, "fields": "from=data.0.sender.number, text=data.0.body, id=data.0.id"},
        post({"data": [{"sender": {"number": 50255550101}, "body": "hola", "id": 12}]}),
        {"sender": "tel:+50255550101", "text": "hola", "external_id": "12"},
    ),
    "UTF-16BE as raw bytes": (
        {"dialect": "kannel"}, get(f"token={TOKEN}&from=502&charset=UTF-16BE&text={quote(UCS2.encode('utf-16-be'))}"),
        {"text": UCS2},
    ),
    "half a pair in UTF-16BE": (
        {"dialect": "kannel"}, get(f"token={TOKEN}&from=502&charset=UTF-16BE&text=%00a%D8%3D"), {"text": "a\ufffd"},
    ),
    "an odd number of bytes in UTF-16BE": (
        {"dialect": "kannel"}, get(f"token={TOKEN}&from=502&charset=UTF-16BE&text=%00a%00"), {"text": "a\ufffd"},
    ),
    "Latin-1 by name": (
        {"dialect": "kannel"}, get(f"token={TOKEN}&from=502&charset=ISO-8859-1&text=violaci%F3n"),
        {"text": "violación"},
    ),
    "a charset nobody knows": (
        {"dialect": "kannel"}, get(f"token={TOKEN}&from=502&charset=KLINGON&text=violaci%C3%B3n"),
        {"text": "violación"},
    ),
    "no text at all": (PLAIN, get(f"token={TOKEN}&from=55550101"), {"text": ""}),
    "a time that is none": (PLAIN, get(f"token={TOKEN}&from=1&text=a&ts=ayer"), {"sent_at": None}),
    "a time without a zone": (PLAIN, get(f"token={TOKEN}&from=1&text=a&ts=2026-03-10T06:10:00"), {"sent_at": None}),
    "milliseconds": (
        PLAIN, get(f"token={TOKEN}&from=1&text=a&ts=1773144600000"),
        {"sent_at": datetime(2026, 3, 10, 12, 10, tzinfo=UTC)},
    ),
    "an id of 5,000 characters": (
        PLAIN, get(f"token={TOKEN}&from=1&text=a&id={'x' * 5000}"),
        {"external_id": "sha256:" + hashlib.sha256(b"x" * 5000).hexdigest()},
    ),
    "a part": (
        {**QUERY, "fields": "from=f, text=t, part_ref=r, part_seq=n, part_total=o"}, post(b"f=1&t=a&r=9&n=2&o=3"),
        {"part": ("9", 2, 3)},
    ),
    "a part beyond its total": (
        {**QUERY, "fields": "from=f, text=t, part_ref=r, part_seq=n, part_total=o"}, post(b"f=1&t=a&r=9&n=4&o=3"),
        {"part": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", HEARD)
def test_a_text_is_found_where_it_is_said_to_stand(label: str) -> None:
    config, call, wanted = HEARD[label]
    incoming = door(**config).hear(call, NOW)
    assert {name: getattr(incoming, name) for name in wanted} == wanted


def signed(over: bytes, hash_name: str = "sha256", as_: str = "hex") -> str:
    made = hmac.new(TOKEN.encode(), over, hash_name)
    return made.hexdigest() if as_ == "hex" else base64.b64encode(made.digest()).decode()


BODY = {"from": "55550101", "text": "hola"}
RAW = json.dumps(BODY).encode()
SIGN = {"auth": "hmac", "auth_name": "X-Sign", "fields": "from=from, text=text"}
TIMED = {**SIGN, "sign_time": "X-Time", "sign_over": "time_dot_body"}
BASIC = {"auth": "basic", "username": "telco"}
CALLERS: dict[str, tuple[dict[str, str], HttpCall, bool]] = {
    "a header": ({"auth": "header", "auth_name": "X-Key"}, post(BODY, x_key=TOKEN), True),
    "a wrong header": ({"auth": "header", "auth_name": "X-Key"}, post(BODY, x_key="guess"), False),
    "no header": ({"auth": "header", "auth_name": "X-Key"}, post(BODY), False),
    "the address": (QUERY, post(BODY), True),
    "the address twice": (QUERY, post(BODY, f"token={TOKEN}&token={TOKEN}"), False),
    "the address, empty": (QUERY, post(BODY, "token="), False),
    "a field of JSON": ({"auth": "field", "auth_name": "secret"}, post({**BODY, "secret": TOKEN}), True),
    "a field that is a list": ({"auth": "field", "auth_name": "secret"}, post({**BODY, "secret": [TOKEN]}), False),
    "a field of a form": (
        {"auth": "field", "auth_name": "secret"}, post(urlencode({**BODY, "secret": TOKEN}).encode()), True,
    ),
    "basic": (BASIC, post(BODY, authorization="Basic " + base64.b64encode(f"telco:{TOKEN}".encode()).decode()), True),
    "basic of another": (
        BASIC, post(BODY, authorization="Basic " + base64.b64encode(f"other:{TOKEN}".encode()).decode()), False,
    ),
    "basic that is none": (BASIC, post(BODY, authorization="Basic ñ%%"), False),
    "a signature": (SIGN, post(BODY, x_sign=signed(RAW)), True),
    "a signature in capitals": (SIGN, post(BODY, x_sign=signed(RAW).upper()), True),
    "a signature with its method before it": (SIGN, post(BODY, x_sign="sha256=" + signed(RAW)), True),
    "SHA-1 in base64": (
        {**SIGN, "sign_hash": "sha1", "sign_as": "base64"}, post(BODY, x_sign=signed(RAW, "sha1", "b64")), True,
    ),
    "a signature of another body": (SIGN, post(BODY, x_sign=signed(b"{}")), False),
    "an empty signature": (SIGN, post(BODY, x_sign=""), False),
    "a signature and its time": (TIMED, post(BODY, x_time=STAMP.decode(), x_sign=signed(STAMP + b"." + RAW)), True),
    "an old signature": (TIMED, post(BODY, x_time="1773144000", x_sign=signed(b"1773144000." + RAW)), False),
    "a time that is none": (TIMED, post(BODY, x_time="now", x_sign=signed(b"now." + RAW)), False),
    "no time": (TIMED, post(BODY, x_sign=signed(b"." + RAW)), False),
    "an old signature in a wide window": (
        {**TIMED, "sign_window_s": "3600"}, post(BODY, x_time="1773144000", x_sign=signed(b"1773144000." + RAW)), True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", CALLERS)
def test_only_who_shows_the_secret_as_agreed_is_heard(label: str) -> None:
    config, call, right = CALLERS[label]
    if right:
        assert door(**config).hear(call, NOW).text == "hola"
    else:
        with pytest.raises(ChannelError) as refused:
            door(**config).hear(call, NOW)
        assert refused.value.status == 401


RECEIPTS: dict[str, tuple[dict[str, str], HttpCall, StatusReport | None]] = {
    "Kannel: delivered": (
        {"dialect": "kannel"},
        get(f"token={TOKEN}&id={OURS}&status=1&answer=id%3A7+stat%3ADELIVRD"),
        StatusReport("delivered", OURS, str(OURS)),
    ),
    "Kannel: taken": (
        {"dialect": "kannel"},
        get(f"token={TOKEN}&id={OURS}&status=8&answer=ACK%2F"),
        StatusReport("sent", OURS, str(OURS)),
    ),
    "Kannel: not delivered": (
        {"dialect": "kannel"},
        get(f"token={TOKEN}&id={OURS}&status=2&answer=NACK%2F50255550101"),
        StatusReport("failed", OURS, str(OURS), "NACK/#"),
    ),
    "a word in between": (PLAIN, get(f"token={TOKEN}&id=p-1&status=ENROUTE"), None),
    "the gateway's id": (PLAIN, get(f"token={TOKEN}&id=p-1&status=DELIVRD"), StatusReport("delivered", None, "p-1")),
}


@pytest.mark.parametrize("label", RECEIPTS)
def test_a_receipt_is_read_in_the_words_of_its_gateway(label: str) -> None:
    config, call, wanted = RECEIPTS[label]
    assert door(**config).receipt(call) == wanted


def test_a_gateway_hears_the_answer_it_insists_on() -> None:
    said = door(dialect="plain").noted()
    assert (said.status, said.media, said.body) == (200, b"text/plain", b"OK")
    said = door(answer_status="201", answer_body='{"ok":true}').noted()
    assert (said.status, said.media, said.body) == (201, b"application/json", b'{"ok":true}')


@given(st.binary(max_size=200), st.sampled_from(sorted(DIALECTS)), st.sampled_from(["GET", FORM, JSON]))
def test_no_call_raises_anything_else(data: bytes, dialect: str, kind: str) -> None:
    heard = door(dialect=dialect)
    query = f"token={TOKEN}&".encode() + (data if kind == "GET" else b"")
    body, method = (b"", "GET") if kind == "GET" else (data, "POST")
    bearer = {b"authorization": f"Bearer {TOKEN}".encode()}
    call = HttpCall("http://x/", "" if kind == "GET" else kind, bearer, query, body, method, NOW)
    for read in (lambda: heard.hear(call, NOW), lambda: heard.receipt(call)):
        with suppress(ChannelError):
            read()


HOSTILE = 'a"b\\c{id}{token}&x=1#f\r\nX-Evil: 1 ñ’😀%0a'


def request(**settings: str) -> Any:
    values = {"send_url": "https://gw.example/send", **settings}
    more = {"id": str(OURS), "from": "1500", "token": TOKEN, "username": "u&x=1", "password": "p"}
    return template_of(values).filled(holes_of(Address("tel", "+50255550101"), HOSTILE, **more))


def test_a_text_can_add_no_field_header_or_hole() -> None:
    made = request(send_headers="X-Id: {id} | X-Text: {text}", send_body='{"m": [{"t": "{text}", "n": "{national}"}]}')
    assert json.loads(made.body) == {"m": [{"t": HOSTILE, "n": "55550101"}]}
    assert made.headers["X-Text"] == HOSTILE.replace("\r", " ").replace("\n", " ")
    made = request(send_as="form", send_body="user={username}&text={text}&to={digits}")
    assert parse_qs(made.body.decode()) == {"user": ["u&x=1"], "text": [HOSTILE], "to": ["50255550101"]}
    made = request(send_as="query", send_url="https://gw.example/{digits}/send?k={token}", send_body="text={text}")
    parts = urlsplit(made.url)
    assert (parts.netloc, parts.path, parts.fragment) == ("gw.example", "/50255550101/send", "")
    assert parse_qs(parts.query) == {"k": [TOKEN], "text": [HOSTILE]}


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "a hole nobody knows": ({"send_body": "{password.__class__}{secrets}"}, "{secrets} is unknown"),
    "a hole for the server": ({"send_url": "https://{text}/send"}, "without holes"),
    "another scheme": ({"send_url": "file:///etc/passwd"}, "send_url"),
    "a body that is no JSON": ({"send_url": "https://a.example/", "send_body": "{to}"}, "not JSON"),
    "a header without a colon": ({"send_headers": "Authorization"}, "Name: value"),
    "a field we do not have": ({"fields": "sender=msisdn"}, "has no sender"),
    "a state we do not have": ({"receipt_words": "DELIVRD=arrived"}, "sent, delivered, failed"),
    "an error we do not have": ({"send_errors": "503=later"}, "unavailable"),
    "a rule that is none": ({"send_ok": "status"}, "status=0"),
    "a secret without a name": ({"auth": "header"}, "auth_name"),
    "a dialect nobody speaks": ({"dialect": "klingon"}, "kannel"),
    "an answer that is no yes": ({"answer_status": "500"}, "200 to 299"),
}


@pytest.mark.parametrize("label", REFUSED)
def test_a_setting_that_cannot_stand_is_refused_in_words(label: str) -> None:
    values, words = REFUSED[label]
    with pytest.raises(UsageError) as refused:
        registry.checked(KIND, {"token": TOKEN, **values})
    assert words in str(refused.value)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_is_made_of_settings_that_stand(dialect: str) -> None:
    values = {"token": TOKEN, "send_url": "https://gw.example/send", **DIALECTS[dialect]}
    config, secrets = registry.checked(KIND, values)
    assert {**config, **secrets} == values
    template_of({**config, **secrets})


def test_every_hole_that_is_known_is_filled() -> None:
    body = "&".join(f"{name}={{{name}}}" for name in HOLES)
    more = {name: name for name in ("id", "from", "token", "username", "password", "receipt_url")}
    made = template_of({"send_url": "https://gw.example/", "send_as": "form", "send_body": body}).filled(
        holes_of(Address("tel", "+50255550101"), "hola", **more)
    )
    assert set(parse_qs(made.body.decode() if made.body else "")) == set(HOLES)
