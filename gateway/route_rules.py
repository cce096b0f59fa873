"""Rules by which messages find another channel, as admins write them. Every change is audited and obeyed at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import touch_config
from gateway.routes import CARRIES, CHANNEL, RULE, Ways, can_carry, ways

NAME = re.compile(r"[^\s\x00-\x1f][^\x00-\x1f]{0,59}")
_TEL = re.compile(r"\+\d{1,12}", re.ASCII)
_MAIL = re.compile(r"@[a-z0-9.-]{1,200}", re.ASCII)
AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Stop:
    """One channel on the way of an address, and why it is or is not used: words `usable`, `offline`, `paused`,
    `disabled`, `cannot` (not set up to send there), `unknown` (no such channel)."""

    channel: str
    why: str


def add(
    connection: Connection, name: str, channels: Sequence[str], prefixes: Sequence[str] = (), *, at: datetime,
    actor: str,
) -> None:  # fmt: skip
    """Make a rule, the last to be asked. Raises UsageError on a channel or prefix that does not fit, and Conflict."""
    if not NAME.fullmatch(name):
        raise UsageError("A route has a name of at most 60 characters.")
    if connection.execute(select(RULE.c.id).where(RULE.c.name == name)).first() is not None:
        raise Conflict(f"There is a route {name!r} already.")
    scheme = _scheme(connection, channels)
    row = {
        "id": uuid7(), "name": name, "position": (connection.scalar(select(func.max(RULE.c.position))) or 0) + 1,
        "scheme": scheme, "prefixes": _prefixes(scheme, prefixes), "channels": list(dict.fromkeys(channels)),
        "created_at": at, "changed_at": at,
    }  # fmt: skip
    connection.execute(insert(RULE), [row])
    _changed(connection, "route.add", name, {"channels": row["channels"], "prefixes": row["prefixes"]}, at, actor)


def remove(connection: Connection, name: str, *, at: datetime, actor: str) -> None:
    if not connection.execute(delete(RULE).where(RULE.c.name == name)).rowcount:
        raise NotFound(f"There is no route {name!r}. `vocero route list` shows them.")
    _changed(connection, "route.remove", name, {}, at, actor)


def put_first(connection: Connection, name: str, *, at: datetime, actor: str) -> None:
    """Ask this rule before all others."""
    first = (connection.scalar(select(func.min(RULE.c.position))) or 0) - 1
    changed = update(RULE).where(RULE.c.name == name).values(position=first, changed_at=at)
    if not connection.execute(changed).rowcount:
        raise NotFound(f"There is no route {name!r}. `vocero route list` shows them.")
    _changed(connection, "route.first", name, {}, at, actor)


def explain(connection: Connection, address: str) -> tuple[str | None, list[Stop]]:
    """The rule an address falls under (None: the order of kinds), and each channel in the order it is tried."""
    found = ways(connection)
    rule = found.rule(address)
    names = list(rule.channels) if rule else [way.name for way in found if can_carry(way, address)]
    columns = (CHANNEL.c.name, CHANNEL.c.state, CHANNEL.c.offline_since)
    rows = {row.name: row for row in connection.execute(select(*columns))}
    return (rule.name if rule else None), [Stop(name, _why(name, rows, found, address)) for name in names]


def _why(name: str, rows: Mapping[str, Any], found: Ways, address: str) -> str:
    row = rows.get(name)
    if row is None:
        return "unknown"
    state, offline_since = row.state, row.offline_since
    if state != "active":
        return str(state)
    if not any(way.name == name and can_carry(way, address) for way in found):
        return "cannot"
    return "offline" if offline_since else "usable"


def _scheme(connection: Connection, channels: Sequence[str]) -> str:
    if not channels:
        raise UsageError("A route needs at least one channel.")
    kinds = {row.name: row.kind for row in connection.execute(select(CHANNEL.c.name, CHANNEL.c.kind))}
    unknown = [name for name in channels if name not in kinds]
    if unknown:
        raise UsageError(f"There is no channel {unknown[0]}.")
    schemes = {CARRIES.get(kinds[name], ("",))[0] for name in channels}
    if len(schemes) != 1 or "" in schemes:
        raise UsageError("All channels of a route must carry the same: SMS, or e-mail.")
    return schemes.pop()


def _prefixes(scheme: str, prefixes: Sequence[str]) -> list[str]:
    written = list(dict.fromkeys(prefix.strip().lower() for prefix in prefixes if prefix.strip()))
    fits = _TEL if scheme == "tel" else _MAIL
    for prefix in written:
        if not fits.fullmatch(prefix):
            example = "+5024" if scheme == "tel" else "@example.org"
            raise UsageError(f"{prefix!r} is no beginning of an address; write it like {example}.")
    if len(written) > AT_MOST:
        raise UsageError(f"A route has at most {AT_MOST} prefixes.")
    return written


def _changed(connection: Connection, action: str, name: str, data: dict[str, object], at: datetime, actor: str) -> None:
    touch_config(connection)
    audit.record(connection, at=at, actor=actor, action=action, target=name, data=data)
