"""The one door for every inbound text: kept before it is acknowledged, many callers in one transaction.

Callers await `receive`; the writer's thread takes all who wait, reads their texts before the write transaction, checks
inside it that what they were read by still holds, writes, commits once, and then tells each its Receipt.
"""

import asyncio
import logging
import os
import shutil
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.alerts import event_key, is_placed, lock_events
from gateway.db import is_retryable
from gateway.errors import Busy
from gateway.house import House
from gateway.incoming import Incoming, Receipt
from gateway.keeping import Keeper, numbers_needed, take_numbers
from gateway.plan import Heard, NoGuard, Plan, Reader, hear, make_plan
from gateway.routes import ways
from gateway.standing import lock_senders, open_question_ids
from gateway.understanding import keep

DISK_LOOK_EVERY_S = 1.0
TRIES = 3
GATHER_FROM = 8
GATHER_S = 0.03
GATHER_STILL_S = 0.005
GATHER_LOOK_S = 0.001

_log = logging.getLogger("vocero.intake")
_Waiter = asyncio.Future[Receipt]


@dataclass(slots=True)
class _Waiting:
    incoming: Incoming
    waiter: _Waiter
    loop: asyncio.AbstractEventLoop


class Intake:
    """Group commit for inbound texts; the writer calls `step` before every other job."""

    def __init__(self, house: House, reader: Reader | None = None) -> None:
        self._house = house
        self._settings = house.settings
        self._reader = reader or Reader(
            house.sealer, house.settings.repeat_hours, house.settings.question_hours, guard=NoGuard()
        )
        self._queue: deque[_Waiting] = deque()
        self._crowd = 0
        self._seen_version: int | None = None
        self._disk_looked_at = 0.0
        self._disk_full = False
        self._file = self._settings.sqlite_path
        self._file_id = _identity(self._file)
        self._reads_in_transaction = not house.settings.url.startswith("sqlite")

    @property
    def waiting(self) -> bool:
        return bool(self._queue)

    async def receive(self, incoming: Incoming) -> Receipt:
        """Keep one text durably; returns after the commit. Raises Busy when too much waits or the disk is full."""
        if len(self._queue) >= self._settings.intake_queue:
            raise Busy("too many texts wait", 2)
        if self._is_disk_full():
            raise Busy("the disk is nearly full or away", 30)
        loop = asyncio.get_running_loop()
        waiter: _Waiter = loop.create_future()
        self._queue.append(_Waiting(incoming, waiter, loop))
        self._house.writer.notify()
        return await waiter

    def step(self) -> bool:
        """Keep the texts that wait, at most a batch. Runs on the writer's thread."""
        self._gather()
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._settings.intake_batch))]
        if not batch:
            return False
        results = self._keep_all([one.incoming for one in batch])
        if _identity(self._file) != self._file_id:
            # SQLite goes on writing into a file that was deleted: what is kept there is lost at the next start.
            _log.error("the database file was taken away")
            results = [Busy("the database file was taken away", 30) for _ in batch]
        self._crowd = max(len(batch), self._crowd // 2)
        for loop in {one.loop for one in batch}:
            told = [(one.waiter, result) for one, result in zip(batch, results, strict=True) if one.loop is loop]
            _call_soon(loop, told)
        return True

    def _gather(self) -> None:
        """Under load, let those who were just answered come back before the next commit is begun.

        A transaction costs the same for one text as for sixty; without this, batches come in pairs of unequal halves.
        """
        wanted = min(self._crowd, self._settings.intake_batch)
        if not self._queue or wanted < GATHER_FROM:
            return
        grown = started = time.monotonic()
        before = len(self._queue)
        while before < wanted and (now := time.monotonic()) - started < GATHER_S and now - grown < GATHER_STILL_S:
            time.sleep(GATHER_LOOK_S)
            if len(self._queue) > before:
                before, grown = len(self._queue), now

    def keep_now(self, incoming: Sequence[Incoming]) -> list[Receipt]:
        """Keep texts from a thread that owns the writer's engine (command line, tests); raises the first failure."""
        results = self._keep_all(list(incoming))
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return [result for result in results if isinstance(result, Receipt)]

    def _keep_all(self, batch: list[Incoming]) -> list[Receipt | BaseException]:
        try:
            return list(self._keep(batch))
        except OperationalError as error:
            _log.error("database does not take texts", extra={"error": type(error.orig).__name__})
            return [Busy("the database does not take texts now", 10) for _ in batch]
        except Exception as error:
            if len(batch) > 1:
                _log.warning("batch failed, keeping its texts one by one", extra={"error": type(error).__name__})
                return [result for one in batch for result in self._keep_all([one])]
            return [self._keep_unread(batch[0], error)]

    def _keep(self, batch: Sequence[Incoming], reader: Reader | None = None) -> list[Receipt]:
        for attempt in range(TRIES):
            try:
                return self._keep_once(batch, reader or self._reader)
            except IntegrityError:
                if attempt == TRIES - 1:
                    raise
            except OperationalError as error:
                if not is_retryable(error) or attempt == TRIES - 1:
                    raise
                time.sleep(0.01 * (attempt + 1))
        raise AssertionError

    def _keep_once(self, batch: Sequence[Incoming], reader: Reader) -> list[Receipt]:
        house = self._house
        plan: Plan | None = None
        if not self._reads_in_transaction:
            with house.engine.connect() as connection:
                plan = self._plan(connection, batch, reader)
        with house.writer.engine.begin() as connection:
            if plan is None:
                lock_senders(connection, {hear(one, house.sealer).sender_hash for one in batch})
            if plan is None or not self._still_holds(connection, plan):
                plan = self._plan(connection, batch, reader)
            self._write(connection, plan)
        return [_receipt(heard) for heard in plan.heard]

    def _plan(self, connection: Connection, batch: Sequence[Incoming], reader: Reader) -> Plan:
        codebook = self._house.codebook(connection)
        return make_plan(connection, batch, codebook, reader=reader, now=self._house.clock())

    def _still_holds(self, connection: Connection, plan: Plan) -> bool:
        """Whether the codebook and the open questions are what the texts were read by.

        SQLite tells whether any other process has committed since this connection looked last; if none has, they are.
        """
        version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
        seen, self._seen_version = self._seen_version, version
        if version == seen:
            return True
        if self._house.codebook(connection).revision != plan.codebook.revision:
            return False
        return open_question_ids(connection, list(plan.memory.standings), plan.now) == plan.questions

    def _write(self, connection: Connection, plan: Plan) -> None:
        fresh = [heard for heard in plan.heard if heard.kept_as is None]
        if not fresh:
            return
        house = self._house
        lock_events(connection, _events(fresh))
        keeper = Keeper(
            connection, plan, node_id=house.node_id, sealer=house.sealer, ways=ways(connection),
            base_url=house.settings.base_url,
        )  # fmt: skip
        keeper.refs = take_numbers(connection, numbers_needed(plan))
        for heard in fresh:
            keep(keeper, heard)
        keeper.touch_contacts(fresh)
        keeper.note_attempts()
        keeper.flush()

    def _keep_unread(self, incoming: Incoming, error: Exception) -> Receipt | BaseException:
        """A text that cannot be dealt with is kept all the same, for a person to read."""
        _log.error("text kept unread", extra={"error": type(error).__name__, "channel": incoming.channel})
        try:
            return self._keep([incoming], Reader(self._house.sealer, guard=_AllPoison()))[0]
        except Exception:
            _log.exception("text not kept", extra={"channel": incoming.channel})
            return Busy("the text could not be kept", 30)

    def _is_disk_full(self) -> bool:
        now = time.monotonic()
        if now - self._disk_looked_at > DISK_LOOK_EVERY_S:
            self._disk_looked_at = now
            reserve = self._settings.disk_reserve_mb * 1_000_000
            try:
                self._disk_full = shutil.disk_usage(self._settings.data_dir).free < reserve
            except OSError:
                self._disk_full = True
        return self._disk_full


def _identity(file: Path | None) -> tuple[int, int] | None:
    """What tells a file from another that came to its path; None for no file."""
    try:
        found = os.stat(file) if file else None  # noqa: PTH116 - asked at every batch
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found else None


def _events(batch: Sequence[Heard]) -> set[str]:
    """Of which events urgent texts tell: their locks are taken in one order, before all others."""
    urgent = [report for heard in batch if heard.reading for report in heard.reading.reports if report.urgent]
    keys = {event_key(*(str(report.get(name) or "") for name in ("place", "date", "category"))) for report in urgent}
    return {key for key in keys if is_placed(key)}


class _AllPoison(NoGuard):
    def is_poison(self, key: bytes) -> bool:
        return True


def _receipt(heard: Heard) -> Receipt:
    if heard.kept_as is not None:
        return Receipt(heard.kept_as, "duplicate")
    return Receipt(heard.message_id, "kept")


def _call_soon(loop: asyncio.AbstractEventLoop, told: list[tuple[_Waiter, Receipt | BaseException]]) -> None:
    """Hand a whole batch of results to its loop in one call; a loop that was closed has nobody who waits."""
    try:
        loop.call_soon_threadsafe(_tell, told)
    except RuntimeError:
        _log.warning("results for a closed loop", extra={"count": len(told)})


def _tell(told: list[tuple[_Waiter, Receipt | BaseException]]) -> None:
    for waiter, result in told:
        if waiter.done():
            continue
        if isinstance(result, BaseException):
            waiter.set_exception(result)
        else:
            waiter.set_result(result)
