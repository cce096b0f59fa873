"""Ways in which a caller shows that it knows the secret of a channel. All compare in constant time."""

import base64
import hashlib
import hmac
from binascii import Error as BadBase64
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from gateway.channels.base import ChannelConfig, ChannelError, HttpCall
from gateway.channels.forms import FORM, JSON, read_bytes, read_json

WINDOW_S = 300
HASHES = ("sha256", "sha1", "sha512")
SIGNED: Mapping[str, Callable[[bytes, bytes], bytes]] = {
    "body": lambda body, _time: body,
    "body_time": lambda body, time: body + time,
    "time_body": lambda body, time: time + body,
    "time_dot_body": lambda body, time: time + b"." + body,
}


def unauthorized() -> ChannelError:
    return ChannelError(401, "unauthorized", "The token or signature is missing or wrong.")


def same(given: bytes, secret: bytes) -> bool:
    """False for an empty secret, whatever was given."""
    return bool(secret) and hmac.compare_digest(given, secret)


def bearer(call: HttpCall) -> bytes:
    scheme, _, given = call.headers.get(b"authorization", b"").partition(b" ")
    return given.strip() if scheme.lower() == b"bearer" else b""


def basic(call: HttpCall) -> tuple[bytes, bytes]:
    """Name and password of RFC 7617; empty when there are none."""
    scheme, _, given = call.headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"basic":
        return b"", b""
    try:
        name, _, password = base64.b64decode(given.strip(), validate=True).partition(b":")
    except (BadBase64, ValueError):
        return b"", b""
    return name, password


class Caller:
    """Checks calls of one channel by its settings `auth`, `auth_name`, `username` and those of signatures."""

    def __init__(self, config: Mapping[str, str], channel: ChannelConfig) -> None:
        self._config = config
        self._secret = channel.get("token").encode()
        self._name = config.get("auth_name", "").lower()
        self._check = {
            "bearer": self._by_bearer, "basic": self._by_basic, "header": self._by_header, "query": self._by_query,
            "field": self._by_field, "hmac": self._by_signature,
        }[config.get("auth") or "bearer"]  # fmt: skip

    def check(self, call: HttpCall) -> None:
        """Raises ChannelError: 503 for a channel without secret, else 401."""
        if not self._secret:
            raise ChannelError(503, "not_configured", "This channel has no token.", retry_after=60)
        if not self._check(call):
            raise unauthorized()

    def _by_bearer(self, call: HttpCall) -> bool:
        """`Authorization: Bearer TOKEN`, else `X-Signature`: hex HMAC-SHA256 of the raw body."""
        if call.headers.get(b"authorization", b"").partition(b" ")[0].lower() == b"bearer":
            return same(bearer(call), self._secret)
        given = call.headers.get(b"x-signature", b"").strip().lower()
        wanted = hmac.new(self._secret, call.body, hashlib.sha256).hexdigest().encode() if given else b""
        return same(given, wanted)

    def _by_basic(self, call: HttpCall) -> bool:
        name, password = basic(call)
        return same(password, self._secret) & same(name, self._config.get("username", "").encode())

    def _by_header(self, call: HttpCall) -> bool:
        return same(call.headers.get(self._name.encode(), b"").strip(), self._secret)

    def _by_query(self, call: HttpCall) -> bool:
        given = [value for name, value in parse_qsl(call.query.decode("latin-1")) if name.lower() == self._name]
        return len(given) == 1 and same(given[0].encode(), self._secret)

    def _by_field(self, call: HttpCall) -> bool:
        if call.media == JSON:
            found = read_json(call.body).get(self._config.get("auth_name", ""))
            return isinstance(found, str) and same(found.encode("utf-8", "replace"), self._secret)
        body = call.body if call.media == FORM else call.query
        return same(read_bytes(body).get(self._config.get("auth_name", ""), b""), self._secret)

    def _by_signature(self, call: HttpCall) -> bool:
        given = call.headers.get(self._name.encode(), b"").strip()
        _, prefix, bare = given.rpartition(b"=") if self._config.get("sign_as") != "base64" else (b"", b"", given)
        stamp = call.headers.get(self._config.get("sign_time", "").lower().encode(), b"").strip()
        if self._config.get("sign_time") and not is_fresh(stamp, call.at, self._window):
            return False
        signed = SIGNED[self._config.get("sign_over") or "body"](call.body, stamp)
        made = hmac.new(self._secret, signed, self._config.get("sign_hash") or "sha256")
        if self._config.get("sign_as") == "base64":
            return same(given, base64.b64encode(made.digest()))
        return same((bare if prefix else given).lower(), made.hexdigest().encode())

    @property
    def _window(self) -> float:
        return float(self._config.get("sign_window_s") or WINDOW_S)


def is_fresh(stamp: bytes, now: datetime | None, window_s: float) -> bool:
    """Whether `stamp`, seconds since 1970, lies within `window_s` of `now`, before or after."""
    if not stamp.isdigit() or len(stamp) > 12 or now is None:
        return False
    return abs(int(stamp) - now.timestamp()) <= window_s
