"""What a person says of an alert: seen, handled, closed; and who hears of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, insert, or_, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.alerts.office import NEWS_EXPIRES_AFTER, OPT_OUT, About, Office, tell_news
from gateway.alerts.rows import ACT, ALERT, JOINED, alert_of, told_contacts
from gateway.contacts import CONTACT
from gateway.models import Message
from gateway.models.alert import STATES
from gateway.reports import REPORT
from gateway.routes import choose
from gateway.sealing import Sealer
from outbox.queue import NewMessage

MESSAGE: Table = Message.__table__  # type: ignore[attr-defined]
NAME_LENGTH = 20
RANK: Mapping[str, int] = {state: rank for rank, state in enumerate(STATES)}


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts, and by which way (a word of models.alert.WAYS); `name` may be told to other coordinators."""

    actor: str
    contact_id: UUID | None
    name: str
    way: str
    message_id: UUID | None = None

    @property
    def person(self) -> str:
        """The same by SMS and on the page, so that nobody acts twice."""
        return f"contact:{self.contact_id}" if self.contact_id else self.actor


@dataclass(frozen=True, slots=True)
class Done:
    """What an act changed: `first` when nobody had seen the alert, `again` when this person had said so."""

    first: bool
    again: bool
    messages: list[NewMessage]


def acknowledge(office: Office, alert: Row[Any], act: str, doer: Doer) -> Done:
    """Note that somebody has seen, handled or closed an alert; the first time the others and its senders are told.

    `alert` is locked. A state only goes on: VISTO on a handled alert is noted and changes nothing.
    """
    said = (ACT.c.alert_id == alert.id, ACT.c.type == act, ACT.c.actor == doer.person)
    again = office.connection.execute(select(ACT.c.id).where(*said)).first() is not None
    if not again:
        row = {
            "id": uuid7(), "alert_id": alert.id, "type": act, "actor": doer.person, "contact_id": doer.contact_id,
            "way": doer.way, "at": office.now, "message_id": doer.message_id,
        }  # fmt: skip
        office.connection.execute(insert(ACT), [row])
        audit.record(
            office.connection, at=office.now, actor=doer.actor, action=f"alert.{act}", target=str(alert.report_id),
            data={"way": doer.way},
        )  # fmt: skip
    _move(office.connection, alert, act, by=doer.contact_id, now=office.now)
    first = alert.state == "open"
    messages = [*_tell_others(office, alert, doer), *_tell_senders(office, alert, doer)] if first else []
    return Done(first, again, messages)


@dataclass(frozen=True, slots=True)
class Attends:
    """Who was the first to see an alert, and when."""

    contact_id: UUID | None
    name: str
    at: datetime


def attended_by(office: Office, alert_id: UUID) -> Attends | None:
    """The first person that said anything of the alert."""
    query = select(ACT).where(ACT.c.alert_id == alert_id).order_by(ACT.c.at, ACT.c.id).limit(1)
    row = office.connection.execute(query).first()
    if row is None:
        return None
    name = row.actor.partition(":")[2]
    if row.contact_id is not None:
        name = first_name(office.connection, row.contact_id, office.sealer)
    return Attends(row.contact_id, name, row.at)


def first_name(connection: Connection, contact_id: UUID, sealer: Sealer) -> str:
    """What a coordinator is called before other coordinators."""
    row = connection.execute(select(CONTACT.c.name_sealed).where(CONTACT.c.id == contact_id)).one()
    return sealer.open("contact", "name", contact_id, row.name_sealed).split(" ")[0][:NAME_LENGTH]


def mark(connection: Connection, report_id: UUID, state: str, *, by: UUID | None, now: datetime) -> bool:
    """Move the alert a report opened to `state`, telling nobody; False when there is none or it stands there."""
    alert = alert_of(connection, report_id)
    return alert is not None and alert.report_id == report_id and _move(connection, alert, state, by=by, now=now)


def _move(connection: Connection, alert: Row[Any], state: str, *, by: UUID | None, now: datetime) -> bool:
    if RANK[state] <= RANK[alert.state]:
        return False
    changes: dict[str, Any] = {"state": state}
    if state == "closed":
        changes["closed_at"] = now
    elif alert.seen_at is None:
        changes.update(seen_at=now, seen_by=by)
    connection.execute(update(ALERT).where(ALERT.c.id == alert.id).values(**changes))
    return True


def _tell_others(office: Office, alert: Row[Any], doer: Doer) -> list[NewMessage]:
    others = [key for key in told_contacts(office.connection, alert.id) if key != doer.contact_id]
    ref = office.connection.scalar(select(REPORT.c.ref).where(REPORT.c.id == alert.report_id))
    words = office.replies.text("seen_by_other", ref=ref, name=doer.name, time=f"{office.local(office.now):%H:%M}")
    return tell_news(office, others, words, About(alert.report_id, ref))


def _tell_senders(office: Office, alert: Row[Any], doer: Doer) -> list[NewMessage]:
    """Tell the monitors whose reports these are, where they wrote from: not the discreet, not who said BAJA.

    A borrowed phone is told nothing, the monitor's own is.
    """
    added = select(JOINED.c.report_id).where(JOINED.c.alert_id == alert.id)
    silent = select(OPT_OUT.c.address_hash)
    query = (
        select(
            REPORT.c.id.label("report_id"), REPORT.c.ref, REPORT.c.contact_id, REPORT.c.sender_hash.label("owner_hash"),
            MESSAGE.c.id, MESSAGE.c.channel, MESSAGE.c.sender_hash, MESSAGE.c.sender_sealed,
        )
        .join(MESSAGE, MESSAGE.c.id == REPORT.c.message_id)
        .join(CONTACT, CONTACT.c.id == REPORT.c.contact_id)
        .where(
            or_(REPORT.c.id == alert.report_id, REPORT.c.id.in_(added)), REPORT.c.state != "withdrawn",
            CONTACT.c.status == "active", ~CONTACT.c.discreet, REPORT.c.sender_hash.not_in(silent),
        )
        .order_by(REPORT.c.ref)
    )  # fmt: skip
    messages: list[NewMessage] = []
    done = {doer.contact_id}
    for row in office.connection.execute(query):
        if row.contact_id in done:
            continue
        done.add(row.contact_id)
        words = office.replies.text("seen_for_monitor", ref=row.ref, time=f"{office.local(office.now):%H:%M}")
        if row.sender_hash != row.owner_hash:
            messages += tell_news(office, [row.contact_id], words, About(row.report_id, row.ref))
            continue
        to = office.sealer.open("message", "sender", row.id, row.sender_sealed)
        channel = choose(office.ways, to, row.channel)
        if channel is not None:
            messages.append(
                NewMessage(
                    id=uuid7(),
                    kind="notice",
                    channel=channel,
                    to=to,
                    text=words,
                    report_id=row.report_id,
                    ref=row.ref,
                    subject=words if "@" in to else None,
                    contact_id=row.contact_id,
                    priority=0,
                    expires_at=office.now + NEWS_EXPIRES_AFTER,
                )
            )
    return messages
