"""The rows of alerts: which belongs to a report, which stands for an event, whom it was sent to."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, exists, func, literal_column, or_, select

from gateway.models import Alert, AlertAct, AlertReceiver, AlertReport

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
ACT: Table = AlertAct.__table__  # type: ignore[attr-defined]
JOINED: Table = AlertReport.__table__  # type: ignore[attr-defined]
RECEIVER: Table = AlertReceiver.__table__  # type: ignore[attr-defined]

UNSETTLED = ("open", "seen")
# Literals, not parameters: only then do both databases use the partial index of these states.
IS_UNSETTLED: ColumnElement[bool] = literal_column("alert.state IN ('open', 'seen')")
OTHER = "OTR"
UNKNOWN = "-"


def event_key(place: str | None, day: date | str | None, kind: str | None) -> str:
    """What makes two texts tell of one event: municipality, day and category."""
    return f"{place or UNKNOWN}/{day or UNKNOWN}/{kind or OTHER}"


def is_placed(key: str) -> bool:
    """Whether the event's place is known, without which no two texts can be said to tell of one event."""
    return not key.startswith(f"{UNKNOWN}/")


def of_report(report_id: UUID) -> ColumnElement[bool]:
    """The alert a report opened or was added to."""
    added = select(JOINED.c.alert_id).where(JOINED.c.report_id == report_id)
    return or_(ALERT.c.report_id == report_id, ALERT.c.id.in_(added))


def alert_of(connection: Connection, report_id: UUID) -> Row[Any] | None:
    """The alert of a report, locked until the transaction ends."""
    return connection.execute(select(ALERT).where(of_report(report_id)).with_for_update()).first()


def was_sent_to(contact_id: UUID) -> ColumnElement[bool]:
    """Alerts that were sent to a contact, by the columns of ALERT."""
    return exists().where(RECEIVER.c.alert_id == ALERT.c.id, RECEIVER.c.contact_id == contact_id)


def told_contacts(connection: Connection, alert_id: UUID) -> list[UUID]:
    """Whom an alert was sent to so far, in the order of being told."""
    query = (
        select(RECEIVER.c.contact_id).where(RECEIVER.c.alert_id == alert_id).order_by(RECEIVER.c.step, RECEIVER.c.id)
    )
    return list(dict.fromkeys(connection.scalars(query)))


def open_alerts(connection: Connection) -> tuple[int, datetime | None]:
    """How many alerts nobody has seen, and since when the oldest of them waits."""
    waiting = select(func.count(), func.min(ALERT.c.opened_at)).where(IS_UNSETTLED, ALERT.c.state == "open")
    number, oldest = connection.execute(waiting).one()
    return int(number), oldest
