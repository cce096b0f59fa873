"""SMS over Twilio's REST API (2010-04-01, Messages), by the twilio library over our own connections.

Twilio takes no idempotency key. So a message whose earlier try may have reached Twilio is looked for among the messages
to that number before it goes again, and receipts carry our id in the address they are sent to.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from outbox.address import Address
from outbox.errors import (
    AuthFailed,
    InvalidAddress,
    Misconfigured,
    OptedOut,
    Refused,
    SendError,
    Throttled,
    TooLong,
    UnknownResult,
    Unsupported,
)
from outbox.senders.base import Envelope, Sent
from outbox.senders.pool import Pool
from outbox.senders.twilio_http import WireHttpClient
from outbox.senders.wire import READ_SECONDS, Wire, check_url

PARALLEL = 4
LONGEST = 1600
LOOK_BACK = 50
# Twilio's clock and ours may differ; the body and the ids we know narrow the search further.
CLOCK_MARGIN = timedelta(minutes=15)
# What a trial account puts in front of every text.
TRIAL = "Sent from your Twilio trial account - "
FAILED = ("failed", "undelivered", "canceled")

# https://www.twilio.com/docs/api/errors
ERRORS: dict[int, type[SendError]] = {
    20003: AuthFailed, 20005: AuthFailed, 20008: AuthFailed, 20404: Misconfigured, 20429: Throttled,
    14107: Throttled, 30001: Throttled, 63038: Throttled,
    21211: InvalidAddress, 21214: InvalidAddress, 21217: InvalidAddress, 21265: InvalidAddress, 21614: InvalidAddress,
    21610: OptedOut,
    21212: Misconfigured, 21601: Misconfigured, 21603: Misconfigured, 21606: Misconfigured, 21609: Misconfigured,
    21611: Throttled, 21659: Misconfigured, 21660: Misconfigured, 21661: Misconfigured, 21701: Misconfigured,
    21703: Misconfigured, 21704: Misconfigured, 21705: Misconfigured,
    21605: TooLong, 21617: TooLong,
}  # fmt: skip


class TwilioSender:
    """Settings: account_sid, subaccount_sid (whose messages they are, when that is another), from (a number, or a
    messaging service MG...), api_base, ca_file, timeout, parallel.

    Secret: auth_token. `status_callback`: where receipts are sent, without a query.
    """

    def __init__(
        self, config: Mapping[str, Any], secrets: Mapping[str, str], *,
        status_callback: str | None = None, **_wiring: Any,
    ) -> None:  # fmt: skip
        self.parallel = int(config.get("parallel") or PARALLEL)
        self._from = str(config.get("from") or "")
        self._callback = status_callback
        seconds = float(config.get("timeout") or READ_SECONDS)
        self._wire = Wire(parallel=self.parallel, ca_file=config.get("ca_file"), read_seconds=seconds)
        self._pool = Pool(self.parallel, "twilio-sender")
        account, token = str(config.get("account_sid") or ""), str(secrets.get("auth_token") or "")
        self._configured = bool(account and token and self._from)
        # The library fills what is empty from the environment, unless it is given one that is not.
        environment = {"TWILIO_ACCOUNT_SID": account}
        holder = str(config.get("subaccount_sid") or account)
        self._client = Client(account, token, holder, http_client=WireHttpClient(self._wire), environment=environment)
        self._api_base = str(config.get("api_base") or self._client.api.base_url)
        self._client.api.base_url = self._api_base

    async def send(self, envelope: Envelope) -> Sent:
        address = Address.parse(envelope.to)
        if address.kind != "tel":
            raise Unsupported
        if len(envelope.text) > LONGEST:
            raise TooLong
        if not self._configured:
            raise Misconfigured(detail={"setting": "account_sid, auth_token, from"})
        check_url(self._api_base)
        return await self._pool.run(lambda: self._send(envelope, address.value))

    def _send(self, envelope: Envelope, to: str) -> Sent:
        try:
            found = self._find(envelope, to) if envelope.unsure_since else None
            return _sent(found or self._create(envelope, to))
        except (TwilioRestException, TwilioServiceException) as error:
            raise _refusal(error.status, error.code) from None
        except (
            TwilioException,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
        ) as error:  # an answer of no known form
            raise UnknownResult(detail={"exception": type(error).__name__}) from None

    def _create(self, envelope: Envelope, to: str) -> MessageInstance:
        service = self._from.startswith("MG")
        return self._client.messages.create(
            to=to,
            body=envelope.text,
            from_=values.unset if service else self._from,
            messaging_service_sid=self._from if service else values.unset,
            status_callback=self._callback_of(envelope),
        )

    def _callback_of(self, envelope: Envelope) -> Any:
        if not self._callback:
            return values.unset
        return f"{self._callback}?{urlencode({'m': str(envelope.id)})}"

    def _find(self, envelope: Envelope, to: str) -> MessageInstance | None:
        """The message of the earlier try, newest first, if Twilio has it; one that failed there may go again.

        Not asked for by DateSent, which a message that still waits at Twilio does not have.
        """
        assert envelope.unsure_since is not None
        since = envelope.unsure_since - CLOCK_MARGIN
        for message in self._client.messages.list(to=to, limit=LOOK_BACK, page_size=LOOK_BACK):
            if message.date_created is not None and message.date_created < since:
                return None
            same = message.body in (envelope.text, TRIAL + envelope.text) and "outbound" in str(message.direction)
            if same and message.sid not in envelope.known_ids and message.status not in FAILED:
                return message
        return None

    async def close(self) -> None:
        self._pool.close()
        self._wire.close()


def _sent(message: MessageInstance) -> Sent:
    if message.status in FAILED:
        raise _refusal(400, message.error_code)
    if not message.sid:
        raise UnknownResult(detail={"body": "without sid"})
    segments = str(message.num_segments or "")
    told = int(segments) if segments.isdigit() and segments != "0" else None
    return Sent(message.sid, told, "delivered" if message.status == "delivered" else "sent")


def _refusal(status: int, code: int | None) -> SendError:
    detail = {"status": status, "provider_code": code}
    by_status = {401: AuthFailed, 403: AuthFailed, 429: Throttled}
    kind = ERRORS.get(code or 0) or by_status.get(status, Refused)
    return kind(detail=detail)
