"""What becomes of an alert when its report is corrected or withdrawn."""

from uuid import UUID

from sqlalchemy import update

from gateway.alerts.news import tell_changed
from gateway.alerts.office import About, Office, tell_news
from gateway.alerts.rows import ALERT, alert_of, event_key, told_contacts
from gateway.reports import Event, ReportState
from outbox.queue import NewMessage


def follow(office: Office, report_id: UUID, state: ReportState, event: Event) -> list[NewMessage] | None:
    """Tell the receivers what a correction changed: that it is over, or that it was something or somewhere else.

    None when the report opened no alert. The alert itself stays until somebody settles it.
    """
    alert = alert_of(office.connection, report_id)
    if alert is None or alert.report_id != report_id:
        return None
    key = event_key(state.place, state.event_date, state.category)
    withdrawn = event.type == "withdrawn"
    if not withdrawn and not ("category" in event.data and state.category in office.codebook.ending):
        return tell_changed(office, alert, state, key)
    if alert.state == "closed" or alert.ended_at is not None:
        return []
    over = update(ALERT).where(ALERT.c.id == alert.id).values(ended_at=office.now, event_key=key)
    office.connection.execute(over)
    replies = office.replies
    category = replies.codebook.replies["word.deleted"] if withdrawn else replies.category(state.category)
    words = replies.text("ended", ref=state.ref, category=category, place=replies.place(state.place))
    return tell_news(office, told_contacts(office.connection, alert.id), words, About(report_id, state.ref))
