"""Any gateway over HTTP: the request is a template, the answer is read by rules.

Without settings of its own it makes POST send_url {"id", "to", "from", "text"}; our id lets the gateway drop repeats.
Any 2xx is a yes, which may carry the provider's own {"id"}; 429, 5xx and time-outs are tried again; 401 and 403 stop
the channel; other 4xx are final. Unless the template names a header of its own, the request carries
`Authorization: Bearer TOKEN`, or, with a signing key, `X-Timestamp` and `X-Signature`: hex HMAC-SHA256 over the body
followed by the timestamp.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from outbox.address import Address
from outbox.errors import Misconfigured, Unsupported
from outbox.senders.answers import AnswerReader
from outbox.senders.base import Envelope, Sent
from outbox.senders.pool import Pool
from outbox.senders.template import Request, Template, TemplateError, holes_of, template_of
from outbox.senders.wire import READ_SECONDS, Wire, check_url

PARALLEL = 8


class HttpSender:
    """Settings: send_url, send_method, send_as, send_headers, send_body, send_ok, send_id, send_errors, from, username,
    ca_file, timeout (seconds), parallel. Secrets: token, password, send_headers, signing_key.

    `receipt_url` is where the gateway may tell what became of a message. A template that cannot stand is Misconfigured.
    """

    def __init__(
        self, config: Mapping[str, Any], secrets: Mapping[str, str], *, receipt_url: str = "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC), **_wiring: Any,
    ) -> None:  # fmt: skip
        self.parallel = int(config.get("parallel") or PARALLEL)
        self._config = {**config, **secrets}
        self._url = str(config.get("send_url") or "")
        self._values = {
            name: str(self._config.get(name) or "") for name in ("from", "token", "username", "password")
        } | {"receipt_url": receipt_url}  # fmt: skip
        self._signing_key = secrets.get("signing_key")
        self._clock = clock
        seconds = float(config.get("timeout") or READ_SECONDS)
        self._wire = Wire(
            parallel=self.parallel, ca_file=config.get("ca_file"), read_seconds=seconds,
            takes_pages=str(config.get("send_ok") or "").startswith("~"),
        )  # fmt: skip
        self._pool = Pool(self.parallel, "http-sender")

    @cached_property
    def _template(self) -> Template:
        return template_of({name: str(value) for name, value in self._config.items() if value is not None})

    @cached_property
    def _reader(self) -> "AnswerReader":
        return AnswerReader(*(str(self._config.get(name) or "") for name in ("send_ok", "send_id", "send_errors")))

    async def send(self, envelope: Envelope) -> Sent:
        address = Address.parse(envelope.to)
        if address.kind != "tel":
            raise Unsupported
        check_url(self._url)
        try:
            request = self._template.filled(holes_of(address, envelope.text, id=str(envelope.id), **self._values))
            reader = self._reader
        except TemplateError:
            raise Misconfigured(detail={"setting": "send_url, send_headers, send_body"}) from None
        headers = self._headers(request)
        answer = await self._pool.run(
            lambda: self._wire.request(request.method, request.url, content=request.body, headers=headers)
        )
        return reader.read(answer)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Accept": "application/json", **request.headers}
        if self._config.get("send_headers") or self._config.get("send_body"):
            return headers
        if token := self._values["token"]:
            headers["Authorization"] = f"Bearer {token}"
        if self._signing_key:
            timestamp = str(int(self._clock().timestamp()))
            signature = hmac.new(self._signing_key.encode(), (request.body or b"") + timestamp.encode(), hashlib.sha256)
            headers |= {"X-Timestamp": timestamp, "X-Signature": signature.hexdigest()}
        return headers

    async def close(self) -> None:
        self._pool.close()
        self._wire.close()
