"""The generic channel: any gateway that can make a web request, any gateway that takes one."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gateway.channels import checks, pasting
from gateway.channels.base import (
    ChannelConfig,
    HttpAnswer,
    HttpCall,
    Kind,
    SettingError,
    Spec,
    Status,
    StatusReport,
    Surroundings,
)  # fmt: skip
from gateway.channels.callers import HASHES, SIGNED, Caller
from gateway.channels.dialects import DIALECTS
from gateway.channels.forms import FORM, JSON, malformed, read_form, read_json, whole_characters
from gateway.channels.mapping import ID_LIMIT, PART_LIMIT, RECEIPT_FIELDS, TEXT_FIELDS, mapped, text_fields
from gateway.channels.receipts import our_id, plain_error
from gateway.channels.templates import body, errors, headers, pairs_of, receipt_words, rule, url, words_to
from gateway.incoming import Incoming, Receipt
from outbox.address import parse_sender
from outbox.senders.template import FORMS, TemplateError, read_pairs, template_of

if TYPE_CHECKING:
    from outbox.senders.base import Sender

MEDIA = JSON.encode()
METHODS: Mapping[str, tuple[str, ...]] = {"post": ("POST",), "get": ("GET",), "both": ("POST", "GET")}
STATUSES: tuple[Status, ...] = ("sent", "delivered", "failed")
OWN_WORDS: Mapping[str, Status] = {status: status for status in STATUSES}


def settled(config: ChannelConfig) -> dict[str, str]:
    """The open settings over those of the dialect."""
    return {**DIALECTS[config.get("dialect") or "vocero"], **config.config}


class HttpDoor:
    """Hears one gateway. Who the caller is, and how it names things, is set; see docs/channels/http.md."""

    media: tuple[str, ...] = (JSON, FORM)

    def __init__(self, config: ChannelConfig) -> None:
        self._name = config.name
        settings = settled(config)
        self._caller = Caller(settings, config)
        self._fields = read_pairs(settings.get("fields", ""))
        self._receipt_fields = read_pairs(settings.get("receipt_fields", ""))
        self._words = words_to(settings.get("receipt_words", ""), STATUSES) or OWN_WORDS
        self._answer = own_answer(settings)
        self.methods: tuple[str, ...] = METHODS[settings.get("methods") or "post"]

    def hear(self, call: HttpCall, now: datetime) -> Incoming:
        self._caller.check(call)
        fields = text_fields(mapped(call, self._fields)) if self._fields else _fields(call)
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
        return self._answer or HttpAnswer(202, MEDIA, body)

    def receipt(self, call: HttpCall) -> StatusReport | None:
        self._caller.check(call)
        fields = mapped(call, self._receipt_fields) if self._receipt_fields else _fields(call)
        name, told = _word(fields, "id", ID_LIMIT), fields.get("status")
        status = self._words.get(told) if isinstance(told, str) else None
        if name is None or (status is None and not self._receipt_fields):
            raise malformed("id and a status of sent, delivered or failed are needed")
        if status is None:
            return None
        error = _word(fields, "error", 10_000) if status == "failed" or not self._receipt_fields else None
        at = _moment(fields, "at") if not self._receipt_fields else None
        return StatusReport(status, our_id(name), name, plain_error(error), at)

    def noted(self) -> HttpAnswer:
        return self._answer or HttpAnswer(202, MEDIA, b"{}")


def own_answer(settings: Mapping[str, str]) -> HttpAnswer | None:
    """The answer some gateways insist on; None for the channel's own."""
    if not settings.get("answer_status") and not settings.get("answer_body"):
        return None
    said = settings.get("answer_body", "").encode()
    media = {b"{": MEDIA, b"<": b"text/xml"}.get(said[:1], b"text/plain")
    return HttpAnswer(int(settings.get("answer_status") or 200), media, said)


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


def make_sender(config: ChannelConfig, around: Surroundings) -> "Sender | None":
    if not config.get("send_url"):
        return None
    from outbox.senders.http import HttpSender

    receipts = f"{around.base_url}/in/{config.name}/status"
    settings = {name: value for name, value in settled(config).items() if name not in config.secrets}
    return HttpSender(settings, config.secrets, receipt_url=receipts)


def check(values: Mapping[str, str]) -> None:
    """What the settings must be together; raises SettingError."""
    whole = {**DIALECTS[values.get("dialect") or "vocero"], **values}
    if whole.get("auth", "bearer") in ("header", "query", "field", "hmac") and not whole.get("auth_name"):
        raise SettingError("auth needs auth_name, the name under which the token or signature comes")
    if values.get("send_url"):
        try:
            template_of(whole)
        except TemplateError as error:
            raise SettingError(f"send_body: {error}") from error


KIND = Kind(
    "http", "HTTP",
    settings=(
        Spec("token", "long random secret that both sides know", required=True, secret=True, check=checks.secret),
        Spec("dialect", "how the gateway names things", check=checks.one_of(*DIALECTS)),
        Spec("auth", "how the caller shows the token", check=checks.one_of(
            "bearer", "basic", "header", "query", "field", "hmac")),
        Spec("auth_name", "name of the header, query or body field that holds the token or signature"),
        Spec("sign_hash", "sha256, sha1 or sha512", check=checks.one_of(*HASHES)),
        Spec("sign_as", "hex or base64", check=checks.one_of("hex", "base64")),
        Spec("sign_over", "what is signed", check=checks.one_of(*SIGNED)),
        Spec("sign_time", "header with the time of signing, in seconds since 1970"),
        Spec("sign_window_s", "how many seconds old a signature may be", check=checks.number(1, 86_400)),
        Spec("methods", "post, get or both", check=checks.one_of(*METHODS)),
        Spec("fields", "where a text's fields stand", check=pairs_of(*TEXT_FIELDS)),
        Spec("receipt_fields", "where a receipt's fields stand", check=pairs_of(*RECEIPT_FIELDS)),
        Spec("receipt_words", "what the words for a state mean", check=receipt_words),
        Spec("answer_status", "status of our answer", check=checks.number(200, 299)),
        Spec("answer_body", "words of our answer"),
        Spec("send_url", "address to which answers are handed over", check=url),
        Spec("send_method", "post, get or put", check=checks.one_of("post", "get", "put")),
        Spec("send_as", "json, form or query", check=checks.one_of(*FORMS)),
        Spec("send_body", "what is sent, with holes such as {text}", check=body),
        Spec("send_headers", "headers, as Name: value | Name: value", secret=True, check=headers),
        Spec("send_ok", "what in an answer of 2xx is a yes", check=rule),
        Spec("send_id", "where the gateway's own id stands in its answer"),
        Spec("send_errors", "what other answers mean", check=errors),
        Spec("username", "login at the gateway"),
        Spec("password", "password at the gateway", secret=True, check=checks.secret),
        Spec("from", "number or name that answers are sent from", check=checks.sms_sender),
    ),
    check=check,
    make_door=HttpDoor,
    make_sender=make_sender,
    paste=pasting.http,
)  # fmt: skip
