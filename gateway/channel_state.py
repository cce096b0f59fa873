"""How the channels are: what the page, the command and the doctor tell alike."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Thread
from typing import Any

from sqlalchemy import Connection, select

from gateway import outages
from gateway.budgets import Budget, Spent, budget_of, day_of, spent_on
from gateway.channels import CHANNELS, registry
from gateway.channels.base import ChannelConfig, Signs
from gateway.house import House
from gateway.outages import Outage
from gateway.routes import CHANNEL, Ways, can_carry, ways
from outbox.queue import Waiting, waiting

OUTAGES_SHOWN = timedelta(days=7)
SIGNS_WITHIN_S = 1.5
REHEARSAL = ("simulator", "console")

_log = logging.getLogger("vocero.channels")


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel with its row, what waits, what it may spend and spent today, and the outages of a week."""

    config: ChannelConfig
    row: Any
    queue: Waiting
    budget: Budget
    spent: Spent
    outages: Sequence[Outage]

    @property
    def used_percent(self) -> int | None:
        """How much of the day's budget is used; None without one."""
        return int(100 * self.budget.used(self.spent)) if self.budget.is_limited else None

    @property
    def last_error(self) -> str | None:
        """The code of why it cannot send now."""
        return self.row.state_reason if self.row.offline_since is not None else None

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the secrets that are set."""
        return frozenset(self.config.secrets)


def look(connection: Connection, house: House, *, only: str | None = None) -> list[ChannelState]:
    """All channels, or `only` one, in the order they were made."""
    now = house.clock()
    _, midnight, _ = day_of(now, house.codebook(connection).zone)
    past = outages.by_channel(outages.within(connection, now - OUTAGES_SHOWN, now))
    rows = {row.name: row for row in connection.execute(select(CHANNEL))}
    queues = waiting(connection)
    return [
        ChannelState(
            config, rows[config.name], queues.get(config.name, Waiting()), budget_of(rows[config.name]),
            spent_on(connection, config.name, budget_of(rows[config.name]), midnight), past.get(config.name, ()),
        )
        for config in registry.load(connection, house.sealer)
        if config.name in rows and only in (None, config.name)
    ]  # fmt: skip


def pasted(config: ChannelConfig, base_url: str) -> list[tuple[str, str]]:
    """What to paste at the other end: label and text, without secrets."""
    paste = CHANNELS[config.kind].paste
    return paste(config, base_url) if paste is not None else []


def without_stand_in(connection: Connection) -> list[str]:
    """Channels that carry SMS or mail beside others while no route says which stands in."""
    found: Ways = ways(connection)
    lonely: list[str] = []
    for scheme in ("tel", "mailto"):
        able = [way.name for way in found if way.kind not in REHEARSAL and can_carry(way, f"{scheme}:")]
        ruled = {name for rule in found.rules if rule.scheme == scheme for name in rule.channels}
        if len(able) > 1 and not ruled & set(able):
            lonely += able
    return lonely


def read_signs(config: ChannelConfig) -> Signs | None:
    """What the other end tells of itself; None when it tells nothing. For threads: it reads files or a database."""
    kind = CHANNELS.get(config.kind)
    if kind is None or kind.signs is None or config.state == "disabled":
        return None
    try:
        return kind.signs(config)
    except Exception as error:  # what another program wrote: a page must not fall over it
        _log.warning("what %s tells of itself cannot be read: %s", config.name, type(error).__name__)
        return None


def read_signs_soon(config: ChannelConfig, within_s: float = SIGNS_WITHIN_S) -> Signs | None:
    """What the other end tells of itself, for a command: None when it cannot be had within `within_s` seconds."""
    found: list[Signs | None] = []
    # A daemon, so that a folder that hangs does not keep the command from ending.
    reading = Thread(target=lambda: found.append(read_signs(config)), daemon=True)
    reading.start()
    reading.join(within_s)
    return found[0] if found else None


@dataclass
class SignReader:
    """Reads signs in a pool of threads, one read at a time, so that a folder that hangs holds one thread at most."""

    within_s: float = SIGNS_WITHIN_S
    reading: "Future[dict[str, Signs]] | None" = field(default=None, init=False)

    async def read(self, pool: ThreadPoolExecutor, configs: Sequence[ChannelConfig]) -> Mapping[str, Signs]:
        """Signs by channel; without those that could not be had in time."""
        if self.reading is None or self.reading.done():
            self.reading = pool.submit(_read_all, configs)
        try:
            async with asyncio.timeout(self.within_s):
                return await asyncio.shield(asyncio.wrap_future(self.reading))
        except TimeoutError:
            return {}


def _read_all(configs: Sequence[ChannelConfig]) -> dict[str, Signs]:
    found = ((config.name, read_signs(config)) for config in configs)
    return {name: signs for name, signs in found if signs is not None}
