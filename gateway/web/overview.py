"""What matters now: today's figures, urgent reports that are open, texts that wait, and how the channels are."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select
from starlette.responses import Response

from gateway.alerts import ALERT
from gateway.clock import local_day
from gateway.keeping import MESSAGE
from gateway.reports import REPORT
from gateway.routes import CHANNEL
from gateway.web.access import in_places
from gateway.web.contacts import count_pending
from gateway.web.labels import Labels
from gateway.web.messages import count_unread
from gateway.web.visit import Page, Visit
from outbox.queue import waiting

URGENT_SHOWN = 20


async def show(visit: Visit) -> Response:
    return visit.render("overview.html", **await visit.house.read(lambda connection: load(connection, visit)))


def load(connection: Connection, visit: Visit) -> dict[str, Any]:
    """Only what the person's role may see; counts are by the local day."""
    labels = Labels(visit.house.codebook(connection), visit.t)
    zone = ZoneInfo(labels.codebook.zone)
    midnight = datetime.combine(local_day(visit.house.clock(), labels.codebook.zone), time(), zone)
    cases, pipes = visit.may("reports"), visit.may("channels")
    return {
        "labels": labels,
        "reports": count_reports(connection, midnight, visit.places),
        "texts": _count_texts(connection, midnight) if visit.places is None else None,
        "unread": count_unread(connection, visit) if cases else 0,
        "urgent": urgent_open(connection, visit.places) if cases else [],
        "pending": count_pending(connection) if visit.may("contacts") else 0,
        "channels": list(connection.execute(select(CHANNEL).order_by(CHANNEL.c.created_at))) if pipes else [],
        "queues": waiting(connection) if pipes else {},
    }


def count_reports(connection: Connection, since: datetime, places: tuple[str, ...] | None) -> int:
    """Reports of registered senders made since then, without practice and drafts."""
    query = select(func.count()).select_from(REPORT).where(REPORT.c.created_at >= since, REPORT.c.state != "draft")
    query = query.where(REPORT.c.registered, ~REPORT.c.practice)
    # Not the bare column: today's reports are few, those of a place are many, and its index must not be taken.
    bound = in_places(func.coalesce(REPORT.c.place, ""), places)
    return int(connection.scalar(query if bound is None else query.where(bound)) or 0)


def _count_texts(connection: Connection, since: datetime) -> int:
    return int(connection.scalar(select(func.count()).select_from(MESSAGE).where(MESSAGE.c.heard_at >= since)) or 0)


def urgent_open(connection: Connection, places: tuple[str, ...] | None) -> list[Row[Any]]:
    """Reports whose alert nobody has handled yet, newest first."""
    columns = (REPORT.c.id, REPORT.c.ref, REPORT.c.form, REPORT.c.category, REPORT.c.place, REPORT.c.heard_at)
    query = (
        select(*columns, ALERT.c.state.label("alert_state"))
        .join(ALERT, ALERT.c.report_id == REPORT.c.id)
        .where(ALERT.c.state.in_(("open", "seen")))
    )
    bound = in_places(REPORT.c.place, places)
    query = query if bound is None else query.where(bound)
    return list(connection.execute(query.order_by(ALERT.c.opened_at.desc()).limit(URGENT_SHOWN)))


PAGES = (Page("GET", "/", "overview", show),)
