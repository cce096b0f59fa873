"""The queue: rows of `outbound_message`, claimed under a lease, sent elsewhere, recorded. SQLite and Postgres.

Every function works in the transaction of the connection it is given. A lease is a token: what is recorded with a
token that another has replaced changes nothing. A lease ends by time, or when it was taken in the future (the clock was
set back), give or take SKEW, by which the clocks of two machines may differ.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    case,
    func,
    literal_column,
    or_,
    select,
    update,
)

from outbox.errors import Unavailable
from outbox.receipts import apply_parked, drop_parked, record_receipt
from outbox.results import record_failure, record_sent, record_sent_many
from outbox.rows import LIFE, OUTBOUND, NewMessage, Seals, enqueue, new_rows, open_row
from outbox.senders.base import Envelope

__all__ = [
    "NewMessage", "Seals", "Waiting", "apply_parked", "cancel_for", "cancel_leased", "claim_due", "drop_parked",
    "enqueue", "expire", "give_back", "hasten", "keep_time_left",
    "new_rows", "record_failure", "record_receipt", "record_sent", "record_sent_many",
    "release_all_leases", "release_expired_leases", "release_leases_of", "retry_dead", "thaw", "waiting",
]  # fmt: skip

SKEW = timedelta(seconds=5)
OWNER_LENGTH = 22
# Who holds what a device has fetched: such a lease outlives our process, the device being another.
DEVICE = "device"
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


def _held(envelope: Envelope) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _c.id == envelope.id, _c.lease == envelope.lease


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


def release_all_leases(conn: Connection) -> int:
    """Queue again what any dead process held: for the start of a process that is known to be alone."""
    prefix = DEVICE + "."
    return _release(conn, func.substr(_c.lease, 1, len(prefix)) != prefix)


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


def keep_time_left(conn: Connection, step: timedelta, now: datetime) -> int:
    """After the clock was set forward by `step`: what waited keeps the time it had left, also if it just expired.

    A machine without a battery clock starts in the past; what it heard there must not die when the time is put right,
    nor be called late. What one process has put right is left alone by the next.
    """
    before = now - step
    waited = (_c.state.in_(("queued", "expired")), _c.queued_at <= before + SKEW, _c.expires_at > before - SKEW)
    rows = conn.execute(select(_c.id, _c.expires_at, _c.queued_at).where(*waited).with_for_update()).all()
    for row in rows:
        values = {"state": "queued", "expires_at": row.expires_at + step, "queued_at": row.queued_at + step}
        conn.execute(update(OUTBOUND).where(_c.id == row.id).values(values))
    return len(rows)


def hasten(conn: Connection, channel: str, now: datetime) -> int:
    """The provider serves again: what was put off because it did not is due now."""
    put_off = (_is("queued"), _c.channel == channel, _c.not_before > now, _c.error == Unavailable.code)
    return conn.execute(update(OUTBOUND).where(*put_off).values(not_before=now)).rowcount


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

    def minutes(self, now: datetime) -> int:
        """For how long the oldest has been due, in whole minutes."""
        return max(0, int((now - self.oldest).total_seconds() // 60)) if self.oldest else 0


def waiting(conn: Connection) -> dict[str, Waiting]:
    """Per channel name; a channel with nothing queued or failed is left out."""
    queued = conn.execute(
        select(_c.channel, func.count(), func.min(_c.not_before)).where(_is("queued")).group_by(_c.channel)
    ).all()
    dead = conn.execute(select(_c.channel, func.count()).where(_is("failed")).group_by(_c.channel)).all()
    failed = {row[0]: int(row[1]) for row in dead}
    found = {channel: Waiting(number, oldest, failed.pop(channel, 0)) for channel, number, oldest in queued}
    return found | {channel: Waiting(failed=number) for channel, number in failed.items()}
