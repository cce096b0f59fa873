"""A MIME message cut into leaves, bounded at every step.

The standard library's feed parser walks line by line and opens a part for every boundary: 10 MB of newlines or of
empty parts keep it busy for many seconds, and depth ends in RecursionError. Here the wire form is split with byte
searches under limits; single headers are still parsed by `email`. RFC 5322, 2045, 2046; broken input is read as far
as it goes.
"""

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from parsers.mail_charset import decode_bytes

FIELD_BYTES = 10_000
SCANNED_BYTES = 2_000_000
SCANNED_FIELDS = 20_000

_BLANK = re.compile(rb"\r?\n[ \t]*+\r?\n|\r\r")
_FIELD = re.compile(rb"^([!-9;-~]{1,100})[ \t]*:([^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*+)", re.M)
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_FIRST_DELIMITER = re.compile(rb"^--([^\s-]\S{0,150}?)[ \t]*\r?$", re.M)
_FILE_START = re.compile(r"begin [0-7]{3,4} \S|=ybegin \S")
_FILE_END = re.compile(r"end[ \t]*$|=yend\b")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_SPACES = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class MailLimits:
    """What is read of one mail: bytes (total, header, html, attachment), characters (text), counts (parts, depth)."""

    total: int = 10_000_000
    parts: int = 100
    depth: int = 10
    header: int = 100_000
    text: int = 100_000
    html: int = 1_000_000
    attachment: int = 2_000_000


class Headers:
    """Header fields by lower-case name, unfolded and decoded to str, in order of appearance."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def all(self, name: str) -> list[str]:
        return self._fields.get(name, [])

    def first(self, name: str) -> str:
        return self._fields.get(name, [""])[0]

    def __bool__(self) -> bool:
        return bool(self._fields)


@dataclass(slots=True)
class Part:
    """One leaf: its declared type (lower-case `a/b`), parameters, and its body still in transfer encoding.

    `group` numbers the multipart/alternative it stands in (None outside one).
    """

    headers: Headers
    body: bytes
    content_type: str = "text/plain"
    charset: str = ""
    disposition: str = ""
    filename: str = ""
    flowed: bool = False
    group: int | None = None


@dataclass(slots=True)
class Budget:
    """What may still be opened, and what was met on the way."""

    limits: MailLimits
    parts: int = 0
    groups: int = 0
    problems: set[str] = field(default_factory=set)


def split_message(raw: bytes, limits: MailLimits, problems: set[str]) -> tuple[Headers, bytes]:
    """Header fields and body of a message or part. A text without any header is all body."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    if raw[:1] in (b"\n", b"\r"):
        return Headers({}), raw.lstrip(b"\r\n")
    blank = _BLANK.search(raw)
    block, body = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    headers = _read_fields(block, limits, problems)
    return (headers, body) if headers else (headers, raw)


def raw_fields(raw: bytes, limits: MailLimits) -> Iterator[tuple[str, str]]:
    """(lower-case name, unfolded value) of every header field in the order they stand, the newest first."""
    head = raw.removeprefix(codecs.BOM_UTF8)[: limits.header]
    blank = _BLANK.search(head)
    for match in _FIELD.finditer(head[: blank.start()] if blank else head):
        yield match[1].decode("ascii").lower(), _field_text(match[2][:FIELD_BYTES])


def _read_fields(block: bytes, limits: MailLimits, problems: set[str]) -> Headers:
    """Fields of a header block: each cut to 10 kB, all together to the limit; Received beyond it are still counted."""
    fields: dict[str, list[str]] = {}
    kept = 0
    if len(block) > limits.header:
        problems.add("size")
    for count, match in enumerate(_FIELD.finditer(block[:SCANNED_BYTES])):
        if count >= SCANNED_FIELDS:
            break
        name = match[1].decode("ascii").lower()
        value = "" if name == "received" else _field_text(match[2][:FIELD_BYTES])
        kept += len(value)
        if kept > limits.header and name not in _NEEDED:
            continue
        fields.setdefault(name, []).append(value)
    return Headers(fields)


# Still read when ten thousand other fields came first; at most SCANNED_FIELDS of FIELD_BYTES.
# fmt: off
_NEEDED = frozenset({
    "from", "to", "subject", "date", "message-id", "in-reply-to", "references", "content-type",
    "content-transfer-encoding", "content-disposition", "auto-submitted", "precedence", "list-id",
    "return-path", "received", "x-auto-response-suppress",
})
# fmt: on


def _field_text(value: bytes) -> str:
    return _FOLD.sub(" ", decode_bytes(value, "utf-8")[0]).strip()


