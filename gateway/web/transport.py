"""Cookies and the wire: where a login may travel, forms with a size cap, and tokens that prove a form is ours."""

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import Refused, UsageError
from gateway.settings import Settings

FORM_CAP = 512 * 1024
FIELDS_AT_MOST = 2000
TOKEN_BYTES = 16


class Form(Mapping[str, str]):
    """Fields of an urlencoded form; `form[name]` is the first value, `form.all(name)` every one."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        return self._fields[name][0]

    def __iter__(self) -> Any:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def all(self, name: str) -> list[str]:
        return self._fields.get(name, [])

    def word(self, name: str, most: int = 200) -> str:
        """A trimmed value of at most `most` characters, empty when the field is absent."""
        return self.get(name, "").strip()[:most]


async def read_form(request: Request) -> Form:
    """Read an urlencoded body of at most 512 kB. Raises UsageError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise UsageError("This page takes forms only.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_CAP:
            raise UsageError("This form is too large.")
    return parse_form(body.decode("utf-8", "replace"))


def parse_form(text: str) -> Form:
    """Raises UsageError on more than 2,000 fields. NUL, which Postgres does not take, is dropped."""
    try:
        return Form(parse_qs(text.replace("%00", ""), keep_blank_values=True, max_num_fields=FIELDS_AT_MOST))
    except ValueError as error:
        raise UsageError("This form has too many fields.") from error


class Cookies:
    """Names and flags of our cookies: `__Host-` and Secure under https, plain names under plain http."""

    def __init__(self, settings: Settings) -> None:
        self.secure = settings.base_url.startswith("https://")
        self.allow_private = settings.allow_http
        self.public_host = urlsplit(settings.base_url).hostname or ""
        prefix = "__Host-" if self.secure else ""
        self.session, self.form, self.language = f"{prefix}vocero", f"{prefix}vocero-form", f"{prefix}vocero-lang"

    def set(self, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
        response.set_cookie(name, value, max_age=max_age, path="/", secure=self.secure, httponly=True, samesite="lax")

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def check_wire(self, request: Request) -> None:
        """Raise Refused where a password would travel in clear beyond this machine (or the office, when allowed)."""
        if self.secure:
            return
        client = request.client.host if request.client else ""
        host = request.url.hostname or ""
        if not self._is_near(client) or not (host == self.public_host or self._is_near(host)):
            raise Refused("plain http")

    def _is_near(self, host: str) -> bool:
        if host == "localhost":
            return True
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return address.is_loopback or (self.allow_private and address.is_private)


def masked(secret: str) -> str:
    """The hex secret under a fresh mask, so that compressed pages do not give it away letter by letter (BREACH)."""
    mask = secrets.token_bytes(TOKEN_BYTES)
    hidden = bytes(left ^ right for left, right in zip(mask, bytes.fromhex(secret), strict=True))
    return (mask + hidden).hex()


def is_token(token: str, secret: str) -> bool:
    try:
        both = bytes.fromhex(token)
    except ValueError:
        return False
    plain = bytes(left ^ right for left, right in zip(both[:TOKEN_BYTES], both[TOKEN_BYTES:], strict=False))
    return hmac.compare_digest(plain, bytes.fromhex(secret))
