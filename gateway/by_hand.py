"""Reading by hand: what a person makes of a text that the reader could not read."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.alerts import Sender, load_rules, office_of, raise_alert
from gateway.errors import Conflict, NotFound
from gateway.house import House
from gateway.keeping import MESSAGE, take_numbers
from gateway.practice import practised
from gateway.replies import Replies
from gateway.reports import EVENT, REPORT, Event, ReportState, fold, new_event_row, reading_data, state_columns
from gateway.routes import choose, ways
from gateway.standing import CONTACT, OPT_OUT
from outbox.queue import NewMessage
from outbox.rows import enqueue
from parsers import ReportReading

UNSETTLED = ("unread", "asked", "held", "spam", "auto_reply")


def make_report(
    connection: Connection, house: House, message_id: UUID, reading: ReportReading, *, at: datetime, actor: str
) -> UUID:
    """Turn a text into the report a person saw in it: numbered, alerted when urgent, confirmed to the sender.

    Raises NotFound, and Conflict when the text was settled meanwhile.
    """
    message = _unsettled(connection, message_id)
    codebook = house.codebook(connection)
    data, private = reading_data(reading, codebook, practice=message.practice)
    if not message.practice:
        data["ref"] = next(take_numbers(connection, 1))
    data["by_hand"] = True
    event = Event("accepted", at, actor, data, private, message_id)
    state = fold([event])
    report_id = _insert(connection, house, message, event, state)
    settled = {"state": "read", "reason": None, "form": reading.form}
    connection.execute(update(MESSAGE).where(MESSAGE.c.id == message_id).values(**settled))
    audit.record(connection, at=at, actor=actor, action="message.read_by_hand", target=str(message_id))
    replies = Replies(codebook)
    messages = [*_alert(connection, house, message, report_id, state, at)]
    messages += _confirmation(connection, house, message, report_id, state, replies)
    enqueue(connection, messages, seals=house.sealer, now=at)
    return report_id


def mark_spam(connection: Connection, message_id: UUID, *, at: datetime, actor: str) -> None:
    """Raises NotFound, and Conflict when the text has become a report."""
    _unsettled(connection, message_id)
    connection.execute(update(MESSAGE).where(MESSAGE.c.id == message_id).values(state="spam", reason="by_hand"))
    audit.record(connection, at=at, actor=actor, action="message.spam", target=str(message_id))


def _unsettled(connection: Connection, message_id: UUID) -> Row[Any]:
    row = connection.execute(select(MESSAGE).where(MESSAGE.c.id == message_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such message.")
    reported = connection.execute(select(REPORT.c.id).where(REPORT.c.message_id == message_id).limit(1)).first()
    if row.state not in UNSETTLED or reported or row.form == "poll":
        raise Conflict("This text was settled meanwhile.")
    return row


def _insert(connection: Connection, house: House, message: Row[Any], event: Event, state: ReportState) -> UUID:
    report_id: UUID = uuid7()
    row = {
        "id": report_id, "node_id": house.node_id, "message_id": message.id, "contact_id": message.contact_id,
        "sender_hash": message.sender_hash, "registered": message.contact_id is not None,
        "sent_at": message.sent_at, "heard_at": message.heard_at, "created_at": event.at,
        **state_columns(report_id, state, house.sealer),
    }  # fmt: skip
    connection.execute(insert(REPORT), [row])
    event_row = new_event_row(report_id, house.node_id, 1, event, place=state.place, sealer=house.sealer)
    connection.execute(insert(EVENT), [event_row])
    return report_id


def _alert(
    connection: Connection, house: House, message: Row[Any], report_id: UUID, state: ReportState, at: datetime
) -> list[NewMessage]:
    home = connection.scalar(select(CONTACT.c.home_place).where(CONTACT.c.id == message.contact_id))
    sender = Sender(message.sender_hash, message.contact_id is not None, home, message.heard_at, message.id)
    office = replace(office_of(connection, house), now=at, prefer=message.channel)
    return raise_alert(office, report_id, state, sender, load_rules(connection))


def _confirmation(
    connection: Connection, house: House, message: Row[Any], report_id: UUID, state: ReportState, replies: Replies
) -> list[NewMessage]:
    """What the sender is told, unless there is no way to, or the sender said BAJA."""
    to = house.sealer.open("message", "sender", message.id, message.sender_sealed)
    silent = connection.execute(select(OPT_OUT.c.since).where(OPT_OUT.c.address_hash == message.sender_hash)).first()
    channel = choose(ways(connection), to, message.channel)
    if channel is None or silent or message.contact_id is None:
        return []
    discreet = bool(connection.scalar(select(CONTACT.c.discreet).where(CONTACT.c.id == message.contact_id)))
    text = practised(replies, state) if state.practice else replies.confirmation(state, discreet=discreet)
    subject = text if to.startswith("mailto:") else None
    return [
        NewMessage(
            id=uuid7(),
            kind="confirmation",
            channel=channel,
            to=to,
            text=text,
            subject=subject,
            message_id=message.id,
            report_id=report_id,
            ref=state.ref,
            contact_id=message.contact_id,
        )
    ]
