"""Which channel carries a message to an address: the one the person used, else the first that can."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from gateway.models import Channel

CHANNEL: Table = Channel.__table__  # type: ignore[attr-defined]

# What each kind carries, real ones before rehearsal ones, and the setting without which it only hears.
CARRIES: Mapping[str, tuple[str, str | None]] = {
    "twilio": ("tel", "from"),
    "smstools": ("tel", None),
    "smpp": ("tel", None),
    "http": ("tel", "send_url"),
    "kannel": ("tel", "send_url"),
    "android": ("tel", "send_url"),
    "cht": ("tel", None),
    "smssync": ("tel", None),
    "smtp": ("mailto", "host"),
    "imap": ("mailto", "host"),
    "simulator": ("tel", None),
    "console": ("tel", None),
}
RANK = {kind: rank for rank, kind in enumerate(CARRIES)}


class Way(NamedTuple):
    """A channel as far as choosing needs it."""

    name: str
    kind: str
    state: str
    config: Mapping[str, Any]


def ways(connection: Connection) -> list[Way]:
    """All channels that are not disabled, in the order in which they are asked."""
    columns = (CHANNEL.c.name, CHANNEL.c.kind, CHANNEL.c.state, CHANNEL.c.config)
    rows = connection.execute(select(*columns).where(CHANNEL.c.state != "disabled").order_by(CHANNEL.c.created_at))
    return sorted((Way(*row) for row in rows), key=lambda way: RANK.get(way.kind, len(RANK)))


def can_carry(way: Way, address: str) -> bool:
    """Whether the channel is set up to send to a `tel:` or `mailto:` address."""
    scheme, needed = CARRIES.get(way.kind, (None, None))
    return address.partition(":")[0] == scheme and (needed is None or bool(way.config.get(needed)))


def choose(found: Iterable[Way], address: str, prefer: str | None = None) -> str | None:
    """Name of the channel to use: `prefer` when it can, an active one before a paused one (what it holds waits)."""
    fit = [way for way in found if can_carry(way, address)]
    fit.sort(key=lambda way: (way.state != "active", way.name != prefer))
    return fit[0].name if fit else None


def route(connection: Connection, address: str, prefer: str | None = None) -> str | None:
    """The channel for `address`, or None when none is set up to reach it."""
    return choose(ways(connection), address, prefer)
