"""The queue: rows of `outbound_message`, claimed under a lease, sent elsewhere, recorded. SQLite and Postgres.

Every function works in the transaction of the connection it is given. A lease is a token: what is recorded with a
token that another has replaced changes nothing. A lease ends by time, or when it was taken in the future (the clock was
set back), give or take SKEW, by which the clocks of two machines may differ.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from uuid_utils.compat import uuid7

from outbox.errors import Detail, SendError, UnknownResult
from outbox.models import SendAttempt
from outbox.receipts import apply_parked, apply_parked_for, drop_parked, record_receipt
from outbox.retry import RetryPolicy
from outbox.rows import LIFE, OUTBOUND, NewMessage, Seals, enqueue, new_rows, open_row, shown_id
from outbox.senders.base import Envelope, Sent

__all__ = [
    "NewMessage", "Seals", "Waiting", "apply_parked", "cancel_for", "cancel_leased", "claim_due", "drop_parked",
    "enqueue", "expire", "give_back", "new_rows", "record_failure", "record_receipt", "record_sent",
    "release_expired_leases", "release_leases_of", "retry_dead", "thaw", "waiting",
]  # fmt: skip

ATTEMPT: Table = SendAttempt.__table__  # type: ignore[attr-defined]
SKEW = timedelta(seconds=5)
OWNER_LENGTH = 22
KNOWN_IDS = 200
CLAIM_ROUNDS = 20

_log = logging.getLogger("vocero.outbox")
_c = OUTBOUND.c


def _is(state: str) -> ColumnElement[bool]:
    """A literal, not a parameter: only then do both databases use the partial index of that state."""
    return _c.state == literal_column(f"'{state}'")


def claim_due(
    conn: Connection, *, channel: str, limit: int, now: datetime, lease: timedelta, owner: str, seals: Seals
) -> list[Envelope]:
    """Lease up to `limit` due messages of `channel`, most urgent first, and open them.

    What has expired becomes `expired`; what does not open becomes `failed` (`unreadable`), so that it stops nobody.
    """
    token = f"{owner[:OWNER_LENGTH]}.{uuid4().hex[:16]}"
    envelopes: list[Envelope] = []
    for _ in range(CLAIM_ROUNDS):
        wanted = limit - len(envelopes)
        rows = _due(conn, channel, wanted, now)
        _set_state(conn, [row.id for row in rows if _expired(row, now)], "expired", None)
        live = [row for row in rows if not _expired(row, now)]
        if live:
            leased = {"state": "sending", "lease": token, "leased_at": now, "leased_until": now + lease}
            conn.execute(update(OUTBOUND).where(_c.id.in_([row.id for row in live])).values(leased))
        envelopes += _open_all(conn, live, token, now, seals)
        if len(rows) < wanted or len(envelopes) == limit:
            break
    return envelopes


def _due(conn: Connection, channel: str, limit: int, now: datetime) -> Sequence[Row[Any]]:
    return conn.execute(
        select(OUTBOUND)
        .where(_is("queued"), _c.channel == channel, _c.not_before <= now)
        .order_by(_c.priority, _c.not_before, _c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def _expired(row: Row[Any], now: datetime) -> bool:
    return row.expires_at is not None and row.expires_at <= now


def _set_state(conn: Connection, ids: Sequence[UUID], state: str, error: str | None) -> None:
    if ids:
        values = {"state": state, "error": error, "lease": None, "leased_until": None}
        conn.execute(update(OUTBOUND).where(_c.id.in_(ids)).values(values))


def _open_all(
    conn: Connection, rows: Sequence[Row[Any]], lease: str, leased_at: datetime, seals: Seals
) -> list[Envelope]:
    envelopes, unreadable = [], []
    for row in rows:
        known = _known_ids(conn, row) if row.unsure_since else ()
        try:
            envelopes.append(open_row(row, lease=lease, leased_at=leased_at, seals=seals, known_ids=known))
        except Exception as error:  # whatever the keys' owner raises: one bad row must not stop the queue
            _log.error("message %s does not open: %s", row.id, type(error).__name__)
            unreadable.append(row.id)
    _set_state(conn, unreadable, "failed", "unreadable")
    return envelopes


def _known_ids(conn: Connection, row: Row[Any]) -> tuple[str, ...]:
    """Provider ids of other messages to the same address: a look-up must not take one of them for this message."""
    others = conn.execute(
        select(_c.provider_id)
        .where(_c.to_hash == row.to_hash, _c.channel == row.channel, _c.provider_id.is_not(None), _c.id != row.id)
        .order_by(_c.queued_at.desc())
        .limit(KNOWN_IDS)
    )
    return tuple(others.scalars())


def record_sent(conn: Connection, envelope: Envelope, sent: Sent, *, now: datetime, seals: Seals) -> bool:
    """Write the provider's yes and what receipts said before it. False when the lease went to another meanwhile.

    A lease that was taken away and given to nobody yet still counts: the message need not go twice.
    """
    provider_hash = seals.hash("provider", sent.provider_id) if sent.provider_id else None
    in_hand = or_(_is("sending"), _is("queued"))
    values: dict[str, Any] = {
        # A receipt may have come before the answer of the same call; then it has the last word.
        "state": case((in_hand, sent.state), else_=_c.state),
        "sent_at": func.coalesce(_c.sent_at, now),
        "attempts": envelope.attempt, "lease": None, "leased_until": None, "unsure_since": None,
        "error": case((in_hand, None), else_=_c.error),
    }  # fmt: skip
    if sent.state == "delivered":
        values["delivered_at"] = func.coalesce(_c.delivered_at, now)
    if sent.provider_id:
        values |= {"provider_hash": provider_hash, "provider_id": shown_id(sent.provider_id)}
    if sent.segments is not None:
        values["segments"] = sent.segments
    released = and_(_is("queued"), _c.leased_at == envelope.leased_at, _c.unsure_since.is_not(None))
    fence = or_(_c.lease == envelope.lease, released)
    if not conn.execute(update(OUTBOUND).where(_c.id == envelope.id, fence).values(values)).rowcount:
        if _state_of(conn, envelope.id) is not None:
            _note_attempt(conn, envelope, now, "late", {})
        return False
    _note_attempt(conn, envelope, now, "sent", {})
    if provider_hash is not None:
        apply_parked_for(conn, envelope.channel, [provider_hash])
    return True


def _held(envelope: Envelope) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _c.id == envelope.id, _c.lease == envelope.lease


def record_failure(
    conn: Connection, envelope: Envelope, error: SendError, *, now: datetime, policy: RetryPolicy, rng: Random
) -> str:
    """Write how a try failed and when the next is due; returns the state the message is in now.

    When the lease was lost, or a receipt came meanwhile, nothing but the try is written. A message that was erased
    meanwhile counts as cancelled.
    """
    state = _fail(conn, envelope, error, now, policy, rng)
    if error.uses_attempt and state is not None:
        _note_attempt(conn, envelope, now, error.code, error.detail)
    return state or "cancelled"


def _fail(
    conn: Connection, envelope: Envelope, error: SendError, now: datetime, policy: RetryPolicy, rng: Random
) -> str | None:
    next_try = policy.next_try(envelope.attempt, error, now, rng)
    values: dict[str, Any] = {"state": "queued", "error": error.code, "lease": None, "leased_until": None}
    if error.uses_attempt:
        values["attempts"] = envelope.attempt
    if isinstance(error, UnknownResult):
        values["unsure_since"] = func.coalesce(_c.unsure_since, envelope.leased_at)
    if next_try is None:
        values["state"] = "failed"
    elif envelope.expires_at is not None and next_try >= envelope.expires_at:
        values["state"] = "expired"
    elif error.uses_attempt:
        values["not_before"] = next_try
    if conn.execute(update(OUTBOUND).where(*_held(envelope), _is("sending")).values(values)).rowcount:
        return str(values["state"])
    conn.execute(update(OUTBOUND).where(*_held(envelope)).values(lease=None, leased_until=None))
    return _state_of(conn, envelope.id)


def _state_of(conn: Connection, message_id: UUID) -> str | None:
    state: str | None = conn.execute(select(_c.state).where(_c.id == message_id)).scalar()
    return state


def _note_attempt(conn: Connection, envelope: Envelope, now: datetime, result: str, detail: Detail) -> None:
    row = {
        "id": uuid7(), "outbound_id": envelope.id, "number": envelope.attempt, "started_at": envelope.leased_at,
        "ended_at": now, "result": result, "detail": dict(detail),
    }  # fmt: skip
    conn.execute(insert(ATTEMPT), row)


def give_back(conn: Connection, envelopes: Iterable[Envelope]) -> None:
    """Return leased messages that were never handed to a sender."""
    for envelope in envelopes:
        values = {"state": "queued", "lease": None, "leased_until": None}
        conn.execute(update(OUTBOUND).where(*_held(envelope), _is("sending")).values(values))


def cancel_leased(conn: Connection, envelopes: Iterable[Envelope], *, error: str) -> None:
    """Cancel leased messages that must not be sent after all, such as those to who has just opted out."""
    for envelope in envelopes:
        values = {"state": "cancelled", "error": error, "lease": None, "leased_until": None}
        conn.execute(update(OUTBOUND).where(*_held(envelope), _is("sending")).values(values))


def release_expired_leases(conn: Connection, now: datetime, *, holding: Collection[UUID] = ()) -> int:
    """Queue again what a dead or stopped process holds; `holding` are messages the caller itself is sending."""
    ended = or_(_c.leased_until <= now, _c.leased_at > now + SKEW)
    return _release(conn, ended, _c.id.not_in(list(holding)))


def release_leases_of(conn: Connection, owner: str) -> int:
    """Queue again what an earlier run of `owner` held when it died."""
    prefix = owner[:OWNER_LENGTH] + "."
    return _release(conn, func.substr(_c.lease, 1, len(prefix)) == prefix)


def _release(conn: Connection, *which: ColumnElement[bool]) -> int:
    values = {
        "state": "queued", "lease": None, "leased_until": None,
        "unsure_since": func.coalesce(_c.unsure_since, _c.leased_at),
    }  # fmt: skip
    return conn.execute(update(OUTBOUND).where(_is("sending"), *which).values(values)).rowcount


def thaw(conn: Connection, now: datetime) -> int:
    """After the clock was set back: what had been due, or waited for another try, is due now."""
    was_due = (_c.queued_at > now + SKEW) & (_c.not_before <= _c.queued_at)
    was_tried = (_c.leased_at > now + SKEW) & (_c.not_before > now)
    changed = conn.execute(update(OUTBOUND).where(_is("queued"), or_(was_due, was_tried)).values(not_before=now))
    return changed.rowcount


def expire(conn: Connection, now: datetime) -> int:
    """Mark what waited past its time."""
    changed = conn.execute(update(OUTBOUND).where(_is("queued"), _c.expires_at <= now).values(state="expired"))
    return changed.rowcount


def cancel_for(conn: Connection, to_hash: bytes, *, error: str = "opted_out", keep_kinds: Collection[str] = ()) -> int:
    """Cancel what waits for an address, but for `keep_kinds`; returns how many."""
    which = (_is("queued"), _c.to_hash == to_hash, _c.kind.not_in(list(keep_kinds)))
    return conn.execute(update(OUTBOUND).where(*which).values(state="cancelled", error=error)).rowcount


def retry_dead(conn: Connection, message_id: UUID, now: datetime) -> bool:
    """Queue a failed or expired message afresh; False when it is neither."""
    values = {
        "state": "queued", "attempts": 0, "error": None, "not_before": now, "lease": None, "leased_until": None,
        "expires_at": case((_c.expires_at <= now, now + LIFE), else_=_c.expires_at),
    }  # fmt: skip
    dead = _c.state.in_(("failed", "expired"))
    return bool(conn.execute(update(OUTBOUND).where(_c.id == message_id, dead).values(values)).rowcount)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one channel has to do: messages queued, when the oldest was due, and how many failed."""

    queued: int = 0
    oldest: datetime | None = None
    failed: int = 0


def waiting(conn: Connection) -> dict[str, Waiting]:
    """Per channel name; a channel with nothing queued or failed is left out."""
    queued = conn.execute(
        select(_c.channel, func.count(), func.min(_c.not_before)).where(_is("queued")).group_by(_c.channel)
    ).all()
    dead = conn.execute(select(_c.channel, func.count()).where(_is("failed")).group_by(_c.channel)).all()
    failed = {row[0]: int(row[1]) for row in dead}
    found = {channel: Waiting(number, oldest, failed.pop(channel, 0)) for channel, number, oldest in queued}
    return found | {channel: Waiting(failed=number) for channel, number in failed.items()}
