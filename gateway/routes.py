"""Which channel carries a message to an address: the one the person used, else the first that can."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select

from gateway.models import Channel, RouteRule
from outbox.address import parse_mail, parse_phone

CHANNEL: Table = Channel.__table__  # type: ignore[attr-defined]
RULE: Table = RouteRule.__table__  # type: ignore[attr-defined]

# What each kind carries, real ones before rehearsal ones, and the setting without which it only hears.
CARRIES: Mapping[str, tuple[str, str | None]] = {
    "twilio": ("tel", "from"),
    "smstools": ("tel", None),
    "gammu": ("tel", None),
    "smpp": ("tel", None),
    "http": ("tel", "send_url"),
    "kannel": ("tel", "send_url"),
    "android": ("tel", "send_url"),
    "cht": ("tel", None),
    "smssync": ("tel", None),
    "smtp": ("mailto", "host"),
    "imap": ("mailto", "host"),
    "mailgun": ("mailto", "host"),
    "postmark": ("mailto", "host"),
    "simulator": ("tel", None),
    "console": ("tel", None),
}
RANK = {kind: rank for rank, kind in enumerate(CARRIES)}


class Rule(NamedTuple):
    """A row of `route_rule`: its channels in the order in which they are tried; no prefixes fit every address."""

    name: str
    scheme: str
    prefixes: tuple[str, ...]
    channels: tuple[str, ...]

    def fits(self, address: str) -> bool:
        scheme, _, rest = address.partition(":")
        if scheme != self.scheme:
            return False
        return not self.prefixes or any(_fits(rest, prefix) for prefix in self.prefixes)


def _fits(rest: str, prefix: str) -> bool:
    """`+5024` begins a number, `@example.org` ends a mailbox."""
    return rest.endswith(prefix) if prefix.startswith("@") else rest.startswith(prefix)


def _own(typed: str) -> str:
    """The address of a number or mailbox; "" for a name, a short code or a messaging service."""
    phone, mail = parse_phone(typed) if typed else None, parse_mail(typed) if "@" in typed else None
    return f"mailto:{mail}" if mail else f"tel:{phone}" if phone else ""


class Way(NamedTuple):
    """A channel as far as choosing needs it."""

    name: str
    kind: str
    state: str
    config: Mapping[str, Any]


class Ways(tuple[Way, ...]):
    """Channels in the order in which they are asked, with the rules that order them by address."""

    rules: tuple[Rule, ...] = ()

    @cached_property
    def own(self) -> frozenset[str]:
        """Addresses that are ours: what seems to come from one of them came back to us, or is forged."""
        told = (str(way.config.get(name) or "") for way in self for name in ("from", "numbers"))
        found = (_own(one.strip()) for value in told for one in value.split(","))
        return frozenset(address for address in found if address)

    def rule(self, address: str) -> Rule | None:
        """The first that fits."""
        return next((rule for rule in self.rules if rule.fits(address)), None)


def ways(connection: Connection) -> Ways:
    """All channels that are not disabled, and the rules."""
    columns = (CHANNEL.c.name, CHANNEL.c.kind, CHANNEL.c.state, CHANNEL.c.config)
    rows = connection.execute(select(*columns).where(CHANNEL.c.state != "disabled").order_by(CHANNEL.c.created_at))
    found = Ways(sorted((Way(*row) for row in rows), key=lambda way: RANK.get(way.kind, len(RANK))))
    found.rules = rules(connection)
    return found


def rules(connection: Connection) -> tuple[Rule, ...]:
    """All rules in the order in which they are asked."""
    rows = connection.execute(select(RULE).order_by(RULE.c.position, RULE.c.created_at))
    return tuple(Rule(row.name, row.scheme, tuple(row.prefixes), tuple(row.channels)) for row in rows)


def can_carry(way: Way, address: str) -> bool:
    """Whether the channel is set up to send to a `tel:` or `mailto:` address."""
    scheme, needed = CARRIES.get(way.kind, (None, None))
    return address.partition(":")[0] == scheme and (needed is None or bool(way.config.get(needed)))


def choose(found: Iterable[Way], address: str, prefer: str | None = None) -> str | None:
    """Name of the channel to use: `prefer` when it can, then by the rule for the address, then by kind; an active one
    before a paused one (what it holds waits)."""
    fit = [way for way in found if can_carry(way, address)]
    rule = found.rule(address) if isinstance(found, Ways) and len(fit) > 1 else None
    order = {name: place for place, name in enumerate(rule.channels)} if rule else {}
    fit.sort(key=lambda way: (way.state != "active", way.name != prefer, order.get(way.name, len(order))))
    return fit[0].name if fit else None


def route(connection: Connection, address: str, prefer: str | None = None) -> str | None:
    """The channel for `address`, or None when none is set up to reach it."""
    return choose(ways(connection), address, prefer)
