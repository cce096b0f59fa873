"""A message to send, the row it becomes, and the envelope the row is opened into."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row, Table, insert

from outbox.models import PRIORITY, OutboundMessage
from outbox.segments import count, to_gsm7
from outbox.senders.base import Attachment, Envelope

OUTBOUND: Table = OutboundMessage.__table__  # type: ignore[attr-defined]
TABLE = OUTBOUND.name
LIFE = timedelta(days=14)
MAIL_ENCODING = "utf-8"
PROVIDER_ID_LENGTH = 255

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Seals(Protocol):
    """Seals values to their place, opens them there, and makes 16-byte keyed hashes for purposes such as `address`."""

    def seal(self, table: str, column: str, row_id: UUID, value: str) -> bytes: ...
    def open(self, table: str, column: str, row_id: UUID, sealed: bytes) -> str: ...
    def hash(self, purpose: str, value: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be sent. `id` is a UUIDv7, `to` the string of an Address, `kind` one of outbox.models.KINDS.

    Without `priority` the kind decides; without `expires_at` it waits fourteen days. `headers` are for mail:
    In-Reply-To, References, Message-ID, Auto-Submitted, List-Id and the like. A phone gets no `attachments`.
    """

    id: UUID
    kind: str
    channel: str
    to: str
    text: str
    subject: str | None = None
    html: str | None = None
    headers: Mapping[str, str] | None = None
    attachments: tuple[Attachment, ...] = ()
    message_id: UUID | None = None
    report_id: UUID | None = None
    ref: int | None = None
    contact_id: UUID | None = None
    digest_run_id: UUID | None = None
    about_id: UUID | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    priority: int | None = None


def new_rows(messages: Iterable[NewMessage], *, seals: Seals, now: datetime) -> list[dict[str, Any]]:
    """Rows of `outbound_message` to insert: sealed, folded and counted. Pure but for the seals' randomness.

    A text for a phone is folded to GSM-7 unless that would lose a character.
    """
    return [_new_row(message, seals, now) for message in messages]


def _new_row(message: NewMessage, seals: Seals, now: datetime) -> dict[str, Any]:
    not_before = message.not_before or now
    text, segments, encoding = measured(message.to, message.text)
    priority = PRIORITY[message.kind] if message.priority is None else message.priority
    headers = json.dumps(dict(message.headers)) if message.headers else None

    def sealed(column: str, value: str | None) -> bytes | None:
        return None if value is None else seals.seal(TABLE, column, message.id, value)

    return {
        "id": message.id, "kind": message.kind, "priority": priority, "channel": message.channel,
        "to_hash": seals.hash("address", message.to), "to_sealed": sealed("to", message.to),
        "text_sealed": sealed("text", text), "subject_sealed": sealed("subject", message.subject),
        "html_sealed": sealed("html", message.html), "headers_sealed": sealed("headers", headers),
        "attachments_sealed": sealed("attachments", _packed(message.attachments)),
        "text_hash": seals.hash("text", text), "segments": segments, "encoding": encoding,
        "state": "queued", "attempts": 0,
        "message_id": message.message_id, "report_id": message.report_id, "ref": message.ref,
        "contact_id": message.contact_id, "digest_run_id": message.digest_run_id, "about_id": message.about_id,
        "queued_at": now, "not_before": not_before, "expires_at": message.expires_at or not_before + LIFE,
    }  # fmt: skip


def _packed(attachments: Iterable[Attachment]) -> str | None:
    files = [[one.name, one.media_type, b64encode(one.data).decode()] for one in attachments]
    return json.dumps(files) if files else None


def _unpacked(packed: str | None) -> tuple[Attachment, ...]:
    files = json.loads(packed) if packed else []
    return tuple(Attachment(name, media_type, b64decode(data)) for name, media_type, data in files)


def measured(to: str, text: str) -> tuple[str, int, str]:
    """A text as it is kept for an address, its segments (0 for a mail) and its encoding."""
    if not to.startswith("tel:"):
        return text, 0, MAIL_ENCODING
    folded = to_gsm7(text)
    text = folded if folded.count("?") == text.count("?") else text
    counted = count(text)
    return text, counted.segments, counted.encoding


def enqueue(conn: Connection, messages: Iterable[NewMessage], *, seals: Seals, now: datetime) -> None:
    """Insert `messages` in the caller's transaction, so that they wait if and only if it commits."""
    if rows := new_rows(messages, seals=seals, now=now):
        conn.execute(insert(OUTBOUND), rows)


def open_row(
    row: Row[Any], *, lease: str, leased_at: datetime, seals: Seals, known_ids: tuple[str, ...] = ()
) -> Envelope:
    """The envelope of a row of `outbound_message`. Raises what `seals.open` raises when a value does not open."""

    def opened(column: str, sealed: bytes | None) -> str | None:
        return None if sealed is None else seals.open(TABLE, column, row.id, sealed)

    headers = opened("headers", row.headers_sealed)
    return Envelope(
        id=row.id, kind=row.kind, channel=row.channel, priority=row.priority, ref=row.ref, message_id=row.message_id,
        contact_id=row.contact_id, expires_at=row.expires_at, unsure_since=row.unsure_since, attempt=row.attempts + 1,
        to=seals.open(TABLE, "to", row.id, row.to_sealed), to_hash=row.to_hash,
        text=seals.open(TABLE, "text", row.id, row.text_sealed), subject=opened("subject", row.subject_sealed),
        html=opened("html", row.html_sealed), headers=json.loads(headers) if headers else {},
        attachments=_unpacked(opened("attachments", row.attachments_sealed)),
        lease=lease, leased_at=leased_at, known_ids=known_ids, queued_at=row.queued_at, report_id=row.report_id,
        about_id=row.about_id,
    )  # fmt: skip


def reworded(envelope: Envelope, seals: Seals) -> dict[str, Any]:
    """The columns of `outbound_message` that hold the words of an envelope, sealed and counted anew."""
    text, segments, encoding = measured(envelope.to, envelope.text)

    def sealed(column: str, value: str | None) -> bytes | None:
        return None if value is None else seals.seal(TABLE, column, envelope.id, value)

    return {
        "text_sealed": sealed("text", text), "subject_sealed": sealed("subject", envelope.subject),
        "html_sealed": sealed("html", envelope.html), "text_hash": seals.hash("text", text), "segments": segments,
        "encoding": encoding,
    }  # fmt: skip


def shown_id(provider_id: str) -> str:
    """The provider's id as kept for people: its first 255 characters, without control characters."""
    return _CONTROL.sub("", provider_id)[:PROVIDER_ID_LENGTH]
