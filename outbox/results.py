"""How tries ended, written for many at once: one look under lock, then one statement a kind of change.

The statements are built once: building them anew for each message costs ten times their execution.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, bindparam, insert, select, update
from uuid_utils.compat import uuid7

from outbox.errors import SendError, UnknownResult
from outbox.models import SendAttempt
from outbox.receipts import RANK, apply_parked_for
from outbox.retry import RetryPolicy
from outbox.rows import OUTBOUND, Seals, shown_id
from outbox.senders.base import Envelope, Sent

ATTEMPT: Table = SendAttempt.__table__  # type: ignore[attr-defined]

# States that a provider's yes outranks (see outbox.receipts).
OPEN = tuple(state for state, rank in RANK.items() if rank < RANK["sent"])

_c = OUTBOUND.c
_CHANGING = (
    "state", "attempts", "lease", "leased_until", "unsure_since", "not_before", "sent_at", "delivered_at", "error",
    "provider_hash", "provider_id", "segments",
)  # fmt: skip

_LOOK = (
    select(_c.id, _c.leased_at, *(_c[name] for name in _CHANGING))
    .where(_c.id.in_(bindparam("ids", expanding=True)))
    .order_by(_c.id)
    .with_for_update()
)
_CHANGE = update(OUTBOUND).where(_c.id == bindparam("row")).values({name: bindparam(name) for name in _CHANGING})
_NOTE = insert(ATTEMPT)


def record_sent(conn: Connection, envelope: Envelope, sent: Sent, *, now: datetime, seals: Seals) -> bool:
    """Write the provider's yes and what receipts said before it. False when the lease went to another meanwhile.

    A lease that was taken away and given to nobody yet still counts: the message need not go twice.
    """
    return envelope.id in record_sent_many(conn, [(envelope, sent)], now=now, seals=seals)


def record_sent_many(
    conn: Connection, results: Sequence[tuple[Envelope, Sent]], *, now: datetime, seals: Seals
) -> set[UUID]:
    """`record_sent` for many messages; returns the ids of those it was written for."""
    rows = _look(conn, (envelope.id for envelope, _ in results))
    changes, notes, hashes = [], [], dict[str, list[bytes]]()
    for envelope, sent in results:
        row = rows.pop(envelope.id, None)
        if row is None:
            continue
        held = _still_held(row, envelope)
        notes.append(_note(envelope, now, "sent" if held else "late", {}))
        if held:
            provider_hash = seals.hash("provider", sent.provider_id) if sent.provider_id else None
            changes.append(_changed(row, _yes(row, envelope, sent, provider_hash, now)))
            hashes.setdefault(envelope.channel, []).extend([provider_hash] if provider_hash else [])
    _apply(conn, changes, notes)
    for channel, known in hashes.items():
        if known:
            apply_parked_for(conn, channel, known)
    return {change["row"] for change in changes}


def _still_held(row: Row[Any], envelope: Envelope) -> bool:
    if row.lease is not None:
        return bool(row.lease == envelope.lease)
    return row.state in OPEN and row.leased_at == envelope.leased_at and row.unsure_since is not None


def _yes(row: Row[Any], envelope: Envelope, sent: Sent, provider_hash: bytes | None, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {
        "attempts": envelope.attempt, "lease": None, "leased_until": None, "unsure_since": None,
        "sent_at": row.sent_at or now, "segments": row.segments if sent.segments is None else sent.segments,
    }  # fmt: skip
    # A receipt may have come before the answer of the same call; then it has the last word.
    if row.state in OPEN:
        values |= {"state": sent.state, "error": None}
    if sent.state == "delivered":
        values["delivered_at"] = row.delivered_at or now
    if sent.provider_id:
        values |= {"provider_hash": provider_hash, "provider_id": shown_id(sent.provider_id)}
    return values


def record_failure(
    conn: Connection, envelope: Envelope, error: SendError, *, now: datetime, policy: RetryPolicy, rng: Random
) -> str:
    """Write how a try failed and when the next is due; returns the state the message is in now.

    When the lease was lost, or a receipt came meanwhile, nothing but the try is written. A message that was erased
    meanwhile counts as cancelled.
    """
    row = _look(conn, [envelope.id]).get(envelope.id)
    if row is None:
        return "cancelled"
    values: dict[str, Any] = {}
    if row.lease == envelope.lease:
        values = {"lease": None, "leased_until": None}
        if row.state == "sending":
            values |= _no(row, envelope, error, policy.next_try(envelope.attempt, error, now, rng))
    notes = [_note(envelope, now, error.code, error.detail)] if error.uses_attempt else []
    _apply(conn, [_changed(row, values)] if values else [], notes)
    return str(values.get("state", row.state))


def _no(row: Row[Any], envelope: Envelope, error: SendError, next_try: datetime | None) -> dict[str, Any]:
    values: dict[str, Any] = {"state": "queued", "error": error.code}
    if error.uses_attempt:
        values["attempts"] = envelope.attempt
    if isinstance(error, UnknownResult):
        values["unsure_since"] = row.unsure_since or envelope.leased_at
    if next_try is None:
        values["state"] = "failed"
    elif envelope.expires_at is not None and next_try >= envelope.expires_at:
        values["state"] = "expired"
    elif error.uses_attempt:
        values["not_before"] = next_try
    return values


def note_handed_over(conn: Connection, envelopes: Sequence[Envelope], now: datetime) -> None:
    """Write that a device has fetched the messages; what it says of them comes as receipts."""
    conn.execute(_NOTE, [_note(envelope, now, "handed_over", {}) for envelope in envelopes])


def _look(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, Row[Any]]:
    return {row.id: row for row in conn.execute(_LOOK, {"ids": list(ids)})}


def _changed(row: Row[Any], values: dict[str, Any]) -> dict[str, Any]:
    return {"row": row.id, **{name: row._mapping[name] for name in _CHANGING}, **values}


def _note(envelope: Envelope, now: datetime, result: str, detail: Any) -> dict[str, Any]:
    return {
        "id": uuid7(), "outbound_id": envelope.id, "number": envelope.attempt, "started_at": envelope.leased_at,
        "ended_at": now, "result": result, "detail": dict(detail),
    }  # fmt: skip


def _apply(conn: Connection, changes: list[dict[str, Any]], notes: list[dict[str, Any]]) -> None:
    if changes:
        conn.execute(_CHANGE, changes)
    if notes:
        conn.execute(_NOTE, notes)
