"""A phone with the Community Health Toolkit's gateway app: one call brings texts and states, its answer the messages.

https://github.com/medic/cht-gateway: `POST {"messages": [...], "updates": [...]}` with a Basic login. The app sends a
message of one id once, and a text or a state until it hears 2xx.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.channels import checks, pasting
from gateway.channels.base import (
    ChannelConfig,
    HttpAnswer,
    HttpCall,
    Kind,
    Round,
    RoundEnd,
    Spec,
    Status,
    StatusReport,
)  # fmt: skip
from gateway.channels.callers import Caller
from gateway.channels.forms import JSON, read_json, whole_characters
from gateway.channels.lists import objects
from gateway.channels.mapping import read_moment, short_id
from gateway.channels.receipts import our_id, plain_error
from gateway.incoming import Incoming
from outbox.address import parse_sender

TAKES = 20
HOLD = timedelta(minutes=15)
# PENDING is the app's own queue, and no news.
STATES: Mapping[str, Status] = {"SENT": "sent", "DELIVERED": "delivered", "FAILED": "failed"}


class ChtDoor:
    """Hears one phone. A GET is how the app tries the address it was given."""

    media: tuple[str, ...] = (JSON,)
    methods: tuple[str, ...] = ("POST", "GET")

    def __init__(self, config: ChannelConfig) -> None:
        self._name = config.name
        self._caller = Caller({"auth": "basic", "username": config.get("username")}, config)

    def read(self, call: HttpCall, now: datetime) -> Round:
        self._caller.check(call)
        if call.method == "GET":
            return Round()
        document = read_json(call.body)
        texts = [self._text(one, now) for one in objects(document.get("messages"))]
        reports = [report for one in objects(document.get("updates")) if (report := _report(one)) is not None]
        return Round(texts, reports, TAKES, HOLD)

    def reply(self, call: HttpCall, done: RoundEnd) -> HttpAnswer:
        if call.method == "GET":
            return HttpAnswer(200, JSON.encode(), b'{"medic-gateway":true}')
        messages = [{"id": str(one.id), "to": one.to.partition(":")[2], "content": one.text} for one in done.given]
        return HttpAnswer(200, JSON.encode(), json.dumps({"messages": messages}).encode())

    def _text(self, one: Mapping[str, Any], now: datetime) -> Incoming:
        """One that lacks something is kept as it is: refused, it would come again for ever and hold up all others."""
        number, content, name = (str(one.get(key) or "") for key in ("from", "content", "id"))
        text, raw = whole_characters(content)
        parsed = parse_sender(number)
        return Incoming(
            channel=self._name, sender=str(parsed.address or f"raw:{parsed.value}"), text=text, heard_at=now, raw=raw,
            external_id=short_id(name) or None, sent_at=read_moment(str(one.get("sms_sent") or "")),
        )  # fmt: skip


def _report(one: Mapping[str, Any]) -> StatusReport | None:
    status = STATES.get(str(one.get("status")).upper())
    message = our_id(str(one.get("id")))
    if status is None or message is None:
        return None
    return StatusReport(
        status, message, None, plain_error(str(one.get("reason") or "")) if status == "failed" else None
    )


KIND = Kind(
    "cht", "CHT gateway",
    settings=(
        Spec("username", "user name that stands in the address given to the app", required=True),
        Spec("token", "password that stands in the address given to the app", required=True, secret=True,
             check=checks.secret),
    ),
    make_door=ChtDoor,
    paste=pasting.cht,
)  # fmt: skip
