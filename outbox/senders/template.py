"""Requests that an admin wrote as templates, and rules for reading the answers. Pure.

A template has holes such as `{text}` from one literal list. Holes are filled after the template has been parsed (as
JSON, as a form, as an address), in one pass, so that no text of a person can add a field, a header or a hole. Nothing
is ever evaluated or formatted.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from outbox.address import Address
from outbox.segments import is_gsm7

HOLES = (
    "to", "digits", "national", "text", "id", "from", "token", "username", "password", "receipt_url", "coding",
)  # fmt: skip
FORMS = ("json", "form", "query")

_HOLE = re.compile(r"\{(\w+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
COUNTRY = "+502"
BODY = json.dumps({"id": "{id}", "to": "{to}", "from": "{from}", "text": "{text}"})

Values = Mapping[str, str]


class TemplateError(ValueError):
    """A template that cannot stand; the text says why."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is put on the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


def holes_of(address: Address, text: str, **more: str) -> dict[str, str]:
    """Values of the holes: `to` +50255550101, `digits` 50255550101, `national` 55550101, `coding` 0 or 2 (UCS-2)."""
    number = address.value
    return {
        "to": number, "digits": number.removeprefix("+"), "national": number.removeprefix(COUNTRY).removeprefix("+"),
        "text": text, "coding": "0" if is_gsm7(text) else "2", **more,
    }  # fmt: skip


def fill(template: str, values: Values) -> str:
    """`template` with its holes filled; a hole without a value becomes nothing."""
    return _HOLE.sub(lambda match: values.get(match[1], "") if match[1] in HOLES else match[0], template)


def check_holes(template: str) -> str:
    """Raises TemplateError when a hole has a name nobody knows."""
    for name in _HOLE.findall(template):
        if name not in HOLES:
            known = ", ".join(f"{{{hole}}}" for hole in HOLES)
            raise TemplateError(f"{{{name}}} is unknown; there are {known}")
    return template


def check_url(template: str) -> str:
    """No hole may stand where the server is named: nobody but the admin decides who is called."""
    parts = urlsplit(check_holes(template))
    if "{" in parts.scheme or "{" in parts.netloc:
        raise TemplateError("the server must be named without holes")
    return template


def read_headers(template: str) -> list[tuple[str, str]]:
    """`Name: value | Name: value`; raises TemplateError."""
    found = []
    for piece in filter(str.strip, check_holes(template).split("|")):
        name, colon, value = piece.partition(":")
        if not colon or not _HEADER_NAME.fullmatch(name.strip()):
            raise TemplateError("headers are written Name: value | Name: value")
        found.append((name.strip(), value.strip()))
    return found


def read_body(template: str, form: str) -> Any:
    """The parsed template: any JSON for `json`, else pairs. Raises TemplateError."""
    check_holes(template)
    if form != "json":
        return parse_qsl(template, keep_blank_values=True)
    try:
        return json.loads(template)
    except ValueError as error:
        raise TemplateError("the body is not JSON") from error


class Template:
    """A request with holes: `form` says whether `body` is JSON, a form, or belongs into the address."""

    def __init__(self, *, method: str, url: str, headers: str, body: str, form: str) -> None:
        self._method = method
        self._url = urlsplit(check_url(url))
        self._query = parse_qsl(self._url.query, keep_blank_values=True)
        self._headers = read_headers(headers)
        self._form = form
        self._body = read_body(body, form) if body else None

    def filled(self, values: Values) -> Request:
        query = _pairs(self._query, values)
        body: bytes | None = None
        headers = {name: _CONTROL.sub(" ", fill(value, values)) for name, value in self._headers}
        if self._body is not None and self._form == "query":
            query += _pairs(self._body, values)
        elif self._body is not None and self._form == "form":
            body = urlencode(_pairs(self._body, values)).encode()
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif self._body is not None:
            body = json.dumps(_deep(self._body, values)).encode()
            headers.setdefault("Content-Type", "application/json")
        path = _HOLE.sub(lambda match: quote(values.get(match[1], ""), safe=""), self._url.path)
        url = urlunsplit((self._url.scheme, self._url.netloc, path, urlencode(query, quote_via=quote), ""))
        return Request(self._method, url, headers, body)


def template_of(settings: Values) -> Template:
    """The template of `send_method`, `send_url`, `send_headers`, `send_body` and `send_as`; raises TemplateError."""
    form = settings.get("send_as") or "json"
    return Template(
        method=(settings.get("send_method") or "post").upper(), url=settings.get("send_url", ""),
        headers=settings.get("send_headers", ""), form=form,
        body=settings.get("send_body") or (BODY if form == "json" else ""),
    )  # fmt: skip


def _pairs(pairs: list[tuple[str, str]], values: Values) -> list[tuple[str, str]]:
    return [(name, fill(value, values)) for name, value in pairs]


def _deep(part: Any, values: Values) -> Any:
    if isinstance(part, str):
        return fill(part, values)
    if isinstance(part, list):
        return [_deep(one, values) for one in part]
    if isinstance(part, dict):
        return {name: _deep(one, values) for name, one in part.items()}
    return part


def at_path(document: Any, path: str) -> Any:
    """The value at `a.0.b` of a JSON document; None where there is none."""
    for step in path.split("."):
        if isinstance(document, list) and step.isascii() and step.isdigit():
            document = document[int(step)] if int(step[:6]) < len(document) else None
        elif isinstance(document, dict):
            document = document.get(step)
        else:
            return None
    return document


@dataclass(frozen=True, slots=True)
class Rule:
    """`path=value` on a JSON answer, or `~words` for a text that begins so. The empty rule takes any answer."""

    path: str = ""
    values: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()

    def fits(self, text: str, document: Callable[[], Any]) -> bool:
        if self.begins:
            return text.lstrip().startswith(self.begins)
        return not self.path or _word(at_path(document(), self.path)) in self.values


def _word(value: Any) -> str:
    """`true` for true: as it stands in the answer."""
    return json.dumps(value) if isinstance(value, bool | None) else str(value)


def read_rule(text: str) -> Rule:
    """`status=0`, `status=0,1`, or `~0:` and `~0:,3:`. Raises TemplateError."""
    text = text.strip()
    if text.startswith("~"):
        return Rule(begins=tuple(part.strip() for part in text[1:].split(",") if part.strip()))
    path, equals, values = text.partition("=")
    if text and not (path.strip() and equals and values.strip()):
        raise TemplateError("must be like status=0, or ~OK for an answer that begins with OK")
    return Rule(path.strip(), tuple(value.strip() for value in values.split(",")) if text else ())


def read_pairs(text: str) -> dict[str, str]:
    """`a=b, c=d`; raises TemplateError."""
    pairs = {}
    for piece in filter(str.strip, text.split(",")):
        name, equals, value = piece.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise TemplateError("must be like name=value, name=value")
        pairs[name.strip()] = value.strip()
    return pairs
