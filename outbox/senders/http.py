"""Any gateway that takes JSON: POST send_url {"id", "to", "from", "text"}; our id lets the gateway drop repeats.

2xx is a yes, which may carry the provider's own {"id"}; 429, 5xx and time-outs are tried again; 401 and 403 stop the
channel; other 4xx are final. The request carries `Authorization: Bearer TOKEN`, or, with a signing key, `X-Timestamp`
and `X-Signature`: hex HMAC-SHA256 over the body followed by the timestamp.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from outbox.address import Address
from outbox.errors import (
    AuthFailed,
    Deferred,
    Refused,
    SendError,
    Throttled,
    TooLong,
    Unavailable,
    UnknownResult,
    Unsupported,
)
from outbox.senders.base import Envelope, Sent
from outbox.senders.pool import Pool
from outbox.senders.wire import READ_SECONDS, Answer, Wire, check_url

PARALLEL = 8


class HttpSender:
    """Settings: send_url, from, ca_file, timeout (seconds), parallel. Secrets: token or signing_key."""

    def __init__(
        self, config: Mapping[str, Any], secrets: Mapping[str, str], *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC), **_wiring: Any,
    ) -> None:  # fmt: skip
        self.parallel = int(config.get("parallel") or PARALLEL)
        self._url = str(config.get("send_url") or "")
        self._from = str(config.get("from") or "")
        self._token = secrets.get("token")
        self._signing_key = secrets.get("signing_key")
        self._clock = clock
        seconds = float(config.get("timeout") or READ_SECONDS)
        self._wire = Wire(parallel=self.parallel, ca_file=config.get("ca_file"), read_seconds=seconds)
        self._pool = Pool(self.parallel, "http-sender")

    async def send(self, envelope: Envelope) -> Sent:
        address = Address.parse(envelope.to)
        if address.kind != "tel":
            raise Unsupported
        check_url(self._url)
        body = self._body(envelope, address.value)
        answer = await self._pool.run(
            lambda: self._wire.request("POST", self._url, content=body, headers=self._headers(body))
        )
        return read_answer(answer)

    def _body(self, envelope: Envelope, to: str) -> bytes:
        message = {"id": str(envelope.id), "to": to, "from": self._from, "text": envelope.text}
        return json.dumps(message).encode()

    def _headers(self, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if self._signing_key:
            timestamp = str(int(self._clock().timestamp()))
            signature = hmac.new(self._signing_key.encode(), body + timestamp.encode(), hashlib.sha256)
            headers |= {"X-Timestamp": timestamp, "X-Signature": signature.hexdigest()}
        return headers

    async def close(self) -> None:
        self._pool.close()
        self._wire.close()


def read_answer(answer: Answer) -> Sent:
    """What the gateway's answer says about the message. Raises a SendError unless it is a yes."""
    if answer.status < 300:
        return _read_yes(answer)
    raise _refusal(answer)


def _read_yes(answer: Answer) -> Sent:
    if "json" not in answer.headers.get("content-type", "").lower() or not answer.text.strip():
        return Sent()
    try:
        document = json.loads(answer.text)
    except ValueError:
        raise UnknownResult(detail={"status": answer.status, "body": "broken"}) from None
    if not isinstance(document, dict):
        return Sent()
    provider_id = document.get("id")
    if provider_id is None and document.get("error"):
        raise Unavailable(detail={"status": answer.status, "body": "error"})
    return Sent(str(provider_id) if isinstance(provider_id, (str, int)) and str(provider_id) else None)


def _refusal(answer: Answer) -> SendError:
    detail = {"status": answer.status}
    if answer.status == 429:
        return Throttled(retry_after=answer.retry_after, detail=detail)
    if answer.status >= 500:
        return Unavailable(retry_after=answer.retry_after, detail=detail)
    by_status: dict[int, type[SendError]] = {
        401: AuthFailed, 403: AuthFailed, 408: Deferred, 413: TooLong, 425: Deferred,
    }  # fmt: skip
    return by_status.get(answer.status, Refused)(retry_after=answer.retry_after, detail=detail)
