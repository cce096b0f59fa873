"""When a channel cannot send, what waits there goes by the next channel of its route.

Only along rules that an admin wrote, and only what was certainly not handed over: a message whose last try has an
unknown end stays where it is, because the provider may hold it. An SMS that failed for good goes by e-mail when its
person has a mailbox; alerts went there anyway.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, exists, select, update
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.house import House
from gateway.models import ContactAddress, OptOut
from gateway.routes import CHANNEL, Ways, can_carry, choose, rules, ways
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND

ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
PIECE = 200
AT_ONCE = 2000
# What failed longer ago is left alone: it was seen to, or nobody waits for it.
FAILED_WITHIN = timedelta(hours=1)
BY_MAIL_INSTEAD = ("confirmation", "question", "notice", "digest", "reminder", "announcement")
SUBJECT = 70

_c = OUTBOUND.c


@dataclass(frozen=True, slots=True)
class Trouble:
    """A channel that cannot send, since when, and why (a code, or its state)."""

    name: str
    since: datetime
    why: str


def reroute(house: House) -> int:
    """Move what waits on channels in trouble; returns how many messages went another way."""
    if not house.read_now(rules):
        return 0
    moved, after = 0, UUID(int=0)
    while moved < AT_ONCE:
        look = _Look(house, after)
        moved += house.writer.write_now(look.move)
        if look.last is None:
            return moved
        after = look.last
    return moved


def mail_instead(house: House) -> int:
    """Send by e-mail what failed for good by SMS; returns how many."""
    return house.writer.write_now(lambda connection: _mail_some(connection, house))


class _Look:
    """One piece of the queues of channels in trouble, behind the id `after`."""

    def __init__(self, house: House, after: UUID) -> None:
        self._house = house
        self._after = after
        self.last: UUID | None = None

    def move(self, connection: Connection) -> int:
        now, set_limits = self._house.clock(), limits.load(connection)
        patience = {
            urgent: timedelta(minutes=set_limits.whole(name))
            for urgent, name in ((False, "fallback_minutes"), (True, "fallback_alert_minutes"))
        }
        found, troubles = ways(connection), list(_troubles(connection))
        if not troubles:
            return 0
        down, moved = {trouble.name for trouble in troubles}, 0
        rows = self._waiting(connection, down, now)
        self.last = rows[-1].id if len(rows) == PIECE else None
        for row in rows:
            trouble = next(one for one in troubles if one.name == row.channel)
            long_enough = patience[row.kind == "alert" or row.priority == 0]
            if min(now - trouble.since, now - row.queued_at) >= long_enough:
                moved += self._move(connection, row, trouble, found, down, now)
        return moved

    def _waiting(self, connection: Connection, down: set[str], now: datetime) -> list[Row[Any]]:
        columns = (_c.id, _c.kind, _c.priority, _c.channel, _c.to_sealed, _c.queued_at)
        waits = (_c.state == "queued", _c.channel.in_(down), _c.not_before <= now, _c.unsure_since.is_(None))
        # A test tells of the one channel it was sent by.
        query = select(*columns).where(*waits, _c.kind != "test", _c.id > self._after).order_by(_c.id).limit(PIECE)
        return list(connection.execute(query.with_for_update(skip_locked=True)))

    def _move(
        self, connection: Connection, row: Row[Any], trouble: Trouble, found: Ways, down: set[str], now: datetime
    ) -> int:  # fmt: skip
        to = self._house.sealer.open(OUTBOUND.name, "to", row.id, row.to_sealed)
        rule = found.rule(to)
        if rule is None or trouble.name not in rule.channels:
            return 0
        able = {way.name for way in found if way.state == "active" and way.name not in down and can_carry(way, to)}
        into = next((name for name in rule.channels if name in able), None)
        if into is None:
            return 0
        still = (_c.id == row.id, _c.state == "queued", _c.channel == row.channel, _c.unsure_since.is_(None))
        values = {"channel": into, "moved_from": row.channel, "moved_why": trouble.why[:64], "moved_at": now}
        return connection.execute(update(OUTBOUND).where(*still).values(values)).rowcount


def _troubles(connection: Connection) -> Iterator[Trouble]:
    """Channels that fail, and those an admin switched off; a paused one keeps what it holds."""
    columns = (CHANNEL.c.name, CHANNEL.c.state, CHANNEL.c.state_reason, CHANNEL.c.offline_since, CHANNEL.c.changed_at)
    for row in connection.execute(select(*columns)):
        if row.state == "disabled":
            yield Trouble(row.name, row.changed_at, "disabled")
        elif row.state == "active" and row.offline_since is not None:
            yield Trouble(row.name, row.offline_since, row.state_reason or "offline")


def _mail_some(connection: Connection, house: House) -> int:
    now, other = house.clock(), OUTBOUND.alias("other")
    failed = (
        _c.state == "failed", _c.kind.in_(BY_MAIL_INSTEAD), _c.contact_id.is_not(None), _c.segments > 0,
        _c.leased_at > now - FAILED_WITHIN, _c.error.is_distinct_from("opted_out"),
        ~exists().where(other.c.instead_of == _c.id),
    )  # fmt: skip
    rows = list(connection.execute(select(OUTBOUND).where(*failed).order_by(_c.id).limit(PIECE)))
    if not rows:
        return 0
    boxes, found = _mailboxes(connection, house, {row.contact_id for row in rows}), ways(connection)
    messages = {row.id: message for row in rows if (message := _as_mail(row, boxes, found, house, now)) is not None}
    enqueue(connection, messages.values(), seals=house.sealer, now=now)
    for failed_id, message in messages.items():
        connection.execute(update(OUTBOUND).where(_c.id == message.id).values(instead_of=failed_id))
    return len(messages)


def _mailboxes(connection: Connection, house: House, contacts: set[UUID]) -> dict[UUID, str]:
    """The preferred mailbox of each contact that has one which lives and did not say BAJA."""
    alive = (
        ADDRESS.c.contact_id.in_(contacts), ADDRESS.c.kind == "mailto", ADDRESS.c.failing_since.is_(None),
        ADDRESS.c.address_hash.not_in(select(OPT_OUT.c.address_hash)),
    )  # fmt: skip
    rows = connection.execute(select(ADDRESS).where(*alive).order_by(ADDRESS.c.preferred, ADDRESS.c.id.desc()))
    return {row.contact_id: house.sealer.open("contact_address", "address", row.id, row.address_sealed) for row in rows}


def _as_mail(row: Row[Any], boxes: dict[UUID, str], found: Ways, house: House, now: datetime) -> NewMessage | None:
    to = boxes.get(row.contact_id)
    channel = choose(found, to) if to else None
    if to is None or channel is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    text = house.sealer.open(OUTBOUND.name, "text", row.id, row.text_sealed)
    return NewMessage(
        id=uuid7(), kind=row.kind, channel=channel, to=to, text=text, subject=text[:SUBJECT],
        headers={"Auto-Submitted": "auto-generated"}, message_id=row.message_id, report_id=row.report_id, ref=row.ref,
        contact_id=row.contact_id, about_id=row.about_id, expires_at=row.expires_at,
    )  # fmt: skip
