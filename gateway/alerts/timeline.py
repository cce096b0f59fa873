"""What happened to a report and its alert, from the text that was heard to the last correction, in one line of time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from gateway.alerts.rows import ACT, ALERT, JOINED, RECEIVER, of_report
from gateway.reports import REPORT, Event, load_events
from gateway.sealing import Sealer
from outbox.rows import OUTBOUND

# What comes first of what happened in one moment.
ORDER = ("heard", "event", "alert", "told", "escalated", "joined", "more", "seen", "handled", "closed", "ended")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `what` is a word of ORDER; `who` an actor (`contact:ID`, `user:NAME`, `system` ...).

    `sms` and `mail` are the states of the messages that told somebody, `ref` the number of a report that joined.
    """

    at: datetime
    what: str
    who: str
    event: Event | None = None
    step: int = 0
    sms: str | None = None
    mail: str | None = None
    way: str | None = None
    ref: int | None = None
    sent_at: datetime | None = None


def story(connection: Connection, report: Row[Any], sealer: Sealer) -> list[Moment]:
    """Everything about a report (a row of `report`), oldest first; its alert too when it opened or joined one."""
    sender = f"contact:{report.contact_id}" if report.contact_id else "stranger"
    events = load_events(connection, report.id, sealer)
    moments = [Moment(report.heard_at, "heard", sender), *(Moment(one.at, "event", one.actor, one) for one in events)]
    alert = connection.execute(select(ALERT).where(of_report(report.id))).first()
    if alert is not None:
        moments += _of_alert(connection, alert)
    return sorted(moments, key=lambda moment: (moment.at, ORDER.index(moment.what)))


def _of_alert(connection: Connection, alert: Row[Any]) -> list[Moment]:
    moments = [Moment(alert.opened_at, "alert", "system")]
    if alert.more_told_at is not None:
        moments.append(Moment(alert.more_told_at, "more", "system"))
    if alert.ended_at is not None:
        moments.append(Moment(alert.ended_at, "ended", "system"))
    return moments + _told(connection, alert.id) + _joined(connection, alert.id) + _acts(connection, alert.id)


def _told(connection: Connection, alert_id: UUID) -> list[Moment]:
    sms, mail = OUTBOUND.alias("sms"), OUTBOUND.alias("mail")
    query = (
        select(RECEIVER, sms.c.state.label("sms"), mail.c.state.label("mail"), sms.c.sent_at)
        .outerjoin(sms, sms.c.id == RECEIVER.c.sms_id)
        .outerjoin(mail, mail.c.id == RECEIVER.c.mail_id)
        .where(RECEIVER.c.alert_id == alert_id)
        .order_by(RECEIVER.c.step, RECEIVER.c.id)
    )
    return [
        Moment(
            row.told_at, "escalated" if row.step else "told", f"contact:{row.contact_id}", step=row.step, sms=row.sms,
            mail=row.mail, sent_at=row.sent_at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _joined(connection: Connection, alert_id: UUID) -> list[Moment]:
    query = select(JOINED.c.added_at, REPORT.c.ref).join(REPORT, REPORT.c.id == JOINED.c.report_id)
    rows = connection.execute(query.where(JOINED.c.alert_id == alert_id).order_by(REPORT.c.ref))
    return [Moment(row.added_at, "joined", "system", ref=row.ref) for row in rows]


def _acts(connection: Connection, alert_id: UUID) -> list[Moment]:
    rows = connection.execute(select(ACT).where(ACT.c.alert_id == alert_id).order_by(ACT.c.at, ACT.c.id))
    return [Moment(row.at, row.type, row.actor, way=row.way) for row in rows]
