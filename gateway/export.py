"""What is known, in clear, row by row: for an operator who has the key. Fields are only ever added."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, TextIO
from uuid import UUID

from sqlalchemy import Connection, Row, Select, Table, select

from gateway.models import Message
from gateway.reports import COUNTS, EVENT, REPORT, open_private
from gateway.sealing import Sealer
from outbox.models import OutboundMessage

MESSAGE: Table = Message.__table__  # type: ignore[attr-defined]
OUTBOUND: Table = OutboundMessage.__table__  # type: ignore[attr-defined]

CHUNK = 500
# What a spreadsheet takes for a formula when a cell begins with it (OWASP ASVS 5.0, 1.2.10), wide forms too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Document = dict[str, Any]


def messages(row: Row[Any], sealer: Sealer) -> Document:
    def opened(column: str, sealed: bytes | None) -> str | None:
        return sealer.open_optional("message", column, row.id, sealed)

    return {
        "id": row.id, "channel": row.channel, "external_id": opened("external", row.external_sealed),
        "from": _address(opened("sender", row.sender_sealed)), "to": opened("to", row.to_sealed),
        "text": opened("text", row.text_sealed), "sent_at": row.sent_at, "heard_at": row.heard_at,
        "kept_at": row.kept_at, "state": row.state, "reason": row.reason, "contact": row.contact_id,
        "codebook_revision": row.codebook_revision, "duplicate_of": row.duplicate_of,
        "subject": opened("subject", row.subject_sealed), "form": row.form, "language": row.language,
        "practice": row.practice, "flags": row.flags.split(",") if row.flags else [],
        "reading": _json(opened("reading", row.reading_sealed)),
    }  # fmt: skip


def reports(row: Row[Any], sealer: Sealer) -> Document:
    private = open_private(row, sealer)
    text = private.pop("text", None)
    others = {name: value for name, value in row.fields.items() if name not in COUNTS}
    return {
        "id": row.id, "ref": row.ref, "message": row.message_id, "form": row.form, "category": row.category,
        "place": row.place, "date": row.event_date,
        "counts": {name: row.fields[name] for name in COUNTS if row.fields.get(name) is not None},
        "urgent": row.urgent, "state": row.state, "verification": row.verification, "text": text,
        "fields": {**others, **private}, "contact": row.contact_id, "registered": row.registered,
        "codebook_revision": row.codebook_revision, "created_at": row.created_at, "practice": row.practice,
        "sent_at": row.sent_at, "heard_at": row.heard_at, "changed_at": row.changed_at,
    }  # fmt: skip


def outbox(row: Row[Any], sealer: Sealer) -> Document:
    def opened(column: str, sealed: bytes | None) -> str | None:
        return sealer.open_optional("outbound_message", column, row.id, sealed)

    return {
        "id": row.id, "kind": row.kind, "priority": row.priority, "channel": row.channel,
        "to": _address(opened("to", row.to_sealed)), "text": opened("text", row.text_sealed),
        "subject": opened("subject", row.subject_sealed), "segments": row.segments, "encoding": row.encoding,
        "state": row.state, "attempts": row.attempts, "provider_id": row.provider_id, "message": row.message_id,
        "ref": row.ref, "queued_at": row.queued_at, "not_before": row.not_before, "expires_at": row.expires_at,
        "sent_at": row.sent_at, "delivered_at": row.delivered_at, "error": row.error, "report": row.report_id,
        "contact": row.contact_id, "digest": row.digest_run_id, "html": opened("html", row.html_sealed),
        "headers": _json(opened("headers", row.headers_sealed)),
        "attachments": [file[0] for file in _json(opened("attachments", row.attachments_sealed)) or ()],
    }  # fmt: skip


def events(row: Row[Any], sealer: Sealer) -> Document:
    private = sealer.open_optional("report_event", "private", row.id, row.private_sealed)
    return {
        "id": row.id, "report": row.report_id, "ref": row.ref, "seq": row.seq, "type": row.type, "at": row.at,
        "actor": row.actor, "data": row.data, "place": row.place, "message": row.message_id,
        "private": _json(private) or {},
    }  # fmt: skip


KINDS: Mapping[str, tuple[Select[Any], Callable[[Row[Any], Sealer], Document]]] = {
    "messages": (select(MESSAGE).order_by(MESSAGE.c.id), messages),
    "reports": (select(REPORT).order_by(REPORT.c.id), reports),
    "outbox": (select(OUTBOUND).order_by(OUTBOUND.c.id), outbox),
    "events": (
        select(EVENT, REPORT.c.ref).join(REPORT, REPORT.c.id == EVENT.c.report_id).order_by(EVENT.c.id),
        events,
    ),
}


def rows(connection: Connection, kind: str, sealer: Sealer) -> Iterator[Document]:
    """Every row of `kind`, oldest first, values as JSON knows them; read as a stream from one snapshot."""
    query, opened = KINDS[kind]
    for row in connection.execution_options(stream_results=True, yield_per=CHUNK).execute(query):
        yield {name: _plain(value) for name, value in opened(row, sealer).items()}


def write_jsonl(documents: Iterator[Document], out: TextIO) -> int:
    """One object a line; returns how many."""
    number = 0
    for document in documents:
        number += 1
        out.write(json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n")
    return number


def write_csv(documents: Iterator[Document], out: TextIO) -> int:
    """A heading and one line each; texts are kept from being taken for formulas, objects are JSON.

    Nothing to export gives an empty file.
    """
    writer, number = csv.writer(out), 0
    for number, document in enumerate(documents, start=1):
        if number == 1:
            writer.writerow(document)
        writer.writerow([safe_cell(value) for value in document.values()])
    return number


def safe_cell(value: object) -> object:
    """A value as a cell that no spreadsheet takes for a formula."""
    if value is None or isinstance(value, bool | int | float):
        return "" if value is None else str(value).lower() if isinstance(value, bool) else value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.encode("utf-8", "backslashreplace").decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, UUID | date) else value


def _address(address: str | None) -> str | None:
    """A phone or mailbox as people write it, without the scheme."""
    return address.partition(":")[2] if address else address


def _json(text: str | None) -> Any:
    return json.loads(text) if text else None
