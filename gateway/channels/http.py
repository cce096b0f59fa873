"""The generic channel: any gateway that can make a web request, any gateway that takes one."""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.channels import checks
from gateway.channels.base import (
    ChannelConfig,
    ChannelError,
    HttpAnswer,
    HttpCall,
    Kind,
    Spec,
    StatusReport,
    Surroundings,
)  # fmt: skip
from gateway.channels.forms import FORM, JSON, malformed, read_form, read_json, whole_characters
from gateway.incoming import Incoming, Receipt
from outbox.address import parse_sender

if TYPE_CHECKING:
    from outbox.senders.base import Sender

ID_LIMIT = 200
ERROR_LIMIT = 64
PART_LIMIT = 255
MEDIA = JSON.encode()
# Errors are kept in clear; some providers name the phone in them.
PHONE = re.compile(r"\+?\d(?:[ .-]?\d){6,}")
STATUS_WORDS = {"sent": "sent", "delivered": "delivered", "failed": "failed"}


class HttpDoor:
    """`Authorization: Bearer TOKEN`, or `X-Signature`: hex HMAC-SHA256 of the raw body with the token as key."""

    media: tuple[str, ...] = (JSON, FORM)
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, config: ChannelConfig) -> None:
        self._name = config.name
        self._token = config.get("token").encode()

    def hear(self, call: HttpCall, now: datetime) -> Incoming:
        self._check(call)
        fields = _fields(call)
        text, raw = whole_characters(_text(fields, "text"))
        parsed = parse_sender(_text(fields, "from"))
        sender = str(parsed.address or f"raw:{parsed.value}")
        sent_at, part = _moment(fields, "sent_at"), _part(fields.get("part"))
        delivery = _word(fields, "id", ID_LIMIT)
        if delivery is None and sent_at is not None:
            delivery = _fingerprint(sender, sent_at, text, part)
        return Incoming(
            channel=self._name, sender=sender, text=text, heard_at=now, external_id=delivery,
            to=_word(fields, "to", ID_LIMIT), sent_at=sent_at, raw=raw, part=part,
        )  # fmt: skip

    def answer(self, receipt: Receipt) -> HttpAnswer:
        body = b'{"message":"%s","status":"%s"}' % (str(receipt.message_id).encode(), receipt.status.encode())
        return HttpAnswer(202, MEDIA, body)

    def receipt(self, call: HttpCall) -> StatusReport | None:
        self._check(call)
        fields = _fields(call)
        status = fields.get("status")
        name = _word(fields, "id", ID_LIMIT)
        if name is None or not isinstance(status, str) or status not in STATUS_WORDS:
            raise malformed("id and a status of sent, delivered or failed are needed")
        error = _word(fields, "error", 10_000)
        at = _moment(fields, "at")
        return StatusReport(STATUS_WORDS[status], _uuid(name), name, error and PHONE.sub("#", error)[:ERROR_LIMIT], at)  # type: ignore[arg-type]

    def noted(self) -> HttpAnswer:
        return HttpAnswer(202, MEDIA, b"{}")

    def _check(self, call: HttpCall) -> None:
        if not self._token:
            raise ChannelError(503, "not_configured", "This channel has no token.", retry_after=60)
        scheme, _, given = call.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            right = hmac.compare_digest(given.strip(), self._token)
        else:
            signature = call.headers.get(b"x-signature", b"").strip().lower()
            wanted = hmac.new(self._token, call.body, hashlib.sha256).hexdigest().encode() if signature else b""
            right = bool(signature) and hmac.compare_digest(signature, wanted)
        if not right:
            raise ChannelError(401, "unauthorized", "The token or signature is missing or wrong.")


def _fields(call: HttpCall) -> dict[str, Any]:
    return read_json(call.body) if call.media == JSON else _form_fields(call.body)


def _form_fields(body: bytes) -> dict[str, Any]:
    """A form carries a part as `part_ref`, `part_seq`, `part_total`; an empty field is an absent one."""
    fields: dict[str, Any] = dict(read_form(body).first_values())
    part = {key: fields.pop(f"part_{key}", "") for key in ("ref", "seq", "total")}
    if any(part.values()):
        fields["part"] = part
    return {name: value for name, value in fields.items() if value != "" or name in ("from", "text")}


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if name == "from" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise malformed(f"{name} is needed, as a string")
    return value


def _word(fields: dict[str, Any], name: str, limit: int) -> str | None:
    """An optional string or whole number of at most `limit` characters."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= limit:
        raise malformed(f"{name} must be a string of 1 to {limit} characters")
    return whole_characters(str(value))[0]


def _moment(fields: dict[str, Any], name: str) -> datetime | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise malformed(f"{name} must be ISO 8601 with an offset, such as 2026-03-10T06:12:00-06:00")


def _part(value: Any) -> tuple[str, int, int] | None:
    if value is None:
        return None
    if isinstance(value, dict) and (ref := _word(value, "ref", 32)) is not None:
        seq, total = _small(value.get("seq")), _small(value.get("total"))
        if 1 <= seq <= total <= PART_LIMIT:
            return ref, seq, total
    raise malformed("part must be an object of ref, seq and total, seq from 1 to total")


def _small(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 3:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _fingerprint(sender: str, sent_at: datetime, text: str, part: tuple[str, int, int] | None) -> str:
    """Stands in for an absent id: the same words of the same sender and moment are the same delivery."""
    whole = "\0".join((sender, sent_at.isoformat(), text, str(part or "")))
    return "sha256:" + hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    if not config.get("send_url"):
        return None
    from outbox.senders.http import HttpSender

    return HttpSender(config.config, config.secrets)


KIND = Kind(
    "http", "HTTP",
    settings=(
        Spec("token", "long random secret that both sides know", required=True, secret=True, check=checks.secret),
        Spec("send_url", "address to which answers are handed over", check=checks.http_url),
        Spec("from", "number or name that answers are sent from", check=checks.sms_sender),
    ),
    make_door=HttpDoor,
    make_sender=make_sender,
)  # fmt: skip
