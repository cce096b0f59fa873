"""Rows of the channel table and the channels they stand for. Every change is audited and stirs who runs."""

import json
import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.channels import CHANNELS
from gateway.channels.base import ChannelConfig, Kind, SettingError
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import touch_config
from gateway.models import Channel, ChannelMark, OutboundMessage
from gateway.models.channel import STATES
from gateway.sealing import Sealer

CHANNEL: Table = Channel.__table__  # type: ignore[attr-defined]
MARK: Table = ChannelMark.__table__  # type: ignore[attr-defined]
OUTBOUND: Table = OutboundMessage.__table__  # type: ignore[attr-defined]
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
KEEP = "********"
RATE_AT_MOST = 1000
# The page on which a channel is made has this name.
TAKEN = ("new",)


def load(connection: Connection, sealer: Sealer) -> list[ChannelConfig]:
    """All channels in the order they were made, secrets opened. Raises WrongKey."""
    rows = connection.execute(select(CHANNEL).order_by(CHANNEL.c.created_at, CHANNEL.c.name))
    return [_open(row, sealer) for row in rows]


def get(connection: Connection, sealer: Sealer, name: str) -> ChannelConfig:
    return _open(_row(connection, name), sealer)


def add(
    connection: Connection, sealer: Sealer, *, kind: str, name: str, values: Mapping[str, str], at: datetime,
    actor: str, rate: float | None = None,
) -> ChannelConfig:  # fmt: skip
    """Make a channel. Raises UsageError on a wrong kind, name or setting and Conflict on a name in use."""
    sort = kind_of(kind)
    if not NAME.fullmatch(name) or name in TAKEN:
        raise UsageError("A channel's name has small letters, digits, - and _, at most 63, and begins with no sign.")
    if connection.execute(select(CHANNEL.c.id).where(CHANNEL.c.name == name)).first() is not None:
        raise Conflict(f"There is a channel {name} already.")
    config, secrets = checked(sort, values)
    channel_id = uuid7()
    row = {
        "id": channel_id, "name": name, "kind": kind, "config": config, "secrets_sealed": None, "state": "active",
        "rate": rate, "created_at": at, "changed_at": at,
    }  # fmt: skip
    made = ChannelConfig(channel_id, name, kind, config, secrets, "active", rate)
    connection.execute(insert(CHANNEL), [row | {"secrets_sealed": _sealed(sealer, made)}])
    _changed(connection, at, actor, "channel.add", name, {"kind": kind, "settings": sorted([*config, *secrets])})
    return made


def change(
    connection: Connection, sealer: Sealer, *, name: str, values: Mapping[str, str], at: datetime, actor: str
) -> ChannelConfig:
    """Give a channel new settings; those not named stay, an empty one is taken away."""
    old = get(connection, sealer, name)
    merged = {**old.config, **old.secrets, **{key: value for key, value in values.items() if value != KEEP}}
    config, secrets = checked(kind_of(old.kind), {key: value for key, value in merged.items() if value.strip()})
    new = ChannelConfig(old.id, name, old.kind, config, secrets, old.state, old.rate)
    changed = {"config": config, "secrets_sealed": _sealed(sealer, new), "changed_at": at}
    connection.execute(update(CHANNEL).where(CHANNEL.c.id == old.id).values(changed))
    _changed(connection, at, actor, "channel.change", name, {"settings": sorted(values)})
    return new


def set_rate(connection: Connection, *, name: str, rate: float | None, at: datetime, actor: str) -> None:
    """At most so many messages a second, None for no limit. Raises NotFound and UsageError."""
    if rate is not None and not 0.01 <= rate <= RATE_AT_MOST:
        raise UsageError(f"A rate is a number from 0.01 to {RATE_AT_MOST}.")
    row = _row(connection, name)
    connection.execute(update(CHANNEL).where(CHANNEL.c.id == row.id).values(rate=rate, changed_at=at))
    _changed(connection, at, actor, "channel.rate", name, {"rate": rate})


def remove(connection: Connection, *, name: str, at: datetime, actor: str) -> None:
    """Take a channel away; raises Conflict while messages wait to go out by it."""
    row = _row(connection, name)
    waits = select(func.count()).where(OUTBOUND.c.channel == name, OUTBOUND.c.state.in_(("queued", "sending")))
    if number := connection.scalar(waits):
        raise Conflict(f"{number} messages wait to go out by {name}. Cancel them, or disable the channel instead.")
    connection.execute(delete(CHANNEL).where(CHANNEL.c.id == row.id))
    connection.execute(delete(MARK).where(MARK.c.channel == name))
    _changed(connection, at, actor, "channel.remove", name, {})


def set_state(
    connection: Connection, *, name: str, state: str, at: datetime, actor: str, reason: str | None = None
) -> None:
    """`active` hears and sends, `paused` hears and keeps its answers waiting, `disabled` does neither."""
    if state not in STATES:
        raise UsageError(f"A channel is one of {', '.join(STATES)}.")
    row = _row(connection, name)
    changed = {"state": state, "state_reason": reason, "changed_at": at}
    connection.execute(update(CHANNEL).where(CHANNEL.c.id == row.id).values(changed))
    _changed(connection, at, actor, f"channel.{state}", name, {"reason": reason})


def kind_of(name: str) -> Kind:
    kind = CHANNELS.get(name)
    if kind is None:
        raise UsageError(f"There is no channel kind {name}; there are {', '.join(CHANNELS)}.")
    return kind


def checked(kind: Kind, values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Open settings and secrets of `values`, checked. Raises UsageError that names the setting."""
    unknown = sorted(set(values) - {spec.name for spec in kind.settings})
    if unknown:
        known = ", ".join(spec.name for spec in kind.settings) or "none"
        raise UsageError(f"{kind.name} has no setting {unknown[0]}; it has {known}.")
    config: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for spec in kind.settings:
        if spec.name not in values:
            if spec.required:
                raise UsageError(f"{kind.name} needs the setting {spec.name}: {spec.help}.")
            continue
        try:
            (secrets if spec.secret else config)[spec.name] = spec.check(values[spec.name])
        except SettingError as error:
            raise UsageError(f"{spec.name} {error}.") from error
    if kind.check is not None:
        try:
            kind.check({**config, **secrets})
        except SettingError as error:
            raise UsageError(f"{error}.") from error
    return config, secrets


def _row(connection: Connection, name: str) -> Row[tuple[object, ...]]:
    row = connection.execute(select(CHANNEL).where(CHANNEL.c.name == name)).first()
    if row is None:
        raise NotFound(f"There is no channel {name}.")
    return row


def _open(row: Row[tuple[object, ...]], sealer: Sealer) -> ChannelConfig:
    opened = sealer.open_optional("channel", "secrets", row.id, row.secrets_sealed)
    secrets = json.loads(opened) if opened else {}
    return ChannelConfig(row.id, row.name, row.kind, row.config, secrets, row.state, row.rate)


def _sealed(sealer: Sealer, channel: ChannelConfig) -> bytes | None:
    secrets = json.dumps(dict(channel.secrets)) if channel.secrets else None
    return sealer.seal_optional("channel", "secrets", channel.id, secrets)


def _changed(
    connection: Connection, at: datetime, actor: str, action: str, name: str, data: Mapping[str, object]
) -> None:
    touch_config(connection)
    audit.record(connection, at=at, actor=actor, action=action, target=name, data=data)
