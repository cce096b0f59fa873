"""Attachments of a mail: named safely, hashed, and kept in hand only where a reader for them exists."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from parsers.mail_charset import decode_words, visible
from parsers.mail_mime import MailLimits, Part, decode_transfer

NAME_CHARS = 100
UNNAMED = "file"

_FORBIDDEN = re.compile(r'[<>:"|?*%\\/]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}")
_CSV_TYPES = frozenset({"text/csv", "application/csv", "text/comma-separated-values", "application/vnd.ms-excel"})
_XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail. `size` in decoded bytes, `sha256` in hex; `data` for CSV and XLSX in limits."""

    name: str
    content_type: str
    size: int
    sha256: str
    data: bytes | None = None


def read_attachment(part: Part, limits: MailLimits, problems: set[str]) -> Attachment:
    """The attachment a part carries; what it says of its type is believed only where its content agrees."""
    content = decode_transfer(part, limits.total, problems)
    name = safe_name(part.filename)
    kept = content if len(content) <= limits.attachment and _is_sheet(name, part.content_type, content) else None
    declared = part.content_type if _TYPE.fullmatch(part.content_type) else "application/octet-stream"
    return Attachment(name, declared, len(content), hashlib.sha256(content).hexdigest(), kept)


def safe_name(name: str) -> str:
    """A file name fit to show and to offer: no path, no control or direction mark, no reserved name, 100 characters."""
    text = unicodedata.normalize("NFC", visible(decode_words(name[:2000])))
    text = re.split(r"[/\\]", text)[-1]
    text = " ".join(_FORBIDDEN.sub("_", text).split()).strip(". ")
    if not text:
        return UNNAMED
    if _RESERVED.match(text):
        text = f"_{text}"
    suffix = PurePosixPath(text).suffix[:12]
    return text if len(text) <= NAME_CHARS else text[: NAME_CHARS - len(suffix)] + suffix


def _is_sheet(name: str, content_type: str, content: bytes) -> bool:
    if content.startswith(b"PK\x03\x04"):
        return name.lower().endswith(".xlsx") or content_type == _XLSX_TYPE
    if not (name.lower().endswith(".csv") or (content_type in _CSV_TYPES and not name.lower().endswith(".xls"))):
        return False
    return content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in content
