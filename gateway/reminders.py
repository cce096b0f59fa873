"""What the gateway says of its own accord: a question that stayed open is asked once more the next morning."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select, update
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.conversation import Asked
from gateway.drafts import load_report
from gateway.house import House
from gateway.keeping import QUESTION
from gateway.quiet import QuietHours
from gateway.replies import Replies
from gateway.reports import REPORT
from gateway.routes import choose, ways
from gateway.standing import MESSAGE, OPT_OUT
from outbox.queue import NewMessage, enqueue
from outbox.segments import count

ASKED_WITHIN = timedelta(days=2)
ANSWER_WITHIN = timedelta(hours=24)
PIECE = 50


def ask_again(house: House) -> int:
    """Ask once more about drafts whose question was not answered yesterday; returns how many were asked."""
    total = 0
    while True:
        asked = house.writer.write_now(lambda connection: _ask_some(connection, house))
        total += asked
        if asked < PIECE:
            return total


def _ask_some(connection: Connection, house: House) -> int:
    now, book = house.clock(), house.codebook(connection)
    quiet = QuietHours.of(limits.load(connection))
    local = now.astimezone(ZoneInfo(book.zone))
    if local.time() < quiet.until or quiet.holds(now, book.zone):
        return 0
    midnight = datetime.combine(local.date(), time(), local.tzinfo)
    asked_at = QUESTION.c.asked_at
    query = (
        select(QUESTION, REPORT.c.ref, REPORT.c.event_date, MESSAGE.c.channel, MESSAGE.c.sender_sealed)
        .join(REPORT, REPORT.c.id == QUESTION.c.report_id)
        .join(MESSAGE, MESSAGE.c.id == QUESTION.c.message_id)
        .where(
            QUESTION.c.state.in_(("open", "expired")), REPORT.c.state == "draft", ~REPORT.c.practice,
            QUESTION.c.asked_again_at.is_(None),
            asked_at < midnight, asked_at > now - ASKED_WITHIN, QUESTION.c.draft_sealed.is_not(None),
            QUESTION.c.sender_hash.not_in(select(OPT_OUT.c.address_hash)),
        )
        .order_by(asked_at)
        .limit(PIECE)
    )  # fmt: skip
    rows: list[Any] = list(connection.execute(query))
    messages = [message for row in rows if (message := _again(connection, row, house, Replies(book), now))]
    enqueue(connection, messages, seals=house.sealer, now=now)
    return len(rows)


def _again(connection: Connection, row: Row[Any], house: House, replies: Replies, now: datetime) -> NewMessage | None:
    """Open the question again and give the message that asks it; None when the sender has a newer one."""
    change = update(QUESTION).where(QUESTION.c.id == row.id)
    newer = select(QUESTION.c.id).where(
        QUESTION.c.sender_hash == row.sender_hash, QUESTION.c.state == "open", QUESTION.c.id != row.id
    )
    to = house.sealer.open("message", "sender", row.message_id, row.sender_sealed)
    channel = choose(ways(connection), to, row.channel)
    if connection.scalar(newer) is not None or channel is None:
        connection.execute(change.values(asked_again_at=now))
        return None
    connection.execute(change.values(state="open", ended_at=None, asked_again_at=now, expires_at=now + ANSWER_WITHIN))
    draft = load_report(house.sealer.open("open_question", "draft", row.id, row.draft_sealed))
    question = replies.question(Asked(row.ask, draft, tuple(row.choices), ref=row.ref), None)
    text = replies.text("asked_again", date=replies.date(row.event_date), question=question)
    if count(text).segments > 1:
        text = question
    return NewMessage(
        id=uuid7(), kind="question", channel=channel, to=to, text=text, subject=text if "@" in to else None,
        message_id=row.message_id, report_id=row.report_id, ref=row.ref, expires_at=now + ANSWER_WITHIN,
    )  # fmt: skip
