"""Bodies of webhooks: forms and JSON read so that nothing a caller sends raises anything but ChannelError."""

import json
import math
from typing import Any, Never
from urllib.parse import unquote_to_bytes

from gateway.channels.base import ChannelError

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
FIELD_LIMIT = 200


class FormFields:
    """Fields of a form in the order they came; a name may repeat."""

    __slots__ = ("_values",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __iter__(self) -> Any:
        return iter(self._values)

    def get(self, name: str) -> str | None:
        """The first value of `name`."""
        values = self._values.get(name)
        return values[0] if values else None

    def getall(self, name: str) -> list[str]:
        """Every value of `name`; the name is that of multidicts the twilio library knows."""
        return self._values.get(name, [])

    def first_values(self) -> dict[str, str]:
        """Name and only value of each field; raises ChannelError when a name repeats."""
        if any(len(values) > 1 for values in self._values.values()):
            raise malformed("a field stands twice")
        return {name: values[0] for name, values in self._values.items()}


def malformed(message: str) -> ChannelError:
    return ChannelError(400, "malformed", f"The body cannot be read: {message}.")


def read_form(body: bytes) -> FormFields:
    """Fields of an `application/x-www-form-urlencoded` body (WHATWG URL Standard, section 5)."""
    return FormFields([(decode_text(name), decode_text(value)) for name, value in _split(body)])


def read_bytes(body: bytes) -> dict[str, bytes]:
    """The same with values as they came, for senders that say in another field how a text is written."""
    pairs = [(decode_text(name), value) for name, value in _split(body)]
    found = dict(pairs)
    if len(found) != len(pairs):
        raise malformed("a field stands twice")
    return found


def _split(body: bytes) -> list[tuple[bytes, bytes]]:
    pieces = body.split(b"&", FIELD_LIMIT)
    if len(pieces) > FIELD_LIMIT:
        raise malformed(f"more than {FIELD_LIMIT} fields")
    pairs = (piece.partition(b"=") for piece in pieces if piece)
    return [(_unquoted(name), _unquoted(value)) for name, _, value in pairs]


def _unquoted(field: bytes) -> bytes:
    return field if not field or field.isalnum() else unquote_to_bytes(field.replace(b"+", b" "))


def decode_text(data: bytes) -> str:
    """UTF-8, else the Windows code page that phones and gateways of the region use in its place."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_json(body: bytes) -> dict[str, Any]:
    """The object in `body`; numbers beyond what a float holds, doubled keys and deep nesting are refused."""
    try:
        found = _DECODER.decode(decode_text(body.removeprefix(b"\xef\xbb\xbf")))
    except RecursionError as error:
        raise malformed("it is nested too deeply") from error
    except ValueError as error:
        raise malformed("it is not valid JSON") from error
    if not isinstance(found, dict):
        raise malformed("a JSON object is needed")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise malformed("a key stands twice")
    if "__proto__" in found:
        raise malformed("a key has a reserved name")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise malformed("a number is out of range")
    return number


def _not_a_number(name: str) -> Never:
    raise malformed(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_not_a_number)


def whole_characters(text: str) -> tuple[str, str | None]:
    """Text without lone surrogates, and the text as it came when that is something else."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), text
    return text, None
