"""What went out because of a text or a report, with every try at sending it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from gateway.sealing import Sealer
from gateway.web.labels import mask
from outbox.models import SendAttempt
from outbox.rows import OUTBOUND

ATTEMPT: Table = SendAttempt.__table__  # type: ignore[attr-defined]
SHOWN_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Sent:
    """An outbound message opened for a page: the address is masked."""

    row: Row[Any]
    to: str
    text: str
    subject: str | None
    attempts: tuple[Row[Any], ...] = ()


def answers_to(connection: Connection, message_id: UUID, sealer: Sealer) -> list[Sent]:
    """What a text caused to be sent, oldest first."""
    return _opened(connection, OUTBOUND.c.message_id == message_id, sealer)


def told_of(connection: Connection, report_id: UUID, message_id: UUID, sealer: Sealer) -> list[Sent]:
    """What was sent about a report or its first text, oldest first."""
    return _opened(connection, or_(OUTBOUND.c.report_id == report_id, OUTBOUND.c.message_id == message_id), sealer)


def _opened(connection: Connection, which: ColumnElement[bool], sealer: Sealer) -> list[Sent]:
    rows = list(connection.execute(select(OUTBOUND).where(which).order_by(OUTBOUND.c.id).limit(SHOWN_AT_MOST)))
    attempts: dict[UUID, list[Row[Any]]] = {}
    tries = select(ATTEMPT).where(ATTEMPT.c.outbound_id.in_([row.id for row in rows])).order_by(ATTEMPT.c.number)
    for attempt in connection.execute(tries):
        attempts.setdefault(attempt.outbound_id, []).append(attempt)
    return [open_sent(row, sealer, tuple(attempts.get(row.id, ()))) for row in rows]


def open_sent(row: Row[Any], sealer: Sealer, attempts: tuple[Row[Any], ...] = ()) -> Sent:
    table = OUTBOUND.name
    to = mask(sealer.open(table, "to", row.id, row.to_sealed))
    text = sealer.open(table, "text", row.id, row.text_sealed)
    return Sent(row, to, text, sealer.open_optional(table, "subject", row.id, row.subject_sealed), attempts)
