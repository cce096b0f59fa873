"""A phone with SMS Gateway for Android: its app calls us for each text, takes messages, and keeps what we missed.

https://docs.sms-gate.app; the app's sources tell that `receivedAt` of a webhook and `createdAt` of the inbox are the
same moment, and that a webhook which is delivered anew has a new id. So a text is known by its sender, that moment and
its words.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

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
    Surroundings,
)  # fmt: skip
from gateway.channels.callers import Caller
from gateway.channels.forms import JSON, malformed, read_json, whole_characters
from gateway.channels.lists import objects
from gateway.channels.mapping import read_moment
from gateway.channels.receipts import our_id, plain_error
from gateway.incoming import Incoming
from outbox.address import parse_sender

if TYPE_CHECKING:
    from outbox.senders.base import Sender

KEPT = HttpAnswer(200, JSON.encode(), b"{}")
WINDOW_S = 900
# An operator may hold a text back for days, and the phone tells when it was written.
REACH = timedelta(days=3)
SIGNED = {"auth": "hmac", "auth_name": "X-Signature", "sign_time": "X-Timestamp", "sign_over": "body_time"}

RECEIVED = ("sms:received", "mms:downloaded")
BATCHES = ("sms:batch:received", "mms:batch:downloaded")
STATES: Mapping[str, Status] = {
    "sms:sent": "sent", "sms:delivered": "delivered", "sms:failed": "failed", "sms:cancelled": "failed",
}  # fmt: skip


class AndroidDoor:
    """Hears the webhooks of one phone, all events at one address."""

    media: tuple[str, ...] = (JSON,)
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, config: ChannelConfig) -> None:
        self._name = config.name
        self._caller = Caller({**SIGNED, "sign_window_s": config.get("window_s") or str(WINDOW_S)}, config)

    def read(self, call: HttpCall, now: datetime) -> Round:
        """Events that are neither a text nor news of one (pings, starts of the app) are taken and forgotten."""
        self._caller.check(call)
        document = read_json(call.body)
        event, payload = document.get("event"), document.get("payload")
        if not isinstance(event, str) or not isinstance(payload, dict):
            raise malformed("event and payload are needed")
        if event in RECEIVED:
            return Round([text_of(self._name, payload, now)])
        if event in BATCHES:
            return Round([text_of(self._name, one, now) for one in objects(payload.get("messages"))])
        return Round(reports=[report_of(event, payload)] if event in STATES else ())

    def reply(self, _call: HttpCall, _done: RoundEnd) -> HttpAnswer:
        return KEPT


def text_of(channel: str, payload: Mapping[str, Any], now: datetime) -> Incoming:
    """The text of a webhook's payload. A picture message is the words that came with it."""
    sender = payload.get("sender") or payload.get("phoneNumber")
    words = payload.get("message", payload.get("body") or payload.get("subject") or "")
    if not isinstance(sender, str) or not isinstance(words, str):
        raise malformed("sender and message are needed")
    moment = read_moment(str(payload.get("receivedAt") or ""))
    return heard(channel, sender, words, moment, payload.get("recipient"), now)


def heard(channel: str, sender: str, words: str, moment: datetime | None, recipient: object, now: datetime) -> Incoming:
    """One text however it was come by: by webhook, or asked for in the phone's inbox."""
    text, raw = whole_characters(words)
    parsed = parse_sender(sender)
    address = str(parsed.address or f"raw:{parsed.value}")
    return Incoming(
        channel=channel, sender=address, text=text, heard_at=now, raw=raw, sent_at=moment,
        external_id=_fingerprint(address, moment, text) if moment else None,
        to=recipient[:200] if isinstance(recipient, str) and recipient else None,
    )  # fmt: skip


def _fingerprint(address: str, moment: datetime, text: str) -> str:
    whole = "\0".join((address, moment.isoformat(timespec="milliseconds"), text))
    return "sha256:" + hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()


def report_of(event: str, payload: Mapping[str, Any]) -> StatusReport:
    name = payload.get("messageId")
    if not isinstance(name, str) or not name:
        raise malformed("messageId is needed")
    status = STATES[event]
    reason = str(payload.get("reason") or event.partition(":")[2]) if status == "failed" else None
    at = next((read_moment(str(payload[key])) for key in ("deliveredAt", "sentAt", "failedAt") if key in payload), None)
    return StatusReport(status, our_id(name), name[:200], plain_error(reason), at)


def _login(config: ChannelConfig) -> str:
    return base64.b64encode(f"{config.get('username')}:{config.get('password')}".encode()).decode()


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    if not config.get("send_url"):
        return None
    from outbox.senders.http import HttpSender

    message: dict[str, Any] = {
        "id": "{id}", "textMessage": {"text": "{text}"}, "phoneNumbers": ["{to}"], "withDeliveryReport": True,
    }  # fmt: skip
    if config.get("sim"):
        message["simNumber"] = int(config.get("sim"))
    settings = {
        "send_url": config.get("send_url").rstrip("/") + "/messages?skipPhoneValidation=true",
        "send_body": json.dumps(message), "send_errors": "409=sent", "parallel": 2,
    }  # fmt: skip
    return HttpSender(settings, {"send_headers": f"Authorization: Basic {_login(config)}"})


async def catch_up(config: ChannelConfig, around: Surroundings, since: datetime) -> None:
    """Have the app look into the phone's inbox, then keep every text of it that came since."""
    if not config.get("send_url") or around.intake is None:
        return
    from gateway.channels.android_inbox import Inbox

    now = around.clock()
    inbox = Inbox(config.get("send_url").rstrip("/"), _login(config))
    try:
        await inbox.refresh(since, now)
        async for message in inbox.texts(since, now):
            await around.intake.receive(
                heard(config.name, message.sender, message.text, message.at, message.recipient, around.clock())
            )
    finally:
        inbox.close()


KIND = Kind(
    "android", "Android phone",
    settings=(
        Spec("token", "signing key of the app's webhooks", required=True, secret=True, check=checks.secret),
        Spec("send_url", "address of the phone, such as http://192.168.1.20:8080", check=checks.http_url),
        Spec("username", "user name that the app shows"),
        Spec("password", "password that the app shows", secret=True, check=checks.secret),
        Spec("sim", "which SIM card sends, 1 to 3", check=checks.number(1, 3)),
        Spec("window_s", "how many seconds the phone's clock may be wrong", check=checks.number(60, 86_400)),
    ),
    make_door=AndroidDoor,
    make_sender=make_sender,
    catch_up=catch_up,
    reach=REACH,
    paste=pasting.android,
)  # fmt: skip
