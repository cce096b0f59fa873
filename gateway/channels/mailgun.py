"""E-mail by Mailgun: its routes bring mail by signed forms, its SMTP server takes ours, its events tell the end.

https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store and .../events/webhooks. The signature
covers a time and a token, not the mail, and Mailgun tries for eight hours: a call is bound to the mail it brought
first. Mailgun gives up at 406, so that is never said.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.channels import checks, pasting
from gateway.channels.base import (
    ChannelConfig,
    ChannelError,
    HttpAnswer,
    HttpCall,
    Kind,
    Letter,
    Spec,
    StatusReport,
)  # fmt: skip
from gateway.channels.forms import FORM, JSON, decode_text, malformed, read_bytes, read_json
from gateway.channels.letters import LETTER_LIMIT, compose, read_multipart
from gateway.channels.smtp import HEARING, SENDING, make_sender, needs_encryption
from gateway.incoming import Receipt

MULTIPART = "multipart/form-data"
WINDOW = timedelta(hours=9)
KEPT = HttpAnswer(200, b"text/plain", b"kept")


class MailgunDoor:
    """Hears one domain."""

    media: tuple[str, ...] = (MULTIPART, FORM, JSON)
    methods: tuple[str, ...] = ("POST",)
    limit = LETTER_LIMIT

    def __init__(self, config: ChannelConfig) -> None:
        self._key = config.get("signing_key").encode()

    def hear(self, call: HttpCall, now: datetime) -> Letter:
        if call.media == MULTIPART:
            fields = read_multipart(call.body, call.header(b"content-type"))
        elif call.media == FORM:
            fields = read_bytes(call.body)
        else:
            raise malformed("a form is needed")
        words = {name: decode_text(fields.get(name, b"")) for name in ("timestamp", "token", "signature")}
        self._check(words, now)
        raw = fields.get("body-mime") or _made(fields)
        to = decode_text(fields.get("recipient", b"")) or None
        sender = fields.get("sender")
        return Letter(raw, to, None if sender is None else decode_text(sender), once=words["token"])

    def answer(self, _receipt: Receipt) -> HttpAnswer:
        return KEPT

    def receipt(self, call: HttpCall) -> StatusReport | None:
        """An event: `delivered`, or `failed` for good or for a time."""
        document = read_json(call.body)
        signature, event = document.get("signature"), document.get("event-data")
        if not isinstance(signature, dict) or not isinstance(event, dict):
            raise malformed("signature and event-data are needed")
        self._check({name: str(signature.get(name, "")) for name in ("timestamp", "token", "signature")}, call.at)
        found = _inner(event, "message", "headers", "message-id")
        if not isinstance(found, str) or not found:
            return None
        name = f"<{found.strip('<>')}>"
        if event.get("event") == "delivered":
            return StatusReport("delivered", None, name)
        if event.get("event") == "failed" and event.get("severity") == "permanent":
            return StatusReport("failed", None, name, "bounced")
        return None

    def noted(self) -> HttpAnswer:
        return KEPT

    def _check(self, words: dict[str, str], now: datetime | None) -> None:
        if not self._key:
            raise ChannelError(503, "not_configured", "This channel has no signing key.", retry_after=60)
        wanted = hmac.new(self._key, (words["timestamp"] + words["token"]).encode(), hashlib.sha256).hexdigest()
        if not words["token"] or not hmac.compare_digest(wanted.encode(), words["signature"].lower().encode()):
            raise ChannelError(401, "bad_signature", "The signature does not fit; check the signing key.")
        stamp = words["timestamp"]
        at = datetime.fromtimestamp(int(stamp[:11]), UTC) if stamp.isascii() and stamp.isdigit() else None
        if now is not None and (at is None or not -WINDOW <= now - at <= WINDOW):
            raise ChannelError(401, "too_old", "The signature is too old or from the future; check the clock.")


def _made(fields: dict[str, bytes]) -> bytes:
    """A route whose address does not end in `mime` brings the mail cut into fields."""
    if "from" not in fields and "sender" not in fields:
        raise malformed("neither body-mime nor from is there")
    words = {name: decode_text(value) for name, value in fields.items()}
    try:
        listed = [(str(name), str(value)) for name, value in json.loads(words.get("message-headers") or "[]")]
    except (ValueError, TypeError, RecursionError):
        listed = []
    names = (("From", "from"), ("To", "recipient"), ("Subject", "subject"), ("Message-ID", "Message-Id"))
    headers = listed or [(name, words[field]) for name, field in names if words.get(field)]
    return compose(headers, words.get("body-plain", ""), words.get("body-html", ""))


def _inner(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


KIND = Kind(
    "mailgun", "E-mail by Mailgun",
    settings=(
        Spec("signing_key", "the account's HTTP webhook signing key", required=True, secret=True, check=checks.secret),
        *HEARING,
        *SENDING,
    ),
    make_door=MailgunDoor,
    make_sender=make_sender,
    check=needs_encryption,
    paste=pasting.mailgun,
)  # fmt: skip
