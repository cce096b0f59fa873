"""Times in which a channel could not send: one row from the first failure to the first success, whoever noticed.

Every function works in the caller's transaction. Several processes may tell the same news: the first counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, or_, select, update
from uuid_utils.compat import uuid7

from gateway.bulk import insert_missing
from gateway.models import Channel, ChannelOutage

CHANNEL: Table = Channel.__table__  # type: ignore[attr-defined]
OUTAGE: Table = ChannelOutage.__table__  # type: ignore[attr-defined]

# A link that comes and goes: what begins so soon after the last end is the same outage.
SAME = timedelta(minutes=2)
REASON_LENGTH = 64
# A provider that asks for patience is there.
NO_OUTAGE = ("throttled",)
# Seen by knocking at the door, not by sending.
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage; `ended_at` None while it lasts."""

    channel: str
    reason: str
    began_at: datetime
    ended_at: datetime | None


def begin(connection: Connection, channel: str, reason: str, at: datetime) -> None:
    """The channel cannot send since `at`."""
    reason = reason[:REASON_LENGTH]
    there = CHANNEL.c.name == channel
    connection.execute(update(CHANNEL).where(there).values(state_reason=reason))
    connection.execute(update(CHANNEL).where(there, CHANNEL.c.offline_since.is_(None)).values(offline_since=at))
    if reason in NO_OUTAGE:
        return
    lasting = (OUTAGE.c.channel == channel, OUTAGE.c.ended_at.is_(None))
    if connection.execute(update(OUTAGE).where(*lasting).values(reason=reason)).rowcount:
        return
    recent = select(OUTAGE.c.id).where(OUTAGE.c.channel == channel, OUTAGE.c.ended_at > at - SAME)
    last = connection.scalar(recent.order_by(OUTAGE.c.ended_at.desc()).limit(1))
    if last is not None:
        connection.execute(update(OUTAGE).where(OUTAGE.c.id == last).values(ended_at=None, reason=reason))
        return
    row = {"id": uuid7(), "channel": channel, "reason": reason, "began_at": at, "ended_at": None}
    connection.execute(insert_missing(connection, OUTAGE).values(row))


def end(connection: Connection, channel: str, at: datetime) -> None:
    """A message went out at `at`: what began before is over."""
    there = (CHANNEL.c.name == channel, CHANNEL.c.offline_since <= at)
    connection.execute(update(CHANNEL).where(*there).values(state_reason=None, offline_since=None))
    lasting = (OUTAGE.c.channel == channel, OUTAGE.c.ended_at.is_(None), OUTAGE.c.began_at <= at)
    connection.execute(update(OUTAGE).where(*lasting).values(ended_at=at))


def lasting(connection: Connection) -> dict[str, str]:
    """Channels that cannot send now, and the code of the reason."""
    rows = connection.execute(
        select(CHANNEL.c.name, CHANNEL.c.state_reason).where(CHANNEL.c.offline_since.is_not(None))
    )
    return {row.name: row.state_reason or "offline" for row in rows}


def within(connection: Connection, since: datetime, until: datetime, *, limit: int = 200) -> list[Outage]:
    """Outages that touch the span, the latest first."""
    touching = (OUTAGE.c.began_at < until, or_(OUTAGE.c.ended_at.is_(None), OUTAGE.c.ended_at > since))
    columns = (OUTAGE.c.channel, OUTAGE.c.reason, OUTAGE.c.began_at, OUTAGE.c.ended_at)
    query = select(*columns).where(*touching).order_by(OUTAGE.c.began_at.desc()).limit(limit)
    return [Outage(*row) for row in connection.execute(query)]


def by_channel(found: list[Outage]) -> Mapping[str, list[Outage]]:
    grouped: dict[str, list[Outage]] = {}
    for outage in found:
        grouped.setdefault(outage.channel, []).append(outage)
    return grouped


def span(outage: Outage, zone: ZoneInfo) -> str:
    """When it was, in local time: `2026-03-10 09:00-15:00`, across midnight with both days; no end while it lasts."""
    begin = outage.began_at.astimezone(zone)
    if outage.ended_at is None:
        return f"{begin:%Y-%m-%d %H:%M}-"
    end = outage.ended_at.astimezone(zone)
    same_day = end.date() == begin.date()
    return f"{begin:%Y-%m-%d %H:%M}-{end:%H:%M}" if same_day else f"{begin:%Y-%m-%d %H:%M}-{end:%Y-%m-%d %H:%M}"
