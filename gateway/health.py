"""Is the gateway alive, can it do its work, and how much does it do: `/healthz`, `/readyz`, `/metrics`."""

import asyncio
import ipaddress
import json
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, select
from starlette.types import Receive, Scope, Send

from gateway import outages
from gateway.alerts import open_alerts
from gateway.channels.base import HttpAnswer
from gateway.channels.endpoints import send_answer
from gateway.house import NODE, House
from gateway.metrics import Metrics
from gateway.upkeep import MESSAGE, last_beat, put_setting
from outbox.queue import Waiting, waiting

PROBE = "write_probe"
PROBE_EVERY_S = 5.0
PROBE_TIME_S = 5.0
TICK_AGE = timedelta(minutes=2)
OUTBOX_AGE = timedelta(minutes=10)
BEHIND = timedelta(minutes=5)
LAST_YEAR = 2100
JSON = b"application/json"
TEXT = b"text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Check:
    """One question and its answer in words; `ok` False makes the gateway not ready."""

    ok: bool
    words: str


@dataclass
class Health:
    """Checks of one process. `offline` and `problems` are asked for the channels that are known to be in trouble."""

    house: House
    metrics: Metrics
    offline: Callable[[], Mapping[str, str]] = dict
    problems: Callable[[], Mapping[str, str]] = dict
    _probed_at: float = float("-inf")
    _probe: Check = field(default_factory=lambda: Check(False, "not tried yet"))
    _probing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def checks(self) -> dict[str, Check]:
        try:
            found = await self.house.read(self._look)
        except Exception as error:
            found = {"database_readable": Check(False, f"the database does not answer: {type(error).__name__}")}
        return {
            "database": await self._writable(), **found, "disk": self._disk(), "channels": self._channels(),
        }  # fmt: skip

    def _look(self, connection: Connection) -> dict[str, Check]:
        now = self.house.clock()
        return {
            "last_tick": _ticked(last_beat(connection), now),
            "outbox": _outbox(waiting(connection), now, {**outages.lasting(connection), **self.offline()}),
            "clock": _clock(connection, now),
        }

    async def _writable(self) -> Check:
        """Whether a row can be written and committed; tried at most every few seconds, however often one asks."""
        async with self._probing:
            if time.monotonic() - self._probed_at > PROBE_EVERY_S:
                self._probe = await self._try_to_write()
                self._probed_at = time.monotonic()
            return self._probe

    async def _try_to_write(self) -> Check:
        try:
            async with asyncio.timeout(PROBE_TIME_S):
                await self.house.write(lambda connection: put_setting(connection, PROBE, 1, self.house.clock()))
        except TimeoutError:
            return Check(False, f"a row could not be written within {PROBE_TIME_S:.0f} s")
        except Exception as error:
            return Check(False, f"a row could not be written: {type(error).__name__}")
        return Check(True, "a row was written")

    def _disk(self) -> Check:
        try:
            free = self._free_bytes() // 1_000_000
        except OSError as error:
            return Check(False, f"the data folder cannot be looked at: {error.strerror}")
        reserve = self.house.settings.disk_reserve_mb
        return Check(free >= reserve, f"{free} MB free, the reserve is {reserve} MB")

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self.house.settings.data_dir).free

    def _channels(self) -> Check:
        problems = self.problems()
        if not problems:
            return Check(True, "every channel was started")
        return Check(False, "; ".join(f"{name} {words}" for name, words in problems.items()))

    async def figures(self) -> bytes:
        queues = await self.house.read(waiting)
        unseen, oldest = await self.house.read(open_alerts)
        now = self.house.clock()
        gauges: dict[str, dict[tuple[tuple[str, str], ...], float]] = {
            "outbox_queued": {_label(name): queue.queued for name, queue in queues.items()},
            "outbox_failed": {_label(name): queue.failed for name, queue in queues.items()},
            "outbox_oldest_seconds": {_label(name): _age(queue, now) for name, queue in queues.items()},
            "channel_offline": {_label(name): 1.0 for name in self.offline()},
            "alerts_open": {(): float(unseen)},
            "alerts_oldest_seconds": {(): max(0.0, (now - oldest).total_seconds()) if oldest else 0.0},
        }
        with suppress(OSError):
            gauges["disk_free_bytes"] = {(): float(self._free_bytes())}
        return self.metrics.exposition(gauges)


def _label(channel: str) -> tuple[tuple[str, str], ...]:
    return (("channel", channel),)


def _age(queue: Waiting, now: datetime) -> float:
    return max(0.0, (now - queue.oldest).total_seconds()) if queue.oldest else 0.0


def _ticked(at: datetime | None, now: datetime) -> Check:
    if at is None:
        return Check(False, "no tick has run yet; is a worker running?")
    age = abs(now - at)
    return Check(age <= TICK_AGE, f"the last tick ran {age.total_seconds():.0f} s ago")


def _outbox(queues: Mapping[str, Waiting], now: datetime, offline: Mapping[str, str]) -> Check:
    """Messages that wait though their channel is up: those of an offline channel wait as they should."""
    late = {name: _age(queue, now) for name, queue in queues.items() if name not in offline}
    oldest = max(late.values(), default=0.0)
    total = sum(queue.queued for queue in queues.values())
    words = f"{total} messages wait, the oldest is due for {oldest:.0f} s"
    return Check(oldest <= OUTBOX_AGE.total_seconds(), words + (f"; offline: {', '.join(offline)}" if offline else ""))


def _clock(connection: Connection, now: datetime) -> Check:
    """A clock before the installation or far in the future is wrong; one behind the newest text is worth a look."""
    made = connection.execute(select(NODE.c.created_at)).scalar_one()
    newest = connection.scalar(select(func.max(MESSAGE.c.heard_at)))
    if now < made - timedelta(days=1) or now.year >= LAST_YEAR:
        return Check(False, f"the clock says {now.astimezone(UTC):%Y-%m-%d}, which cannot be")
    if newest is not None and now < newest - BEHIND:
        return Check(True, "the clock was set back: it stands before the newest text")
    return Check(True, f"the clock says {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")


async def alive(scope: Scope, receive: Receive, send: Send) -> None:
    await send_answer(send, HttpAnswer(200, JSON, b'{"status":"alive"}'))


class Ready:
    """Each check in words; 503 when one fails."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        checks = await self._health.checks()
        ready = all(check.ok for check in checks.values())
        told = {name: {"ok": check.ok, "says": check.words} for name, check in checks.items()}
        body = json.dumps({"status": "ready" if ready else "not ready", "checks": told}, indent=1).encode()
        await send_answer(send, HttpAnswer(200 if ready else 503, JSON, body), ((b"cache-control", b"no-store"),))


class Figures:
    """For callers on this machine or a private network, not through a proxy: figures tell how busy we are."""

    def __init__(self, health: Health) -> None:
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_near(scope):
            await send_answer(send, HttpAnswer(404, JSON, b'{"error":{"code":"not_found","message":"Not found."}}'))
            return
        await send_answer(send, HttpAnswer(200, TEXT, await self._health.figures()))


Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]


def is_near(scope: Scope) -> bool:
    """Whether the caller sits on this machine or a private network and came without a proxy."""
    names = {name for name, _ in scope["headers"]}
    if names & {b"x-forwarded-for", b"forwarded", b"x-real-ip"}:
        return False
    try:
        return ipaddress.ip_address((scope.get("client") or ("",))[0]).is_private
    except ValueError:
        return False
