"""SMS by Twilio: signed form posts in, its REST interface out."""

import hmac
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from gateway.channels import checks, pasting
from gateway.channels.base import (
    ChannelConfig,
    ChannelError,
    HttpAnswer,
    HttpCall,
    Kind,
    Spec,
    Status,
    StatusReport,
    Surroundings,
)  # fmt: skip
from gateway.channels.forms import FORM, FormFields, malformed, read_form, whole_characters
from gateway.incoming import Incoming, Receipt
from outbox.address import parse_sender
from outbox.receipts import OPTED_OUT

if TYPE_CHECKING:
    from twilio.request_validator import RequestValidator

    from outbox.senders.base import Sender

TWIML = HttpAnswer(200, b"text/xml", b'<?xml version="1.0" encoding="UTF-8"?><Response/>')

PARALLEL = 4

# Message statuses of the API that settle something; the others are steps on the way.
STATUSES: dict[str, Status] = {
    "sent": "sent", "delivered": "delivered", "read": "delivered", "failed": "failed", "undelivered": "failed",
    "canceled": "failed",
}  # fmt: skip


# https://www.twilio.com/docs/api/errors/21610
STOPPED = "21610"


def account_of(config: ChannelConfig) -> str:
    """The account whose texts these are: the sub-account when there is one."""
    return config.get("subaccount_sid") or config.get("account_sid")


def own_numbers(config: ChannelConfig) -> list[str]:
    """Our numbers in E.164 or as short codes; none when only a messaging service is named."""
    found = [number for number in config.get("numbers").split(",") if number]
    sender = config.get("from")
    return [*found, *([sender] if sender and not sender.startswith("MG") and sender not in found else [])]


class TwilioDoor:
    """Hears one account. https://www.twilio.com/docs/usage/webhooks/webhooks-security"""

    media: tuple[str, ...] = (FORM,)
    methods: tuple[str, ...] = ("POST",)

    def __init__(self, config: ChannelConfig) -> None:
        self._name = config.name
        self._account = account_of(config)
        self._token = config.get("signing_key") or config.get("auth_token")
        self._numbers = frozenset(own_numbers(config))
        self._service = config.get("from") if config.get("from").startswith("MG") else None

    @cached_property
    def _validator(self) -> "RequestValidator":
        from twilio.request_validator import RequestValidator

        return RequestValidator(self._token)

    def hear(self, call: HttpCall, now: datetime) -> Incoming:
        fields = self._checked(call)
        delivery = fields.get("MessageSid") or fields.get("SmsSid")
        if not delivery:
            raise malformed("MessageSid is missing")
        self._check_number(fields)
        text, raw = whole_characters(fields.get("Body") or "")
        sender = parse_sender(fields.get("From") or "")
        return Incoming(
            channel=self._name, sender=str(sender.address or f"raw:{sender.value}"), text=text, heard_at=now,
            external_id=delivery, to=fields.get("To"), raw=raw,
        )  # fmt: skip

    def _check_number(self, fields: FormFields) -> None:
        """A text for another number of the account, or of another service, is not for us."""
        if self._service and fields.get("MessagingServiceSid") == self._service:
            return
        to = parse_sender(fields.get("To") or "").value
        if (self._numbers or self._service) and to not in self._numbers:
            raise ChannelError(403, "other_number", "The text was sent to a number that is not ours.", audited=True)

    def answer(self, _receipt: Receipt) -> HttpAnswer:
        return TWIML

    def receipt(self, call: HttpCall) -> StatusReport | None:
        fields = self._checked(call)
        status = STATUSES.get((fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower())
        if status is None:
            return None
        code = fields.get("ErrorCode")
        error = OPTED_OUT if code == STOPPED else code
        provider_id = fields.get("MessageSid") or fields.get("SmsSid")
        return StatusReport(status, _our_id(call.query), provider_id, error if status == "failed" else None)

    def noted(self) -> HttpAnswer:
        return TWIML

    def _checked(self, call: HttpCall) -> FormFields:
        """The fields of a call that is signed with our token and made for our account."""
        if not self._token:
            raise ChannelError(503, "not_configured", "This channel has no auth token.", retry_after=60)
        fields = read_form(call.body)
        if not self._is_signed(call, fields):
            raise ChannelError(403, "bad_signature", "The signature does not fit; check the public address and token.")
        if fields.get("AccountSid") != self._account:
            raise ChannelError(403, "other_account", "The call is for another account.")
        return fields

    def _is_signed(self, call: HttpCall, fields: FormFields) -> bool:
        given = call.headers.get(b"x-twilio-signature", b"")
        if not given:
            return False
        settings = call.header(b"x-twilio-webhooks-signature-settings")
        try:
            wanted = (self._signature(url, fields, settings) for url in _spellings(call.url))
            return any(hmac.compare_digest(one, given) for one in wanted)
        except ValueError:
            return False

    def _signature(self, url: str, fields: FormFields, settings: str) -> bytes:
        algorithm = None
        if settings:
            from twilio.request_validator import get_signature_algorithm

            algorithm = get_signature_algorithm(settings)
        return str(self._validator.compute_signature(url, fields, algorithm)).encode()


def _spellings(url: str) -> tuple[str, ...]:
    """The address as configured; with its scheme's own port and without, since Twilio signs either."""
    parts = urlsplit(url)
    own = {"https": 443, "http": 80}.get(parts.scheme)
    if parts.port is None:
        return url, parts._replace(netloc=f"{parts.netloc}:{own}").geturl()
    bare = parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    return url, bare


def _our_id(query: bytes) -> UUID | None:
    try:
        return UUID(parse_qs(query.decode("latin-1")).get("m", [""])[0])
    except ValueError:
        return None


def make_sender(config: ChannelConfig, around: Surroundings) -> "Sender | None":
    if not config.get("from"):
        return None
    from gateway.channels.late import LateSender

    return LateSender(lambda: _sender(config, f"{around.base_url}/in/{config.name}/status"), parallel=PARALLEL)


def _sender(config: ChannelConfig, status_callback: str) -> "Sender":
    from outbox.senders.twilio import TwilioSender

    return TwilioSender({**config.config, "parallel": PARALLEL}, config.secrets, status_callback=status_callback)


async def catch_up(config: ChannelConfig, around: Surroundings, since: datetime) -> None:
    """Texts that came while nobody could bring them, from the provider's own list."""
    from gateway.channels.twilio_log import fetch_missed

    await fetch_missed(config, around, since)


KIND = Kind(
    "twilio", "Twilio",
    settings=(
        Spec("account_sid", "the account, AC and 32 letters and digits", required=True, check=checks.account_sid),
        Spec("auth_token", "the secret of the account", required=True, secret=True, check=checks.secret),
        Spec("from", "your number, with + and country code, or a messaging service", check=checks.twilio_sender),
        Spec("numbers", "your other numbers that people write to, with commas between", check=checks.sms_numbers),
        Spec("subaccount_sid", "the sub-account that holds the number, if there is one", check=checks.account_sid),
        Spec(
            "signing_key", "what calls are signed with, if not auth_token: a sub-account's own token, or a shared key",
            secret=True, check=checks.secret,
        ),
        Spec("api_base", "another address of the interface, for tests and proxies", check=checks.http_url),
    ),
    make_door=TwilioDoor,
    make_sender=make_sender,
    catch_up=catch_up,
    paste=pasting.twilio,
)  # fmt: skip
