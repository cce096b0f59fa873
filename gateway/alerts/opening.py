"""A report becomes an alert, or joins the alert of its event."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update
from uuid_utils.compat import uuid7

from gateway.alerts.ladder import climb
from gateway.alerts.news import tell_changed, tell_more
from gateway.alerts.office import About, Office, alert_text, tell_receivers
from gateway.alerts.rows import ALERT, IS_UNSETTLED, JOINED, UNSETTLED, alert_of, event_key, is_placed
from gateway.alerts.rules import find_rule
from gateway.alerts.staff import admins, at_once, staff
from gateway.reports import REPORT, ReportState
from outbox.queue import NewMessage

HOUR = timedelta(hours=1)
OF_ONE_STRANGER = 1
OF_ALL_STRANGERS = 5
TOLD_BY_SMS = 5
STRANGERS = "strangers"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a report and when it was heard; `home_place` of a registered one."""

    sender_hash: bytes
    registered: bool
    home_place: str | None
    heard_at: datetime
    message_id: UUID


@dataclass(frozen=True, slots=True)
class Facts:
    """What an alert says of a report."""

    ref: int | None
    category: str | None
    place: str | None
    registered: bool


def lock_events(connection: Connection, keys: Collection[str]) -> None:
    """On Postgres: let no other process open an alert for one of these events until the transaction ends."""
    if connection.dialect.name != "postgresql":
        return
    numbers = {int.from_bytes(sha256(f"alert {key}".encode()).digest()[:8], "big", signed=True) for key in keys}
    for number in sorted(numbers):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": number})


def raise_alert(
    office: Office, report_id: UUID, state: ReportState, sender: Sender, rules: Sequence[Row[Any]]
) -> list[NewMessage]:
    """Alert a stored report when a rule says so; returns the messages that tell of it.

    An event that has an open or seen alert gets no second one: the report is added to it. A report that was alerted
    before and says more now (what, where) is told anew.
    """
    if state.practice:
        return []
    connection = office.connection
    known = alert_of(connection, report_id)
    key = event_key(state.place, state.event_date, state.category)
    if known is not None:
        if known.report_id == report_id:
            return tell_changed(office, known, state, key)
        if known.event_key == key or known.state not in UNSETTLED:
            return []
        connection.execute(delete(JOINED).where(JOINED.c.report_id == report_id))
    rule = find_rule(connection, rules, state, registered=sender.registered, now=office.now)
    if rule is None:
        return []
    if rule.reports is not None:
        key = event_key(state.place, state.event_date, rule.id.hex[-12:])
    lock_events(connection, {key})
    held_back = not sender.registered and _too_many(office, sender)
    event = _open_alert_of(connection, key, held_back=held_back)
    if event is not None:
        return _join(office, event, report_id)
    return _open(office, report_id, state, sender, key, rule.id, held_back=held_back)


def _open_alert_of(connection: Connection, key: str, *, held_back: bool) -> Row[Any] | None:
    """The event's alert that is open or seen. One the coordinators were not told of stands only for its like."""
    if not is_placed(key):
        return None
    query = select(ALERT).where(IS_UNSETTLED, ALERT.c.event_key == key)
    if not held_back:
        query = query.where(~ALERT.c.held_back)
    return connection.execute(query.order_by(ALERT.c.held_back, ALERT.c.opened_at).limit(1).with_for_update()).first()


def _join(office: Office, alert: Row[Any], report_id: UUID) -> list[NewMessage]:
    row = {"report_id": report_id, "alert_id": alert.id, "added_at": office.now}
    office.connection.execute(insert(JOINED), [row])
    more = update(ALERT).where(ALERT.c.id == alert.id).values(reports=ALERT.c.reports + 1)
    office.connection.execute(more)
    return tell_more(office, alert.id)


def _open(
    office: Office, report_id: UUID, state: ReportState, sender: Sender, key: str, rule_id: UUID, *,
    held_back: bool,
) -> list[NewMessage]:  # fmt: skip
    connection, alert_id = office.connection, uuid7()
    by_sms = not held_back or _recent_strangers(office, held_back=True) < TOLD_BY_SMS
    row = {
        "id": alert_id, "report_id": report_id, "state": "open", "opened_at": office.now, "event_key": key,
        "rule_id": rule_id, "held_back": held_back, "ladder_from": office.now,
    }  # fmt: skip
    connection.execute(insert(ALERT), [row])
    facts = Facts(state.ref, state.category, state.place, sender.registered)
    words = alert_text(office, "coordinator_alert", facts, sender.heard_at)
    found = staff(connection)
    people = (admins(found) if held_back else []) or at_once(found, state.place, sender.home_place)
    about = About(report_id, state.ref, sender.message_id)
    messages = tell_receivers(office, alert_id, [one.id for one in people], words, about, step=0, by_sms=by_sms)
    return messages + climb(office, alert_id)


def _too_many(office: Office, sender: Sender) -> bool:
    """Whether strangers alerted the coordinators as often as they may within the hour."""
    lock_events(office.connection, {STRANGERS})
    mine = _recent_strangers(office, sender_hash=sender.sender_hash)
    return mine >= OF_ONE_STRANGER or _recent_strangers(office) >= OF_ALL_STRANGERS


def _recent_strangers(office: Office, *, held_back: bool = False, sender_hash: bytes | None = None) -> int:
    which = [ALERT.c.opened_at > office.now - HOUR, ALERT.c.held_back == held_back, ~REPORT.c.registered]
    if sender_hash is not None:
        which.append(REPORT.c.sender_hash == sender_hash)
    query = select(func.count()).select_from(ALERT).join(REPORT, REPORT.c.id == ALERT.c.report_id).where(*which)
    return int(office.connection.scalar(query) or 0)
