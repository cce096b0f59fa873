"""Delivery receipts: they come early, late, twice and in any order, and end in the same state.

A receipt only ever raises a message: queued < sending < expired, cancelled < sent < failed < delivered. `delivered`
stands above `failed` because a handset's yes is evidence that outweighs a part or an earlier try that failed.
A message is found by our id, else by the hash of the provider's id; a receipt that finds none is parked.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, delete, func, insert, or_, select, true, update
from uuid_utils.compat import uuid7

from outbox.models import ParkedReceipt
from outbox.rows import OUTBOUND, Seals, shown_id

Status = Literal["sent", "delivered", "failed"]
Outcome = Literal["applied", "stale", "parked"]

RANK = {
    "queued": 0, "sending": 1, "expired": 2, "cancelled": 2, "sent": 3, "failed": 4, "delivered": 5,
}  # fmt: skip
UNDELIVERED = "undelivered"
# What a receipt says of a person who has stopped our messages at the provider.
OPTED_OUT = "opted_out"
ERROR_LENGTH = 64
SWEEP = 500

PARKED: Table = ParkedReceipt.__table__  # type: ignore[attr-defined]


def record_receipt(
    conn: Connection, *, channel: str, status: Status, our_id: UUID | None, provider_id: str | None,
    error: str | None, at: datetime | None, now: datetime, seals: Seals,
) -> Outcome:  # fmt: skip
    """Apply a receipt that came on `channel`, or park it until its message is known. `at`: when it happened."""
    provider_hash = seals.hash("provider", provider_id) if provider_id else None
    row_id = _find(conn, channel, our_id, provider_hash)
    if row_id is not None:
        applied = _raise_to(conn, row_id, status, provider_hash, provider_id, error, at or now)
        return "applied" if applied else "stale"
    if provider_hash is None and our_id is not None:
        provider_hash = seals.hash("provider", str(our_id))
    if provider_hash is not None:
        _park(conn, channel, provider_hash, status, error, at or now, now)
    return "parked"


def _find(conn: Connection, channel: str, our_id: UUID | None, provider_hash: bytes | None) -> UUID | None:
    """The newest that fits: short ids of modems come round again."""
    column = OUTBOUND.c
    wanted: list[ColumnElement[bool]] = []
    if our_id is not None:
        wanted.append(column.id == our_id)
    if provider_hash is not None:
        wanted.append(column.provider_hash == provider_hash)
    for condition in wanted:
        found: UUID | None = conn.execute(
            select(column.id).where(column.channel == channel, condition).order_by(column.id.desc()).limit(1)
        ).scalar()
        if found is not None:
            return found
    return None


def _raise_to(
    conn: Connection, row_id: UUID, status: Status, provider_hash: bytes | None, provider_id: str | None,
    error: str | None, at: datetime,
) -> bool:  # fmt: skip
    """One statement decides and writes, so that two receipts at once end as they would one after the other.

    The lease stays: the sender's own result may still come and bring the provider's id.
    """
    column = OUTBOUND.c
    lower = [state for state, rank in RANK.items() if rank < RANK[status]]
    values: dict[str, Any] = {"state": status, "unsure_since": None}
    if status == "failed":
        values["error"] = (error or UNDELIVERED)[:ERROR_LENGTH]
    else:
        values |= {"error": None, "sent_at": func.coalesce(column.sent_at, at)}
    if status == "delivered":
        values["delivered_at"] = at
    if provider_hash is not None and provider_id is not None:
        values |= {"provider_hash": provider_hash, "provider_id": shown_id(provider_id)}
    changed = conn.execute(
        update(OUTBOUND)
        .where(column.id == row_id, column.state.in_(lower), _of_this_try(status, provider_hash))
        .values(values)
    )
    return bool(changed.rowcount)


def _of_this_try(status: Status, provider_hash: bytes | None) -> ColumnElement[bool]:
    """False for bad news of an earlier try: while a try runs the provider's id on the row is the earlier one's."""
    if status == "delivered" or provider_hash is None:
        return true()
    column = OUTBOUND.c
    trying = column.state.in_(("queued", "sending"))
    return or_(
        column.provider_hash.is_(None),
        and_(trying, column.provider_hash != provider_hash),
        and_(~trying, column.provider_hash == provider_hash),
    )


def _park(
    conn: Connection, channel: str, provider_hash: bytes, status: Status, error: str | None, at: datetime, now: datetime
) -> None:
    parked = PARKED.c
    same = and_(parked.channel == channel, parked.provider_hash == provider_hash, parked.status == status)
    if conn.execute(select(parked.id).where(same).limit(1)).first() is None:
        row = {
            "id": uuid7(), "channel": channel, "provider_hash": provider_hash, "status": status,
            "error": error[:ERROR_LENGTH] if error else None, "at": at, "parked_at": now,
        }  # fmt: skip
        conn.execute(insert(PARKED), row)


def apply_parked_for(conn: Connection, channel: str, provider_hashes: list[bytes]) -> int:
    """Apply and drop what was parked for messages whose provider ids have just been recorded."""
    parked = PARKED.c
    rows = conn.execute(
        select(PARKED).where(parked.channel == channel, parked.provider_hash.in_(provider_hashes)).order_by(parked.at)
    ).all()
    return _apply(conn, rows)


def apply_parked(conn: Connection) -> int:
    """Apply receipts that were parked while their message was being recorded in another transaction."""
    parked, column = PARKED.c, OUTBOUND.c
    known = and_(column.channel == parked.channel, column.provider_hash == parked.provider_hash)
    rows = conn.execute(
        select(PARKED).where(select(column.id).where(known).exists()).order_by(parked.at).limit(SWEEP)
    ).all()
    return _apply(conn, rows)


def _apply(conn: Connection, rows: Any) -> int:
    applied = 0
    row: Row[Any]
    for row in rows:
        row_id = _find(conn, row.channel, None, row.provider_hash)
        if row_id is not None:
            applied += _raise_to(conn, row_id, row.status, row.provider_hash, None, row.error, row.at)
    if rows:
        conn.execute(delete(PARKED).where(PARKED.c.id.in_([row.id for row in rows])))
    return applied


def drop_parked(conn: Connection, before: datetime) -> int:
    """Forget receipts parked before `before`; returns how many."""
    return conn.execute(delete(PARKED).where(PARKED.c.parked_at < before)).rowcount
