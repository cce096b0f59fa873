"""The ladder: an alert nobody has seen goes to the next coordinator, then to the admins, once a step.

What is due is computed from the alert's rows and the wall clock. A step whose receivers cannot be reached (the SMS
failed, expired or was cancelled, or they said BAJA) is followed by the next at once.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Table,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from gateway.alerts.news import tell_more
from gateway.alerts.office import OPT_OUT, About, Office, alert_text, office_of, tell_receivers
from gateway.alerts.rows import ALERT, IS_UNSETTLED, RECEIVER, told_contacts
from gateway.alerts.staff import CONTACT, STEPS, Crowd, staff
from gateway.house import House
from gateway.limits import Limits, load
from gateway.models import ContactAddress
from gateway.reports import REPORT
from outbox.queue import NewMessage, enqueue
from outbox.review import MERGED
from outbox.rows import OUTBOUND

ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]
LAST = max(STEPS)
TIMED: Mapping[int, str] = {1: "alert_next_minutes", 2: "alert_admin_minutes"}
DEAD = ("failed", "expired", "cancelled")
SKEW = timedelta(minutes=1)
WATCHED = timedelta(days=4)
IS_OPEN: ColumnElement[bool] = literal_column("alert.state = 'open'")


def escalate_due(house: House) -> int:
    """Take every alert whose time has come a step further; returns how many messages that made."""
    due = house.read_now(lambda connection: _due(connection, house.clock()))
    return sum(house.writer.write_now(partial(_climb, house=house, key=key)) for key in due)


def tell_more_due(house: House) -> int:
    """Tell of the further texts that came while their receivers were not to be told again."""
    waiting = select(ALERT.c.id).where(IS_UNSETTLED, ALERT.c.reports > ALERT.c.reports_told)
    keys = house.read_now(lambda connection: list(connection.scalars(waiting)))

    return sum(house.writer.write_now(partial(_tell_more, house=house, key=key)) for key in keys)


def _climb(connection: Connection, house: House, key: UUID) -> int:
    return _send(connection, house, climb(office_of(connection, house), key))


def _tell_more(connection: Connection, house: House, key: UUID) -> int:
    return _send(connection, house, tell_more(office_of(connection, house), key))


def _send(connection: Connection, house: House, messages: list[NewMessage]) -> int:
    enqueue(connection, messages, seals=house.sealer, now=house.clock())
    return len(messages)


def climb(office: Office, alert_id: UUID) -> list[NewMessage]:
    """Take one alert as far as it must go now. Another process that is at it is left to do so."""
    connection = office.connection
    query = select(ALERT).where(ALERT.c.id == alert_id, ALERT.c.state == "open", ~ALERT.c.held_back)
    alert = connection.execute(query.with_for_update(skip_locked=True)).first()
    if alert is None:
        return []
    limits, step, messages = load(connection), alert.step, []
    since = _since(alert, limits, office.now)
    while step < LAST and (
        _is_time(step + 1, since, limits, office.now) or not _is_reached(connection, alert.id, step)
    ):
        step += 1
        messages += _tell_step(office, alert, step)
    connection.execute(update(ALERT).where(ALERT.c.id == alert.id).values(step=step, ladder_from=since))
    return messages


def _tell_step(office: Office, alert: Row[Any], step: int) -> list[NewMessage]:
    report = office.connection.execute(select(REPORT).where(REPORT.c.id == alert.report_id)).one()
    told = told_contacts(office.connection, alert.id)
    chosen = STEPS[step](Crowd(staff(office.connection), told))
    words = alert_text(office, "escalation", report, report.heard_at, n=step)
    about = About(report.id, report.ref, report.message_id)
    return tell_receivers(office, alert.id, [one.id for one in chosen], words, about, step=step)


def _due(connection: Connection, now: datetime) -> list[UUID]:
    """Open alerts that have a step to take, the oldest first."""
    limits = load(connection)
    # Nothing is sent later than this of what the last timed step told, so nothing can fail any more.
    watched = or_(ALERT.c.step < max(TIMED), ALERT.c.opened_at > now - WATCHED)
    query = select(ALERT).where(IS_UNSETTLED, IS_OPEN, ~ALERT.c.held_back, ALERT.c.step < LAST, watched)
    rows = connection.execute(query.order_by(ALERT.c.opened_at))
    return [
        row.id
        for row in rows
        if _is_time(row.step + 1, _since(row, limits, now), limits, now)
        or _since(row, limits, now) != (row.ladder_from or row.opened_at)
        or not _is_reached(connection, row.id, row.step)
    ]


def _since(alert: Row[Any], limits: Limits, now: datetime) -> datetime:
    """From when the steps are counted. A clock that was set back leaves what stood before the next step at most."""
    since: datetime = alert.ladder_from or alert.opened_at
    return now - _after(alert.step, limits) if since > now + SKEW else since


def _after(step: int, limits: Limits) -> timedelta:
    """How long after the alert a step is due; the later ones never before the earlier ones."""
    minutes = [limits.whole(name) for number, name in TIMED.items() if number <= step]
    return timedelta(minutes=max(minutes, default=0))


def _is_time(step: int, since: datetime, limits: Limits, now: datetime) -> bool:
    return step in TIMED and now - since >= _after(step, limits)


def _is_reached(connection: Connection, alert_id: UUID, step: int) -> bool:
    """Whether somebody told at this step may still read it: by SMS, or by mail who has no phone."""
    sms, mail = OUTBOUND.alias("sms"), OUTBOUND.alias("mail")
    phones = (ADDRESS.c.contact_id == RECEIVER.c.contact_id, ADDRESS.c.kind == "tel")
    query = (
        select(
            RECEIVER.c.sms_id, RECEIVER.c.mail_id, _is_dead(sms).label("sms"), _is_dead(mail).label("mail"),
            exists().where(OPT_OUT.c.address_hash == sms.c.to_hash).label("said_baja"),
            exists().where(*phones, ADDRESS.c.address_hash == OPT_OUT.c.address_hash).label("has_silent_phone"),
        )
        .join(CONTACT, CONTACT.c.id == RECEIVER.c.contact_id)
        .outerjoin(sms, sms.c.id == RECEIVER.c.sms_id)
        .outerjoin(mail, mail.c.id == RECEIVER.c.mail_id)
        .where(RECEIVER.c.alert_id == alert_id, RECEIVER.c.step == step, CONTACT.c.status == "active")
    )  # fmt: skip
    return any(
        not (row.sms or row.said_baja) if row.sms_id else row.mail_id and not (row.mail or row.has_silent_phone)
        for row in connection.execute(query)
    )


def _is_dead(sent: FromClause) -> ColumnElement[bool]:
    """Nothing will be delivered of it; what was merged into another message was said by that one."""
    return and_(sent.c.state.in_(DEAD), func.coalesce(sent.c.error, "") != MERGED)


def keep_ladder(connection: Connection, step: timedelta) -> int:
    """After the clock was set forward by `step`: nobody had that time to answer."""
    query = select(ALERT.c.id, ALERT.c.ladder_from, ALERT.c.opened_at).where(IS_UNSETTLED, IS_OPEN)
    rows = connection.execute(query).all()
    for row in rows:
        since = (row.ladder_from or row.opened_at) + step
        connection.execute(update(ALERT).where(ALERT.c.id == row.id).values(ladder_from=since))
    return len(rows)
