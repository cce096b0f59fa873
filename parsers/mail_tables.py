"""A mail with the tables attached to it, as one JSON document and back, to cross from the process that opens it."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from parsers.mail import Attachment, Mail, read_mail
from parsers.sheets import Table, read_table

TABLES = 3


class Opened(NamedTuple):
    """A mail as read; `tables` are the rows of its CSV and XLSX files, at most three."""

    mail: Mail
    tables: tuple[Table, ...] = ()


def has_tables(mail: Mail) -> bool:
    """Whether a file came with it that would have to be opened."""
    return any(one.data is not None for one in mail.attachments)


def open_mail(raw: bytes, own: str) -> Opened:
    """Read a mail and the tables in it; `own` is our address or ""."""
    mail = read_mail(raw, own_addresses=frozenset({own} if own else ()))
    sheets = [one for one in mail.attachments if one.data is not None][:TABLES]
    return Opened(mail, tuple(read_table(one.data or b"", one.name) for one in sheets))


def dump(opened: Opened) -> bytes:
    """As JSON, without the bytes of attachments."""
    document = asdict(opened.mail)
    document["date"] = opened.mail.date.isoformat() if opened.mail.date else None
    for one in document["attachments"]:
        del one["data"]
    return json.dumps({"mail": document, "tables": [asdict(table) for table in opened.tables]}).encode()


def load(packed: bytes) -> Opened:
    """Inverse of `dump`. Raises ValueError, KeyError or TypeError."""
    document: dict[str, Any] = json.loads(packed)
    mail: dict[str, Any] = document["mail"]
    for name in ("to", "references", "problems"):
        mail[name] = tuple(mail[name])
    mail["date"] = datetime.fromisoformat(mail["date"]) if mail["date"] else None
    mail["attachments"] = tuple(Attachment(**one) for one in mail["attachments"])
    tables = [
        Table(one["name"], tuple((int(line), tuple(cells)) for line, cells in one["rows"]), one["problem"])
        for one in document["tables"]
    ]
    return Opened(Mail(**mail), tuple(tables))
