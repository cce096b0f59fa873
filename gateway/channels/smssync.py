"""A phone with SMSSync: it posts each text, and asks now and then for messages to send.

http://smssync.ushahidi.com/developers and the app's sources. Only with its *message results* switched on does it tell
what became of a message; its call that asks which of the messages it took it may send carries no secret, so that it is
answered with nothing but ids the caller has named itself.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from gateway.channels import checks, pasting
from gateway.channels.base import (
    ChannelConfig,
    HttpAnswer,
    HttpCall,
    Kind,
    Round,
    RoundEnd,
    Spec,
    StatusReport,
)  # fmt: skip
from gateway.channels.callers import Caller
from gateway.channels.forms import FORM, JSON, malformed, read_json, whole_characters
from gateway.channels.lists import objects
from gateway.channels.mapping import mapped, read_moment, short_id
from gateway.channels.receipts import our_id, plain_error
from gateway.incoming import Incoming
from outbox.address import parse_sender

TAKES = 10
# Longer than a phone is without signal on an ordinary day: it may send what is given to it again a second time.
HOLD = timedelta(hours=1)
FIELDS = {name: name for name in ("from", "message", "message_id", "sent_timestamp", "sent_to")}
# android.app.Activity.RESULT_OK; 0 stands for not known yet, anything else for a failure.
OK = -1


class SmssyncDoor:
    """Hears one phone; the app adds `?task=...` to the address it was given."""

    media: tuple[str, ...] = (FORM, JSON)
    methods: tuple[str, ...] = ("POST", "PUT", "GET")

    def __init__(self, config: ChannelConfig) -> None:
        self._name = config.name
        self._secret = config.get("token")
        self._hold = HOLD if config.get("results") == "yes" else None
        self._by_field = Caller({"auth": "field", "auth_name": "secret"}, config)
        self._by_query = Caller({"auth": "query", "auth_name": "secret"}, config)

    def read(self, call: HttpCall, now: datetime) -> Round:
        task = _task(call)
        if call.method != "GET" and task == "sent":
            return Round(asks=True)
        if call.method != "GET" and not task:
            self._by_field.check(call)
            return Round([self._text(call, now)])
        self._by_query.check(call)
        if call.method != "GET":
            return Round(reports=[one for part in _results(call) if (one := _report(part)) is not None])
        return Round(asks=True) if task == "result" else Round(takes=TAKES, hold=self._hold)

    def reply(self, call: HttpCall, done: RoundEnd) -> HttpAnswer:
        task = _task(call)
        if call.method == "GET" and task != "result":
            messages = [
                {"to": one.to.partition(":")[2], "message": one.text, "uuid": str(one.id)} for one in done.given
            ]
            return _json({"payload": {"task": "send", "secret": self._secret, "messages": messages}})
        if task in ("sent", "result"):
            owed = [str(one) for one in done.owed]
            named = _named(call) if task == "sent" else owed
            return _json({"message_uuids": [one for one in owed if one in named]})
        return _json({"payload": {"success": True, "error": None}})

    def _text(self, call: HttpCall, now: datetime) -> Incoming:
        found = mapped(call, FIELDS)
        if "from" not in found:
            raise malformed("from is needed")
        text, raw = whole_characters(found.get("message", ""))
        parsed = parse_sender(found["from"])
        return Incoming(
            channel=self._name, sender=str(parsed.address or f"raw:{parsed.value}"), text=text, heard_at=now, raw=raw,
            external_id=short_id(found["message_id"]) if "message_id" in found else None,
            to=found.get("sent_to", "")[:200] or None, sent_at=read_moment(found.get("sent_timestamp", "")),
        )  # fmt: skip


def _task(call: HttpCall) -> str:
    return parse_qs(call.query.decode("latin-1")).get("task", [""])[0]


def _json(document: Mapping[str, Any]) -> HttpAnswer:
    return HttpAnswer(200, JSON.encode(), json.dumps(document).encode())


def _named(call: HttpCall) -> list[str]:
    """The ids the phone holds by its own word."""
    named = read_json(call.body).get("queued_messages")
    return [str(one) for one in named] if isinstance(named, list) else []


def _results(call: HttpCall) -> list[dict[str, Any]]:
    """Some versions of the app put the list into a string of JSON."""
    found = read_json(call.body).get("message_result")
    if isinstance(found, str):
        found = read_json(b'{"list":' + found.encode("utf-8", "replace") + b"}").get("list")
    return objects(found)


def _report(one: Mapping[str, Any]) -> StatusReport | None:
    message, sent, delivered = (
        our_id(str(one.get("uuid"))),
        one.get("sent_result_code"),
        one.get("delivered_result_code"),
    )
    if message is None:
        return None
    if delivered == OK:
        return StatusReport("delivered", message)
    if sent == OK:
        return StatusReport("sent", message)
    if isinstance(sent, int) and sent > 0:
        return StatusReport("failed", message, None, plain_error(str(one.get("sent_result_message") or sent)))
    return None


KIND = Kind(
    "smssync", "SMSSync",
    settings=(
        Spec("token", "secret key that is set in the app", required=True, secret=True, check=checks.secret),
        Spec("results", "yes when message results are switched on in the app", check=checks.one_of("yes", "no")),
    ),
    make_door=SmssyncDoor,
    paste=pasting.smssync,
)  # fmt: skip
