"""Whether our own mail server vouches for the author of a mail: Authentication-Results (RFC 8601), aligned as RFC 7489.

Anybody can write such a field. Only the topmost one that carries our server's name is looked at, and only when no field
`Received` of another's server stands above it: what stands below came from outside.
"""

import re
from typing import Literal

from parsers.mail_mime import MailLimits, raw_fields

Proof = Literal["pass", "fail", "none"]

VALUE_CHARS = 4_000
COMMENT_DEPTH = 10

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_BY = re.compile(r"\bby\s+([^\s;()]+)", re.I)
_FROM = re.compile(r"\A\s*from\s", re.I)
_METHOD = re.compile(r"\A\s*([a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.I)
_PROPERTY = re.compile(r"([a-z-]+)\s*\.\s*([a-z0-9-]+)\s*=\s*(\S+)", re.I)


def author_proof(raw: bytes, ours: str, author: str | None, limits: MailLimits = MailLimits()) -> Proof:
    """What our server `ours` (its authserv-id) says of the one address in From: `none` when it says nothing.

    DMARC's word is taken as it is; else a DKIM signature or SPF that passed for the author's own domain.
    """
    value = _our_field(raw, ours, limits)
    if value is None or author is None or "@" not in author:
        return "none"
    domain = author.rpartition("@")[2].casefold()
    results = [_result(part) for part in value.split(";")[1:]]
    dmarc = [(word, properties) for method, word, properties in results if method == "dmarc"]
    if dmarc:
        about = dmarc[0][1].get("header.from", domain).casefold()
        return "pass" if dmarc[0][0] == "pass" and about == domain else "fail"
    vouched = [_vouched(method, properties) for method, word, properties in results if word == "pass"]
    if any(_aligned(one, domain) for one in vouched):
        return "pass"
    return "fail" if any(method in ("dkim", "spf") for method, _, _ in results) else "none"


def _our_field(raw: bytes, ours: str, limits: MailLimits) -> str | None:
    """The value of the field our server wrote, without comments; None when there is none."""
    for name, text in raw_fields(raw, limits):
        if name == "received" and _FROM.search(text):
            by = _BY.search(text)
            if by is None or not _same_house(by[1].casefold(), ours.casefold()):
                return None
        if name == "authentication-results":
            value = _without_comments(text[:VALUE_CHARS])
            if _server_of(value) == ours.casefold():
                return value
    return None


def _same_house(host: str, ours: str) -> bool:
    """Whether a host is our server, or below its name."""
    return host == ours or host.endswith(f".{ours}")


def _server_of(value: str) -> str:
    words = value.partition(";")[0].split()
    return words[0].strip('"').casefold() if words else ""


def _without_comments(text: str) -> str:
    """Nested comments out, quoted strings to one word: neither may carry a `;` that would begin a result."""
    kept: list[str] = []
    depth = 0
    plain = _QUOTED.sub(lambda found: re.sub(r"[\s;()=]", "_", found[1]), text)
    for char in plain:
        if char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(char)
        if depth > COMMENT_DEPTH:
            break
    return "".join(kept)


def _result(part: str) -> tuple[str, str, dict[str, str]]:
    """(method, result, properties) of one result; empty words for what is none."""
    found = _METHOD.match(part)
    if found is None:
        return "", "", {}
    properties: dict[str, str] = {}
    for kind, name, value in _PROPERTY.findall(part[found.end() :]):
        properties.setdefault(f"{kind}.{name}".casefold(), value.strip('"'))
    return found[1].casefold(), found[2].casefold(), properties


def _vouched(method: str, properties: dict[str, str]) -> str:
    """The domain a result speaks for."""
    if method == "dkim":
        return properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
    if method == "spf":
        return properties.get("smtp.mailfrom", "").rpartition("@")[2]
    return ""


def _aligned(vouched: str, domain: str) -> bool:
    """The same domain, or one below the other: relaxed alignment without a list of public suffixes (two labels)."""
    one = vouched.casefold().rstrip(".")
    if one.count(".") < 1:
        return False
    return one == domain or one.endswith(f".{domain}") or domain.endswith(f".{one}")
