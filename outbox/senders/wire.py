"""The one place that speaks HTTP, over httpx: bounded in time and size, following no redirect, trusting no web page."""

import ipaddress
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from outbox.errors import CaptivePortal, Insecure, Misconfigured, Offline, SendError, UnknownResult

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0
BODY_BYTES = 256 * 1024
LOCAL_NAMES = ("localhost",)
LOCAL_ENDINGS = (".localhost", ".local", ".lan", ".internal", ".home.arpa")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: status, headers (names in lower case) and at most BODY_BYTES of text."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def is_page(self) -> bool:
        """True for HTML, which no provider's interface answers with."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind in ("text/html", "application/xhtml+xml") or (not kind and self.text.lstrip()[:1] == "<")

    @property
    def retry_after(self) -> timedelta | None:
        """RFC 9110 10.2.3: seconds, or a date that is read against the server's own Date."""
        wish = self.headers.get("retry-after", "").strip()
        if wish.isascii() and wish.isdigit():
            return timedelta(seconds=min(int(wish[:9]), 10**8))
        until, told = _http_date(wish), _http_date(self.headers.get("date", ""))
        return max(until - told, timedelta(0)) if until and told else None


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def is_local(host: str) -> bool:
    """True for loopback and private addresses and names that only a local network knows."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host in LOCAL_NAMES or host.endswith(LOCAL_ENDINGS) or "." not in host
    return address.is_loopback or address.is_private


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOCAL_NAMES


def check_url(url: str) -> None:
    """Raises Misconfigured unless `url` is https, or http within the local network: no key travels bare."""
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme != "http" or not parts.hostname or not is_local(parts.hostname):
        raise Misconfigured(detail={"setting": "url"})


class Wire:
    """A pool of connections to one provider, for use from a few threads. `ca_file` adds an authority of one's own.

    `takes_pages`: the provider calls its words HTML, so that the caller has to tell them from a page of the network.
    """

    def __init__(
        self, *, parallel: int, ca_file: str | None = None, read_seconds: float = READ_SECONDS,
        takes_pages: bool = False,
    ) -> None:  # fmt: skip
        self._takes_pages = takes_pages
        context = ssl.create_default_context()
        if ca_file:
            context.load_verify_locations(ca_file)
        self._read_seconds = read_seconds
        self._client = httpx.Client(
            verify=context,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=parallel, max_keepalive_connections=parallel, keepalive_expiry=4),
            timeout=httpx.Timeout(read_seconds, connect=min(CONNECT_SECONDS, read_seconds)),
        )

    def request(self, method: str, url: str, **arguments: Any) -> Answer:
        """Ask, and read the answer whole. `arguments` are httpx's: params, data, content, headers, auth.

        Raises Offline, Insecure or CaptivePortal when the provider was not reached, UnknownResult when it was and no
        whole answer came, Misconfigured when the URL cannot be used.
        """
        try:
            answer = self._ask(method, url, arguments)
        except httpx.HTTPError as error:
            raise _meaning(error) from None
        except httpx.InvalidURL:
            raise Misconfigured(detail={"setting": "url"}) from None
        if 300 <= answer.status < 400 or answer.status == 511 or (answer.status < 300 and self._is_foreign(answer)):
            raise CaptivePortal(detail={"status": answer.status})
        return answer

    def _is_foreign(self, answer: Answer) -> bool:
        return answer.text.lstrip()[:1] == "<" if self._takes_pages else answer.is_page

    def _ask(self, method: str, url: str, arguments: dict[str, Any]) -> Answer:
        deadline = time.monotonic() + CONNECT_SECONDS + self._read_seconds
        body = bytearray()
        with self._client.stream(method, url, **arguments) as response:
            for chunk in response.iter_bytes():
                body += chunk
                # A server may send a byte a second for ever, which no read time-out ends.
                if len(body) > BODY_BYTES or time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer does not end")
            text = body.decode(response.charset_encoding or "utf-8", "replace")
            return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, text)

    def close(self) -> None:
        self._client.close()


def _meaning(error: httpx.HTTPError) -> SendError:
    name = {"exception": type(error).__name__}
    if isinstance(error, httpx.UnsupportedProtocol):
        return Misconfigured(detail={"setting": "url"})
    if isinstance(error, httpx.ConnectError) and _is_tls(error):
        return Insecure(detail=name)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)):
        return Offline(detail=name)
    return UnknownResult(detail=name)


def _is_tls(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
