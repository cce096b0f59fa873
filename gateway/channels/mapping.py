"""Reads a text or a receipt out of a body, a form or a query, each field by the name its sender uses."""

import codecs
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.channels.base import HttpCall
from gateway.channels.forms import JSON, decode_text, malformed, read_bytes, read_json
from outbox.senders.template import at_path

TEXT_FIELDS = ("from", "text", "id", "to", "sent_at", "part_ref", "part_seq", "part_total", "charset")
RECEIPT_FIELDS = ("id", "status", "error", "at")
ID_LIMIT = 200
PART_LIMIT = 255
# UCS-2 is big-endian on every wire (3GPP TS 23.038), said or not.
CHARSETS = {
    "utf-8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252", "latin1": "cp1252",
    "windows-1252": "cp1252", "cp1252": "cp1252", "utf-16be": "utf-16-be", "utf-16": "utf-16", "ucs-2": "utf-16-be",
    "ucs2": "utf-16-be", "iso-10646-ucs-2": "utf-16-be", "utf-16le": "utf-16-le",
}  # fmt: skip


def mapped(call: HttpCall, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields that `names` (ours -> path) finds, as words; what is absent or empty is left out, but for `text`."""
    document = read_json(call.body) if call.media == JSON and call.method != "GET" else None
    if document is not None:
        found = {ours: _word(at_path(document, path)) for ours, path in names.items()}
    else:
        raw = read_bytes(call.query if call.method == "GET" else call.body)
        charset = decode_text(raw.get(names.get("charset", ""), b""))
        found = {
            ours: _decoded(raw[path], charset if ours == "text" else "") for ours, path in names.items() if path in raw
        }
    return {ours: value for ours, value in found.items() if value}


def _word(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, (dict, list)):
        return ""
    return str(value)


def _decoded(value: bytes, charset: str) -> str:
    """By the charset the sender names; one that nobody knows, or that does not fit, is left aside."""
    codec = CHARSETS.get(charset.strip().lower())
    if codec is None or codec == "utf-8":
        return decode_text(value)
    try:
        return codecs.decode(value, codec, "surrogatepass" if codec.startswith("utf-16") else "replace")
    except UnicodeDecodeError:
        return codecs.decode(value, codec, "replace")


def text_fields(found: Mapping[str, Any]) -> dict[str, Any]:
    """What `mapped` found of a text, in the channel's own form. A time or part that makes no sense costs no text."""
    if "from" not in found:
        raise malformed("the sender is missing")
    fields: dict[str, Any] = {"from": found["from"], "text": found.get("text", "")}
    if "id" in found:
        fields["id"] = short_id(found["id"])
    if "to" in found:
        fields["to"] = found["to"][:ID_LIMIT]
    if (moment := read_moment(found.get("sent_at", ""))) is not None:
        fields["sent_at"] = moment.isoformat()
    if (part := _part(found)) is not None:
        fields["part"] = part
    return fields


def short_id(text: str) -> str:
    """An id of any length in at most ID_LIMIT characters."""
    return text if len(text) <= ID_LIMIT else "sha256:" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _part(found: Mapping[str, Any]) -> dict[str, Any] | None:
    numbers = [found.get(name, "") for name in ("part_seq", "part_total")]
    if not found.get("part_ref") or not all(word.isascii() and word.isdigit() for word in numbers):
        return None
    seq, total = (int(word[:4]) for word in numbers)
    return {"ref": found["part_ref"][:32], "seq": seq, "total": total} if 1 <= seq <= total <= PART_LIMIT else None


def read_moment(text: str) -> datetime | None:
    """ISO 8601 with an offset, or seconds or milliseconds since 1970; None for anything else."""
    try:
        if text.isascii() and text.isdigit() and len(text) in (10, 13):
            return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC)
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
