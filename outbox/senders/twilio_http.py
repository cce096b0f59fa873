"""The twilio library speaks over our own connections, with our bounds and our errors."""

import logging
from datetime import timedelta
from typing import Any

from twilio.http import HttpClient
from twilio.http.response import Response

from outbox.errors import CaptivePortal, Throttled, Unavailable, UnknownResult
from outbox.senders.wire import Answer, Wire

# 500, 502 and 504 may come from a machine in front of one that has taken the message.
UNSURE = (500, 502, 504)


class WireHttpClient(HttpClient):  # type: ignore[misc]
    """Raises a SendError where the library would know only a number: transport, throttling, trouble, foreign pages."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(logging.getLogger("vocero.twilio"), is_async=False)
        self._wire = wire

    def request(
        self, method: str, uri: str, params: dict[str, object] | None = None, data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None, auth: tuple[str, str] | None = None, **_wishes: object,
    ) -> Response:  # fmt: skip
        """Redirects are never followed and the time-out is the wire's own, whatever the library asks."""
        arguments: dict[str, Any] = {"params": params or None, "data": data, "headers": headers, "auth": auth}
        answer = self._wire.request(method, uri, **arguments)
        _check(answer)
        return Response(answer.status, answer.text, answer.headers)


def _check(answer: Answer) -> None:
    wish: timedelta | None = answer.retry_after
    detail = {"status": answer.status}
    if answer.status == 429:
        raise Throttled(retry_after=wish, detail=detail)
    if answer.status in UNSURE:
        raise UnknownResult(retry_after=wish, detail=detail)
    if answer.status >= 500:
        raise Unavailable(retry_after=wish, detail=detail)
    if answer.is_page:
        raise CaptivePortal(detail=detail)
