"""What channels may cost on a day: counted from what was sent, told in time, and stopped at the end, alerts aside.

A day is a local day of the codebook's zone. What stays within is asked at each claim, by an index on (channel,
sent_at), so that it holds for all processes together; a claim that is under way may pass the limit by its own few
messages.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Float, func, select, update
from sqlalchemy import cast as as_type

from gateway import audit
from gateway.errors import NotFound, UsageError
from gateway.house import House, touch_config
from gateway.replies import Replies
from gateway.routes import CHANNEL
from gateway.telling import tell_admins
from outbox.review import Verdict, Wait
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope

WARN_AT = 0.8
LOOK_EVERY_S = 5.0
COSTS_WITHIN = timedelta(days=2)
CURRENCIES = frozenset({"GTQ", "USD", "EUR", "MXN", "HNL", "CAD"})

_c = OUTBOUND.c


@dataclass(frozen=True, slots=True)
class Budget:
    """`price` of a segment in `currency`; the most of a day in segments and in money, None for no limit."""

    price: float | None = None
    currency: str = "GTQ"
    day_segments: int | None = None
    day_cost: float | None = None

    @property
    def is_limited(self) -> bool:
        return self.day_segments is not None or self.day_cost is not None

    def used(self, spent: "Spent") -> float:
        """How much of it is used, 1.0 for all."""
        parts = [0.0]
        if self.day_segments is not None:
            parts.append(spent.segments / self.day_segments if self.day_segments else 1.0)
        if self.day_cost is not None:
            parts.append(spent.cost / self.day_cost if self.day_cost else 1.0)
        return max(parts)


@dataclass(frozen=True, slots=True)
class Spent:
    """Segments sent on a day, and what they cost."""

    segments: int
    cost: float


def budget_of(row: Any) -> Budget:
    return Budget(row.price, row.currency, row.day_segments, row.day_cost)


def spent_on(connection: Connection, channel: str, budget: Budget, midnight: datetime) -> Spent:
    """What went out by the channel since `midnight`; a message without a recorded cost counts by today's price."""
    guess = as_type(_c.segments, Float) * (budget.price or 0.0)
    columns = (func.coalesce(func.sum(_c.segments), 0), func.coalesce(func.sum(func.coalesce(_c.cost, guess)), 0.0))
    row = connection.execute(select(*columns).where(_c.channel == channel, _c.sent_at >= midnight)).one()
    return Spent(int(row[0]), float(row[1]))


def day_of(now: datetime, zone: str) -> tuple[date, datetime, datetime]:
    """The local day, when it began and when it ends."""
    local = now.astimezone(ZoneInfo(zone))
    begin = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return local.date(), begin, begin + timedelta(days=1)


class Budgets:
    """Holds back what a channel may not send any more today; `review` works in the transaction that claims."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: Mapping[str, Budget] = {}
        self._looked = float("-inf")

    def review(self, connection: Connection, envelopes: Sequence[Envelope]) -> Mapping[UUID, Verdict]:
        held = [one for one in envelopes if one.kind != "alert" and one.priority > 0]
        budget = self._budgets(connection).get(held[0].channel) if held else None
        if budget is None:
            return {}
        _, begin, end = day_of(self._house.clock(), self._house.codebook(connection).zone)
        if budget.used(spent_on(connection, held[0].channel, budget, begin)) < 1.0:
            return {}
        return {one.id: Wait(end) for one in held}

    def _budgets(self, connection: Connection) -> Mapping[str, Budget]:
        """Those that bound anything, looked up every few seconds."""
        if time.monotonic() - self._looked > LOOK_EVERY_S:
            self._looked = time.monotonic()
            rows = connection.execute(select(CHANNEL))
            self._known = {row.name: made for row in rows if (made := budget_of(row)).is_limited}
        return self._known


def watch_budgets(house: House) -> int:
    """Write what messages cost, and tell the admins once a day when a budget comes near; returns how many that is."""
    return house.writer.write_now(lambda connection: _watch(connection, house))


def _watch(connection: Connection, house: House) -> int:
    now = house.clock()
    rows = connection.execute(select(CHANNEL)).all()
    for row in rows:
        if row.price is not None:
            recent = (_c.channel == row.name, _c.sent_at >= now - COSTS_WITHIN, _c.cost.is_(None), _c.segments > 0)
            connection.execute(update(OUTBOUND).where(*recent).values(cost=as_type(_c.segments, Float) * row.price))
    limited = [row for row in rows if budget_of(row).is_limited]
    if not limited:
        return 0
    replies = Replies(house.codebook(connection))
    today, begin, _ = day_of(now, replies.codebook.zone)
    near = [row for row in limited if row.warned_on != today and _used(connection, row, begin) >= WARN_AT]
    for row in near:
        connection.execute(update(CHANNEL).where(CHANNEL.c.id == row.id).values(warned_on=today))
        percent = str(int(100 * _used(connection, row, begin)))
        tell_admins(connection, house, [replies.text("budget_near", channel=row.name, percent=percent)])
    return len(near)


def _used(connection: Connection, row: Any, midnight: datetime) -> float:
    return budget_of(row).used(spent_on(connection, row.name, budget_of(row), midnight))


def set_budget(connection: Connection, name: str, budget: Budget, *, at: datetime, actor: str) -> None:
    """Give a channel a price and limits; what an earlier limit held back is looked at again. Raises NotFound and
    UsageError."""
    numbers = (budget.price, budget.day_segments, budget.day_cost)
    if any(number is not None and number < 0 for number in numbers) or budget.currency not in CURRENCIES:
        raise UsageError(f"Prices and limits are 0 or more, in one of {', '.join(sorted(CURRENCIES))}.")
    if budget.day_cost is not None and budget.price is None:
        raise UsageError("A limit in money needs the price of a segment.")
    values = {
        "price": budget.price, "currency": budget.currency, "day_segments": budget.day_segments,
        "day_cost": budget.day_cost, "warned_on": None,
    }  # fmt: skip
    if not connection.execute(update(CHANNEL).where(CHANNEL.c.name == name).values(values)).rowcount:
        raise NotFound(f"There is no channel {name}.")
    held = (_c.channel == name, _c.state == "queued", _c.not_before > at, _c.attempts == 0)
    connection.execute(update(OUTBOUND).where(*held).values(not_before=at))
    data = {key: value for key, value in values.items() if key != "warned_on"}
    audit.record(connection, at=at, actor=actor, action="channel.budget", target=name, data=data)
    touch_config(connection)
