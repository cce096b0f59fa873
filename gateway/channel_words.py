"""How one channel is, in words for a terminal: of `vocero channel show` and the doctor."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from gateway import outages
from gateway.channel_state import ChannelState
from gateway.channels.base import Signs


def lines(
    one: ChannelState, signs: Signs | None, pasted: list[tuple[str, str]], zone: str, now: datetime
) -> Iterator[tuple[str, str]]:
    """Pairs of a word and what is so; times are local."""
    place, row = ZoneInfo(zone), one.row
    yield "kind", one.config.kind
    yield "state", row.state
    if one.last_error is not None:
        yield "cannot send", f"{one.last_error} since {_when(row.offline_since, place)}"
    yield "last heard", _when(row.last_heard_at, place)
    yield "last sent", _when(row.last_sent_at, place)
    yield "queue", f"{one.queue.queued} waiting, oldest {one.queue.minutes(now)} min, {one.queue.failed} failed"
    yield from _told(signs, place)
    yield "sent today", spent_words(one)
    for past in one.outages:
        yield "outage", f"{outages.span(past, place)} {past.reason}"
    yield from pasted


def spent_words(one: ChannelState) -> str:
    """`12 of 500 segments, 3.00 of 100.00 GTQ, 3 %`."""
    budget, spent = one.budget, one.spent
    words = f"{spent.segments}{_of(budget.day_segments)} segments"
    if budget.price is not None:
        limit = None if budget.day_cost is None else f"{budget.day_cost:.2f}"
        words += f", {spent.cost:.2f}{_of(limit)} {budget.currency}"
    return words if one.used_percent is None else f"{words}, {one.used_percent} %"


def signs_words(signs: Signs) -> str:
    """What a modem's program tells, in one line."""
    parts = [f"{name}: {word}" for name, word in signs.told.items()]
    if signs.signal_dbm is not None:
        parts.append(f"signal {signs.signal_dbm} dBm")
    if signs.battery is not None:
        parts.append(f"battery {signs.battery} %")
    if signs.balance is not None:
        parts.append(f"balance {signs.balance}")
    return ", ".join(parts)


def _told(signs: Signs | None, place: ZoneInfo) -> Iterator[tuple[str, str]]:
    if signs is not None:
        yield "modem", signs_words(signs)
        if signs.at is not None:
            yield "told at", _when(signs.at, place)


def _of(limit: object) -> str:
    return "" if limit is None else f" of {limit}"


def _when(at: datetime | None, place: ZoneInfo) -> str:
    return "never" if at is None else f"{at.astimezone(place):%Y-%m-%d %H:%M}"
