"""Answers to the poll: kept apart from whoever gave them, in the transaction that blanks what they wrote."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from gateway.answering import Done
from gateway.keeping import MESSAGE, QUESTION, Keeper, active_contacts
from gateway.models import PollAnswer
from gateway.plan import Heard
from gateway.sealing import Sealer
from gateway.standing import CONTACT
from outbox.rows import OUTBOUND
from parsers import ReportReading

POLL = PollAnswer.__table__  # type: ignore[attr-defined]
ANSWERS = ("victim", "category", "reported", "reason", "trust")
ENOUGH_CONTACTS = 5
ASKED_WITHIN = timedelta(days=2)


def keep_poll(keeper: Keeper, heard: Heard, report: ReportReading) -> Done:
    """Store a completed answer without a path back; a second one of the same month is thanked and not counted."""
    known = keeper.known(heard)
    if known is None:
        return Done(keeper.replies.text("please_register"), kind="notice")
    local = heard.incoming.heard_at.astimezone(ZoneInfo(keeper.codebook.zone)).date()
    month = f"{local:%Y-%m}"
    if known.poll_month != month:
        values: dict[str, Any] = {name: report.get(name) for name in ANSWERS if report.get(name) is not None}
        week = local - timedelta(days=local.weekday())
        row = {"id": uuid4(), "week": week, "place": _coarse_place(keeper, known.home_place), "answers": values}
        keeper.connection.execute(insert(POLL), [row])
        keeper.connection.execute(update(CONTACT).where(CONTACT.c.id == known.contact_id).values(poll_month=month))
    _blank_earlier(keeper, heard)
    return Done(keeper.replies.form_reply("poll"))


def _coarse_place(keeper: Keeper, place: str | None) -> str | None:
    """The municipality when enough people could have answered there, else the department."""
    if place is None or active_contacts(keeper.connection, place) >= ENOUGH_CONTACTS:
        return place
    return place[:2]


def _blank_earlier(keeper: Keeper, heard: Heard) -> None:
    keeper.flush()
    since = heard.incoming.heard_at - ASKED_WITHIN
    blank_poll(keeper.connection, keeper.sealer, heard.sender_hash, since)


def blank_poll(connection: Connection, sealer: Sealer, sender_hash: bytes, since: datetime) -> None:
    """Blank the texts, drafts and questions of a sender's poll conversation."""
    mine = (MESSAGE.c.sender_hash == sender_hash) & (MESSAGE.c.form == "poll") & (MESSAGE.c.heard_at > since)
    messages = list(connection.scalars(select(MESSAGE.c.id).where(mine)))
    for message_id in messages:
        blank = sealer.seal("message", "text", message_id, "")
        connection.execute(
            update(MESSAGE).where(MESSAGE.c.id == message_id).values(
                text_sealed=blank, raw_sealed=None, subject_sealed=None, reading_sealed=None, external_sealed=None
            )
        )  # fmt: skip
    asked = (QUESTION.c.sender_hash == sender_hash) & (QUESTION.c.form == "poll")
    connection.execute(update(QUESTION).where(asked).values(draft_sealed=None, ask="blanked", choices=[]))
    sent = OUTBOUND.c.message_id.in_(messages) & OUTBOUND.c.state.in_(("sent", "delivered", "failed", "expired"))
    for row in connection.execute(select(OUTBOUND.c.id).where(sent, OUTBOUND.c.kind == "question")).all():
        blank = sealer.seal("outbound_message", "text", row.id, "")
        connection.execute(update(OUTBOUND).where(OUTBOUND.c.id == row.id).values(text_sealed=blank, text_hash=None))
