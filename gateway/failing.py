"""Addresses that nothing reaches any more: the last three messages to them were refused for good.

A refusal before `trusted_from` does not count, so that who corrects a mailbox begins anew.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, exists, func, literal_column, or_, select, update

from gateway.models import ContactAddress
from outbox.errors import InvalidAddress, Refused
from outbox.rows import OUTBOUND

ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]

IN_A_ROW = 3
BOUNCED = "bounced"
HARD = (InvalidAddress.code, Refused.code, BOUNCED)
# A mailbox that takes a mail may still send it back.
SETTLES = timedelta(hours=1)

_c = OUTBOUND.c
_FAILED: ColumnElement[bool] = literal_column("outbound_message.state = 'failed'")
# Enhanced status codes of permanent failures (RFC 3463 2).
_HARD = or_(_c.error.in_(HARD), _c.error.like("5.%"))


class Failing(NamedTuple):
    """An address with the error of the latest refusal."""

    id: UUID
    contact_id: UUID
    kind: str
    error: str


def newly_failing(connection: Connection) -> list[Failing]:
    """Addresses of contacts that are to be marked."""
    counted = _c.queued_at > func.coalesce(ADDRESS.c.trusted_from, ADDRESS.c.created_at)
    query = (
        select(ADDRESS.c.id, ADDRESS.c.contact_id, ADDRESS.c.kind, ADDRESS.c.address_hash, ADDRESS.c.trusted_from)
        .join(OUTBOUND, _c.to_hash == ADDRESS.c.address_hash)
        .where(_FAILED, _HARD, ADDRESS.c.failing_since.is_(None), counted)
        .group_by(ADDRESS.c.id)
        .having(func.count() >= IN_A_ROW)
    )
    found = []
    for row in connection.execute(query).all():
        error = _last_refusal(connection, row.address_hash, row.trusted_from)
        if error is not None:
            found.append(Failing(row.id, row.contact_id, row.kind, error))
    return found


def _last_refusal(connection: Connection, to_hash: bytes, trusted_from: datetime | None) -> str | None:
    """The latest error when the last three messages were all refused for good."""
    mine = [_c.to_hash == to_hash, _c.state.in_(("sent", "delivered", "failed"))]
    if trusted_from is not None:
        mine.append(_c.queued_at > trusted_from)
    query = select(_c.error, (_FAILED & _HARD).label("hard")).where(*mine)
    last = connection.execute(query.order_by(_c.queued_at.desc(), _c.id.desc()).limit(IN_A_ROW)).all()
    return str(last[0].error) if len(last) == IN_A_ROW and all(row.hard for row in last) else None


def mark(connection: Connection, failing: Failing, at: datetime) -> bool:
    """False when another process marked it meanwhile."""
    new = (ADDRESS.c.id == failing.id, ADDRESS.c.failing_since.is_(None))
    values = {"failing_since": at, "failing_reason": failing.error}
    return bool(connection.execute(update(ADDRESS).where(*new).values(values)).rowcount)


def trust_again(connection: Connection, contact_id: UUID, at: datetime) -> None:
    """Somebody says that the contact's addresses are right: earlier refusals count no more."""
    values = {"failing_since": None, "failing_reason": None, "trusted_from": at}
    connection.execute(update(ADDRESS).where(ADDRESS.c.contact_id == contact_id).values(values))


def clear_reached(connection: Connection, now: datetime) -> None:
    """Take the mark from addresses that were reached after all."""
    kept = or_(_c.state == "delivered", (_c.state == "sent") & (_c.sent_at < now - SETTLES))
    reached = exists().where(_c.to_hash == ADDRESS.c.address_hash, kept, _c.queued_at > ADDRESS.c.failing_since)
    which = (ADDRESS.c.failing_since.is_not(None), reached)
    connection.execute(update(ADDRESS).where(*which).values(failing_since=None, failing_reason=None))
