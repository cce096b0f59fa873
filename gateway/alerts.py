"""Urgent reports: who is told at once, and who has seen it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update
from uuid_utils.compat import uuid7

from gateway.models import Alert, Contact, ContactAddress, OptOut
from gateway.replies import Replies
from gateway.reports import ReportState
from gateway.routes import Way, choose
from gateway.sealing import Sealer
from outbox.queue import NewMessage

ADDRESS = ContactAddress.__table__  # type: ignore[attr-defined]
ALERT = Alert.__table__  # type: ignore[attr-defined]
CONTACT = Contact.__table__  # type: ignore[attr-defined]
OPT_OUT = OptOut.__table__  # type: ignore[attr-defined]

EXPIRES_AFTER = timedelta(days=3)


def covers(places: Sequence[str], place: str | None) -> bool:
    """Whether a coordinator's places (2- or 4-digit codes) hold `place`."""
    return place is not None and (place in places or place[:2] in places)


def receivers(connection: Connection, place: str | None, home_place: str | None) -> list[Row[Any]]:
    """Active coordinators of the place, else of the sender's home, else every admin: never nobody if anybody is."""
    people = connection.execute(
        select(CONTACT).where(CONTACT.c.role.in_(("coordinator", "admin")), CONTACT.c.status == "active")
    ).all()
    coordinators = [row for row in people if row.role == "coordinator"]
    for where in (place, home_place):
        found = [row for row in coordinators if covers(row.places, where)]
        if found:
            return found
    return [row for row in people if row.role == "admin"] or coordinators


def open_alert(
    connection: Connection, report_id: UUID, state: ReportState, *, home_place: str | None, registered: bool,
    heard_at: datetime, message_id: UUID, replies: Replies, ways: Sequence[Way], prefer: str, sealer: Sealer,
    now: datetime,
) -> list[NewMessage]:  # fmt: skip
    """Open the alert of a report once; returns the messages that tell it. The report row must be stored already."""
    if connection.scalar(select(ALERT.c.id).where(ALERT.c.report_id == report_id)) is not None:
        return []
    connection.execute(insert(ALERT), [{"id": uuid7(), "report_id": report_id, "state": "open", "opened_at": now}])
    text = alert_text(state, replies, heard_at, registered=registered)
    people = {row.id for row in receivers(connection, state.place, home_place)}
    silent = select(OPT_OUT.c.address_hash)
    query = select(ADDRESS).where(ADDRESS.c.contact_id.in_(people), ADDRESS.c.address_hash.not_in(silent))
    messages = []
    for row in connection.execute(query):
        to = sealer.open("contact_address", "address", row.id, row.address_sealed)
        channel = choose(ways, to, prefer)
        if channel is not None:
            messages.append(
                NewMessage(
                    id=uuid7(),
                    kind="alert",
                    channel=channel,
                    to=to,
                    text=text,
                    subject=text if row.kind == "mailto" else None,
                    message_id=message_id,
                    report_id=report_id,
                    ref=state.ref,
                    contact_id=row.contact_id,
                    expires_at=now + EXPIRES_AFTER,
                )
            )
    return messages


def alert_text(state: ReportState, replies: Replies, heard_at: datetime, *, registered: bool) -> str:
    local = heard_at.astimezone(ZoneInfo(replies.codebook.zone))
    category = replies.category(state.category)
    if not registered:
        category = f"{category} ({replies.codebook.replies['word.unregistered']})"
    return replies.text(
        "coordinator_alert", ref=state.ref, category=category, place=replies.place(state.place),
        time=f"{local:%d/%m %H:%M}",
    )  # fmt: skip


def mark(connection: Connection, report_id: UUID, state: str, *, by: UUID | None, now: datetime) -> bool:
    """Move a report's alert to `seen`, `handled` or `closed`; False when there is none or it stands there already."""
    row = connection.execute(select(ALERT).where(ALERT.c.report_id == report_id).with_for_update()).first()
    if row is None or row.state == "closed" or (state == "seen" and row.state != "open"):
        return False
    changes: dict[str, Any] = {"state": state}
    if state == "seen":
        changes.update(seen_at=now, seen_by=by)
    if state == "closed":
        changes["closed_at"] = now
    connection.execute(update(ALERT).where(ALERT.c.id == row.id).values(**changes))
    return True