def leaves(headers: Headers, body: bytes, budget: Budget, depth: int = 0, group: int | None = None) -> Iterator[Part]:
    """The leaves of a message in order of appearance; message/rfc822 is a leaf, multiparts are opened."""
    if budget.parts >= budget.limits.parts:
        budget.problems.add("parts")
        return
    budget.parts += 1
    part, boundary = _describe(headers, body, group)
    if not part.content_type.startswith("multipart/"):
        yield part
        return
    if depth >= budget.limits.depth:
        budget.problems.add("depth")
        return
    if part.content_type == "multipart/alternative":
        budget.groups += 1
        group = budget.groups
    pieces = _pieces(body, boundary, budget)
    if pieces is None:
        part.content_type = "text/plain"
        yield part
        return
    for piece in pieces:
        inner, content = split_message(piece, budget.limits, budget.problems)
        yield from leaves(inner, content, budget, depth + 1, group)


def _describe(headers: Headers, body: bytes, group: int | None) -> tuple[Part, str]:
    """A part with its declared type, and its boundary ("" when none)."""
    part = Part(headers, body, group=group)
    message = Message()
    for name in ("content-type", "content-disposition"):
        if value := headers.first(name):
            message[name] = value[:2000]
    try:
        part.content_type = message.get_content_type()
        part.charset = (message.get_content_charset() or "")[:40]
        part.disposition = message.get_content_disposition() or ""
        part.filename = message.get_filename() or ""
        part.flowed = str(message.get_param("format", "")).lower() == "flowed"
        return part, message.get_boundary() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return part, ""


def _pieces(body: bytes, boundary: str, budget: Budget) -> list[bytes] | None:
    """The raw parts between delimiter lines; a missing boundary is taken from the first such line. None: no parts."""
    delimiter = boundary.encode("utf-8", "replace")[:200]
    if not delimiter or b"--" + delimiter not in body:
        guess = _FIRST_DELIMITER.search(body)
        budget.problems.add("boundary")
        if guess is None:
            return None
        delimiter = guess[1]
    line = re.compile(rb"\n--" + re.escape(delimiter) + rb"(--)?[ \t]*+(?:\r?(?=\n)|\r?\Z)")
    text = b"\n" + body
    pieces: list[bytes] = []
    start = None
    for match in line.finditer(text):
        if start is not None:
            pieces.append(text[start : match.start()])
            start = None
        if match[1] or len(pieces) >= budget.limits.parts:
            break
        start = match.end() + 1
    else:
        budget.problems.add("boundary")
        if start is not None:
            pieces.append(text[start:])
    return [piece.removesuffix(b"\r") for piece in pieces]


def decode_transfer(part: Part, room: int, problems: set[str]) -> bytes:
    """A part's body out of its transfer encoding, at most `room` bytes of it; broken encodings as far as they go."""
    encoding = part.headers.first("content-transfer-encoding").strip().lower()
    body = part.body
    if encoding == "base64":
        return _base64(body[: room * 3 // 2 + 4], problems)[:room]
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body[: room * 3])[:room]
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return uudecode(body[: room * 3 // 2])[:room]
    return body[:room]


def _base64(body: bytes, problems: set[str]) -> bytes:
    """Base64 without the foreign characters; a text that is plainly not base64 comes back as it is."""
    packed = body.translate(None, _SPACES)
    clean = packed.translate(None, _NOT_BASE64)
    foreign = len(packed) - len(clean) - packed[-2:].count(b"=")
    words = body.count(b" ")
    if foreign > len(packed) // 10 + 3 or words > len(packed) // 20 + 1:
        problems.add("encoding")
        return body
    if foreign or len(clean) % 4 == 1:
        problems.add("encoding")
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def uudecode(body: bytes) -> bytes:
    """The bytes of a uuencoded block (`begin 644 name` ... `end`), bad lines left out."""
    decoded = []
    for line in body.splitlines():
        if line.startswith((b"begin ", b"end", b"`")) or not line.strip():
            continue
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(decoded)


def without_files(lines: list[str]) -> list[str]:
    """Lines of a text without the uuencoded and yEnc files pasted into it; a block that never ends stays."""
    if not any(_FILE_START.match(line) for line in lines):
        return lines
    kept: list[str] = []
    began: int | None = None
    for line in lines:
        if began is not None and _FILE_END.match(line):
            del kept[began:]
            began = None
            continue
        if began is None and _FILE_START.match(line):
            began = len(kept)
        kept.append(line)
    return kept
