"""The audit log: append-only, each entry's hash covers the one before it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

from gateway.models import AuditEntry

AUDIT = AuditEntry.__table__  # type: ignore[attr-defined]
FIRST = b"\0" * 32
LOCK = 0x766F63_61


def record(
    connection: Connection, *, at: datetime, actor: str, action: str, target: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Append an entry in the caller's transaction and return its number. Never pass a phone, a name or a text."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    last = connection.execute(select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)).first()
    number = (last.number if last else 0) + 1
    entry: dict[str, Any] = {
        "number": number, "at": at, "actor": actor, "action": action, "target": target,
        "data": dict(data or {}), "previous_hash": last.hash if last else FIRST,
    }  # fmt: skip
    connection.execute(insert(AUDIT), [{**entry, "hash": _hash(entry)}])
    return number


def first_broken(connection: Connection) -> int | None:
    """Number of the first entry that was changed, or that follows one removed; None when the chain holds."""
    previous, number = FIRST, 0
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.number)):
        entry = {name: getattr(row, name) for name in ("number", "at", "actor", "action", "target", "data")}
        entry["previous_hash"] = row.previous_hash
        if row.number != number + 1 or row.previous_hash != previous or row.hash != _hash(entry):
            return int(row.number)
        previous, number = row.hash, row.number
    return None


def _hash(entry: Mapping[str, Any]) -> bytes:
    plain = {**entry, "at": entry["at"].astimezone(UTC).isoformat(), "previous_hash": entry["previous_hash"].hex()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).digest()
