"""One text to a person, a place or all: who gets it and what it costs, shown first; then queued, a piece at a time.

The announcement is a row under the id its preview was given, so that a form sent twice is one announcement. Its
messages are queued by a tick, each once, and go last, by day, at the rate of their channel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, func, select, update
from uuid_utils.compat import uuid7

from gateway import audit, limits
from gateway.bulk import insert_missing
from gateway.contacts import ADDRESS, CONTACT
from gateway.errors import NotFound, UsageError
from gateway.house import House
from gateway.models import Announcement
from gateway.quiet import QuietHours
from gateway.routes import choose, ways
from gateway.sealing import Sealer
from gateway.silence import OPT_OUT, within
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from outbox.segments import count, to_gsm7

ANNOUNCEMENT: Table = Announcement.__table__  # type: ignore[attr-defined]

LASTS = timedelta(days=3)
PIECE = 50
SUBJECT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Target:
    """To whom: `kind` is contact, place or all, `value` a contact's id or a place's code; never beyond `places`."""

    kind: str
    value: str | None = None
    places: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address of one person, and the channel that carries it there."""

    contact_id: UUID
    to: str
    channel: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would go out. `skipped` people have no address that may be used, or are discreet; `cost` is of all SMS."""

    text: str
    recipients: tuple[Recipient, ...]
    skipped: int
    segments: int
    cost: Decimal
    first_at: datetime


def clean_text(typed: str) -> str:
    """The text as it goes: folded to GSM-7. Raises UsageError for an empty one, or one longer than an SMS."""
    text = to_gsm7(" ".join(typed.split()))
    if not text:
        raise UsageError("Write a text.")
    if count(text).segments > 1:
        raise UsageError(f"The text is longer than one SMS: {len(text)} characters of 160.")
    return text


def preview(connection: Connection, house: House, typed: str, target: Target) -> Preview:
    """Raises UsageError, and NotFound for a person or place that is not there or not the asker's."""
    text, now, found = clean_text(typed), house.clock(), limits.load(connection)
    people = _people(connection, target)
    if not people:
        raise NotFound("There is nobody there.")
    recipients = _recipients(connection, people, target, house.sealer)
    by_sms = sum(one.to.startswith("tel:") for one in recipients)
    zone = house.codebook(connection).zone
    times = [_not_before(one, now, QuietHours.of(found), zone) for one in recipients]
    price = Decimal(str(found.value("segment_price")))
    return Preview(text, recipients, len(people) - len(recipients), by_sms, by_sms * price, min(times, default=now))


def _people(connection: Connection, target: Target) -> list[Row[Any]]:
    """The active contacts that are meant."""
    query = select(CONTACT).where(CONTACT.c.status == "active").order_by(CONTACT.c.created_at, CONTACT.c.id)
    if target.kind == "contact":
        query = query.where(CONTACT.c.id == _uuid(target.value))
    rows = [row for row in connection.execute(query) if within(row.home_place, target.places)]
    if target.kind == "place":
        rows = [row for row in rows if within(row.home_place, [target.value or ""])]
    return rows


def _uuid(value: str | None) -> UUID:
    try:
        return UUID(value or "")
    except ValueError:
        raise NotFound("There is no such contact.") from None


def _recipients(
    connection: Connection, people: Sequence[Row[Any]], target: Target, sealer: Sealer
) -> tuple[Recipient, ...]:
    """One way to each person who may be written to: the phone before the mailbox; the discreet when meant by name."""
    silent = select(OPT_OUT.c.address_hash)
    query = select(ADDRESS).where(ADDRESS.c.address_hash.not_in(silent), ADDRESS.c.failing_since.is_(None))
    order = (ADDRESS.c.kind.desc(), ADDRESS.c.preferred.desc(), ADDRESS.c.created_at, ADDRESS.c.id)
    wanted = {row.id: row for row in people if not row.discreet or target.kind == "contact"}
    carried, found = ways(connection), dict[UUID, Recipient]()
    for row in connection.execute(query.order_by(*order)):
        if row.contact_id not in wanted or row.contact_id in found:
            continue
        to = sealer.open("contact_address", "address", row.id, row.address_sealed)
        channel = choose(carried, to)
        if channel is not None:
            found[row.contact_id] = Recipient(row.contact_id, to, channel, wanted[row.contact_id].zone)
    return tuple(found[key] for key in wanted if key in found)


def _not_before(one: Recipient, now: datetime, quiet: QuietHours, zone: str) -> datetime:
    return quiet.release(now, one.zone or zone) if one.to.startswith("tel:") else now


