"""What the receivers of an alert are told later: that more is known of it, or that others tell of it too."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from gateway.alerts.office import About, Office, alert_text, tell_news, tell_receivers
from gateway.alerts.rows import ALERT, UNSETTLED, told_contacts
from gateway.alerts.staff import covers, staff
from gateway.limits import load
from gateway.reports import REPORT, ReportState
from outbox.queue import NewMessage


def tell_more(office: Office, alert_id: UUID) -> list[NewMessage]:
    """Tell the receivers how many texts tell of the event, unless they were told a few minutes ago."""
    query = select(ALERT, REPORT.c.ref).join(REPORT, REPORT.c.id == ALERT.c.report_id).where(ALERT.c.id == alert_id)
    alert = office.connection.execute(query.with_for_update(of=ALERT)).one()
    every = timedelta(minutes=load(office.connection).whole("alert_more_minutes"))
    waits = alert.more_told_at is not None and timedelta(0) <= office.now - alert.more_told_at < every
    if waits or alert.reports <= alert.reports_told or alert.state not in UNSETTLED:
        return []
    told = update(ALERT).where(ALERT.c.id == alert_id)
    office.connection.execute(told.values(reports_told=alert.reports, more_told_at=office.now))
    words = office.replies.text("more_on_alert", ref=alert.ref, n=alert.reports)
    return tell_news(office, told_contacts(office.connection, alert_id), words, About(alert.report_id, alert.ref))


def tell_changed(office: Office, alert: Row[Any], state: ReportState, key: str) -> list[NewMessage]:
    """What or where turned out otherwise: the receivers are told anew, and the coordinators of the new place too."""
    connection = office.connection
    kind = (alert.event_key or "").rpartition("/")[2]
    if alert.event_key == key or alert.state not in UNSETTLED or kind not in office.codebook.categories:
        return []
    connection.execute(update(ALERT).where(ALERT.c.id == alert.id).values(event_key=key))
    report = connection.execute(select(REPORT).where(REPORT.c.id == alert.report_id)).one()
    words = alert_text(office, "coordinator_alert", report, report.heard_at)
    about = About(report.id, state.ref)
    told = told_contacts(connection, alert.id)
    messages = tell_news(office, told, words, about)
    fresh = [one.id for one in staff(connection) if one.role == "coordinator" and covers(one.places, state.place)]
    if not alert.held_back:
        missing = [one for one in fresh if one not in told]
        messages += tell_receivers(office, alert.id, missing, words, about, step=alert.step)
    return messages
