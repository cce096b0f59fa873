"""Header fields of a mail: who wrote it, to whom, when, in answer to what, and whether a machine did."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.headerregistry import Address, HeaderRegistry
from email.utils import parsedate_to_datetime
from typing import Any

from parsers.mail_charset import decode_words, one_line
from parsers.mail_mime import Headers

ADDRESS_CHARS = 2_000
SUBJECT_CHARS = 500
ID_CHARS = 998

_REGISTRY = HeaderRegistry()
_ADDRESS = re.compile(r"[^@\s<>\"(),:;\\\[\]]{1,64}@[^@\s<>\"(),:;\\\[\]]{1,255}")
_ID = re.compile(r"<[^<>\s]{1,2000}>")
_PREFIX = re.compile(
    r"\s*(?:(?:re|rv|fwd?|reenv(?:iado)?|aw|wg)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*:"
    r"|\[(?:external|externo|ext|spam\??)\])\s*",
    re.I,
)
_REPLY = re.compile(r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*:", re.I)

_MACHINE = re.compile(r"(mailer-?daemon|postmaster|bounces?|mail-?delivery)\b", re.I)
_NOBODY = re.compile(
    r"(no-?reply|no-?responder|do-?not-?reply|noresponda|system|sistema|admin|soporte|support)\b", re.I
)
_BOUNCE_SUBJECT = re.compile(
    r"(undeliver(ed|able)\b|undelivered mail|mail delivery (failed|failure|system)|delivery status notification"
    r"|delivery (failure|has failed)|returned mail|failure notice|warning: could not send"
    r"|message not delivered"
    r"|no se (pudo|ha podido|puede|logr[oó]) entregar\s*($|:|(el|su|tu|este|al)"
    r" (mensaje|correo|e-?mail|destinatario))"
    r"|(mensaje|correo)( electr[oó]nico)? (no (fue )?entregado|devuelto|rechazado)"
    r"|no entregado:|error (de|en la) entrega"
    r"|notificaci[oó]n (de|sobre) (el )?(estado|error|fallo) de (la )?entrega)",
    re.I,
)
_BOUNCE_BODY = re.compile(
    r"(no (se )?(pudo|ha podido|puede|pudimos|logr[oó]) (ser )?entrega|could not be delivered|delivery .{0,40}failed"
    r"|address (couldn't be found|not found)|direcci[oó]n .{0,60}no (existe|se (ha )?encontr)|undeliverable)",
    re.I,
)
_AWAY = re.compile(
    r"\s*(?:(?:re|auto|automatic)\s*:\s*)?(?:(?:respuesta|contestaci[oó]n|mensaje) autom[aá]tic[ao]|auto-?respuesta"
    r"|fuera de (?:la |mi )?oficina|ausente(?: de la oficina)?|de vacaciones"
    r"|estoy (?:de vacaciones|fuera de la oficina)"
    r"|en vacaciones|out of (?:the )?office|automatic reply|auto[- ]?(?:reply|response)|on (?:vacation|holiday|leave)"
    r"|vacation(?: reply)?|away from (?:the|my) office)"
    r"\s*(?:$|[:.;!(\[–-]|(?:hasta|del|until|from|till)\b)",
    re.I,
)


def read_sender(headers: Headers, problems: set[str]) -> tuple[str | None, str | None]:
    """Address (lower case) and display name of the one author; no author, several or a group give None."""
    fields = headers.all("from")
    if len(fields) != 1:
        problems.add("from")
        return None, None
    addresses, sound = _addresses(fields[0], "from")
    if len(addresses) != 1 or not sound:
        problems.add("from")
        return None, None
    name = one_line(decode_words(addresses[0].display_name), 200) or None
    spec = _spec(addresses[0])
    if spec is None or (name is not None and "@" in name and name.lower() != spec):
        problems.add("from")
    return spec, name


def _addresses(value: str, field: str) -> tuple[tuple[Address, ...], bool]:
    """Addresses of a field, and whether it holds nothing but them. The registry raises on some malformed fields."""
    try:
        header: Any = _REGISTRY(field, value[:ADDRESS_CHARS])
        plain = all(group.display_name is None for group in header.groups)
        return header.addresses, plain and len(value) <= ADDRESS_CHARS
    except Exception:
        return (), False


def _spec(address: Address) -> str | None:
    try:
        spec = address.addr_spec.lower()
    except (ValueError, TypeError, AttributeError):
        return None
    return spec if len(spec) <= 254 and _ADDRESS.fullmatch(spec) else None


def read_recipients(headers: Headers) -> tuple[str, ...]:
    """Addresses of To, at most twenty, without a second mention."""
    found: dict[str, None] = {}
    for value in headers.all("to")[:5]:
        addresses, _ = _addresses(value, "to")
        found.update((spec, None) for address in addresses if (spec := _spec(address)))
    return tuple(found)[:20]


def read_subject(headers: Headers) -> tuple[str, str]:
    """The subject without its answer and forward prefixes, and as it came; both one line."""
    raw = one_line(decode_words(headers.first("subject")[:4000]), SUBJECT_CHARS)
    bare = raw
    while match := _PREFIX.match(bare):
        bare = bare[match.end() :]
    return bare.strip(), raw


def is_reply(subject_raw: str) -> bool:
    """Whether the outermost prefix says answer (Re:), not forward (RV:, Fwd:)."""
    return bool(_REPLY.match(subject_raw))


def read_ids(headers: Headers, name: str, problems: set[str]) -> list[str]:
    """Message ids of a field, those longer than 998 characters left out."""
    found = _ID.findall(headers.first(name))
    if name == "message-id" and headers.first(name) and not [one for one in found if len(one) <= ID_CHARS]:
        problems.add("message-id")
    return [one for one in found if len(one) <= ID_CHARS]


def read_date(headers: Headers, problems: set[str]) -> datetime | None:
    """The moment of Date in UTC; one without zone (-0000) counts as UTC; an impossible one is a problem."""
    value = headers.first("date")
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value[:200])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        problems.add("date")
        return None


def read_auto(headers: Headers, sender: str | None, subject: str, text: str) -> str | None:
    """`bounce`, `auto_reply` or `list` when no person wrote this now, else None (RFC 3834, RFC 3464, RFC 2919)."""
    local = (sender or "").partition("@")[0]
    if _is_bounce(headers, local, subject, text):
        return "bounce"
    if _is_auto_reply(headers, subject):
        return "auto_reply"
    precedence = headers.first("precedence").lower()
    if headers.first("list-id") or precedence in ("bulk", "list", "junk"):
        return "list"
    return None


def _is_bounce(headers: Headers, local: str, subject: str, text: str) -> bool:
    report = headers.first("content-type").lower()
    if report.startswith("multipart/report") and "disposition-notification" not in report:
        return True
    if any(value.replace(" ", "") == "<>" for value in headers.all("return-path")):
        return not _says_auto(headers)
    if _MACHINE.match(local) or headers.first("x-failed-recipients"):
        return True
    return bool(_BOUNCE_SUBJECT.match(subject) or (_NOBODY.match(local) and _BOUNCE_BODY.search(text[:500])))


def _is_auto_reply(headers: Headers, subject: str) -> bool:
    if _says_auto(headers) or headers.first("content-type").lower().startswith("multipart/report"):
        return True
    if _present(headers, ("x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-autoresponse")):
        return True
    return headers.first("precedence").lower() == "auto_reply" or bool(_AWAY.match(subject))


def _says_auto(headers: Headers) -> bool:
    values = (value.partition(";")[0].strip().lower() for value in headers.all("auto-submitted"))
    return any(value not in ("", "no") for value in values)


def _present(headers: Headers, names: Iterable[str]) -> bool:
    return any(value.lower() not in ("", "none", "no") for name in names for value in headers.all(name))