def announce(connection: Connection, house: House, key: UUID, shown: Preview, target: Target, actor: str) -> bool:
    """Keep what was confirmed under `key`; False when it was kept before. The messages follow by the next tick."""
    now, sealer = house.clock(), house.sealer
    row = {
        "id": key, "made_at": now, "actor": actor, "target_kind": target.kind, "target": target.value,
        "places": None if target.places is None else list(target.places),
        "text_sealed": sealer.seal("announcement", "text", key, shown.text), "recipients": len(shown.recipients),
        "segments": shown.segments,
    }  # fmt: skip
    kept = insert_missing(connection, ANNOUNCEMENT).values(row).returning(ANNOUNCEMENT.c.id)
    if connection.execute(kept).first() is None:
        return False
    facts = {"to": target.kind, "recipients": len(shown.recipients), "segments": shown.segments}
    audit.record(connection, at=now, actor=actor, action="announcement.send", target=str(key), data=facts)
    return True


def queue_announcements(house: House) -> int:
    """Queue the messages of what was announced, a piece in each transaction; returns how many were queued."""
    total = 0
    open_ones = select(ANNOUNCEMENT.c.id).where(ANNOUNCEMENT.c.queued_at.is_(None)).order_by(ANNOUNCEMENT.c.made_at)
    for key in house.read_now(lambda connection: list(connection.scalars(open_ones))):
        while queued := house.writer.write_now(partial(_queue_some, house=house, key=key)):
            total += queued
    return total


def _queue_some(connection: Connection, house: House, key: UUID) -> int:
    """The next messages of one announcement; 0 when all are queued."""
    row = connection.execute(select(ANNOUNCEMENT).where(ANNOUNCEMENT.c.id == key).with_for_update()).one()
    if row.queued_at is not None:
        return 0
    done = set(connection.scalars(select(OUTBOUND.c.contact_id).where(OUTBOUND.c.about_id == key)))
    target = Target(row.target_kind, row.target, None if row.places is None else tuple(row.places))
    people = _people(connection, target)
    rest = [one for one in _recipients(connection, people, target, house.sealer) if one.contact_id not in done][:PIECE]
    now, text = house.clock(), house.sealer.open("announcement", "text", key, row.text_sealed)
    quiet, zone = QuietHours.of(limits.load(connection)), house.codebook(connection).zone
    messages = [_message(one, key, text, _not_before(one, now, quiet, zone)) for one in rest]
    enqueue(connection, messages, seals=house.sealer, now=now)
    if not rest:
        connection.execute(update(ANNOUNCEMENT).where(ANNOUNCEMENT.c.id == key).values(queued_at=now))
    return len(rest)


def _message(one: Recipient, key: UUID, text: str, not_before: datetime) -> NewMessage:
    is_mail = one.to.startswith("mailto:")
    return NewMessage(
        id=uuid7(), kind="announcement", channel=one.channel, to=one.to, text=text, contact_id=one.contact_id,
        subject=text[:SUBJECT_LENGTH] if is_mail else None, about_id=key, not_before=not_before,
        headers={"Auto-Submitted": "auto-generated"} if is_mail else None, expires_at=not_before + LASTS,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """An announcement as it stands: how many of its messages are in each state of the outbox."""

    id: UUID
    made_at: datetime
    actor: str
    target_kind: str
    target: str | None
    text: str
    recipients: int
    states: Mapping[str, int]


def progress(connection: Connection, sealer: Sealer, *, actor: str | None = None, limit: int = 50) -> list[Progress]:
    """The latest announcements, of one actor or of all."""
    query = select(ANNOUNCEMENT).order_by(ANNOUNCEMENT.c.made_at.desc(), ANNOUNCEMENT.c.id.desc()).limit(limit)
    rows = connection.execute(query if actor is None else query.where(ANNOUNCEMENT.c.actor == actor)).all()
    counted = select(OUTBOUND.c.about_id, OUTBOUND.c.state, func.count().label("number"))
    counted = counted.where(OUTBOUND.c.about_id.in_([row.id for row in rows]))
    states: dict[UUID, dict[str, int]] = {}
    for found in connection.execute(counted.group_by(OUTBOUND.c.about_id, OUTBOUND.c.state)):
        states.setdefault(found.about_id, {})[found.state] = found.number
    return [
        Progress(
            row.id, row.made_at, row.actor, row.target_kind, row.target,
            sealer.open("announcement", "text", row.id, row.text_sealed), row.recipients, states.get(row.id, {}),
        )
        for row in rows
    ]  # fmt: skip
