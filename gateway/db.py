"""Engines and the one writer of a process.

SQLite: WAL, synchronous=FULL, foreign keys, BEGIN IMMEDIATE for the writer (a plain BEGIN loses read-then-write races
at once). Postgres: psycopg 3. Every write of a process runs on the writer's own thread, intake before all else.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError

from gateway.compact import to_json
from gateway.errors import Busy

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
READ_POOL = 8
RETRIES = 3
RETRY_STATES = ("40P01", "40001")


def make_engine(url: str, *, writer: bool = False) -> Engine:
    """An engine for reading (a small pool) or for the one writer (one connection)."""
    size = 1 if writer else READ_POOL
    if url.startswith("sqlite"):
        engine = create_engine(url, pool_size=size, max_overflow=0, pool_timeout=10, json_serializer=to_json)
        event.listen(engine, "connect", _prepare_sqlite)
        begin = "BEGIN IMMEDIATE" if writer else "BEGIN"
        event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
        return engine
    return create_engine(
        url, pool_size=size, max_overflow=0, pool_timeout=10, pool_pre_ping=True, json_serializer=to_json,
        connect_args={"connect_timeout": 5, "options": "-c timezone=UTC"},
    )  # fmt: skip


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
        "trusted_schema=OFF", "secure_delete=FAST", "cache_size=-16000", "wal_autocheckpoint=2000",
    ):  # fmt: skip
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_retryable(error: OperationalError) -> bool:
    """Deadlock or serialization failure on Postgres: the same work may succeed when done again."""
    return getattr(error.orig, "sqlstate", None) in RETRY_STATES


class First(Protocol):
    """Work that goes before every job: the intake."""

    @property
    def waiting(self) -> bool:
        """True when a step would find work."""

    def step(self) -> bool:
        """Do one batch; False when nothing waits."""


class Writer:
    """One thread through which all writes of the process go, one transaction a job, intake first."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.first: First | None = None
        self._jobs: deque[tuple[Callable[[Connection], Any], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Finish what waits, then end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def notify(self) -> None:
        """Tell the thread that the first-served source has work."""
        with self._wake:
            self._wake.notify()

    def submit(self, job: Callable[[Connection], T]) -> "Future[T]":
        """Queue `job`; it runs in a transaction that is committed when it returns."""
        future: Future[T] = Future()
        with self._wake:
            if self._stopping:
                raise Busy("stopping")
            self._jobs.append((job, future))
            self._wake.notify()
        return future

    async def write(self, job: Callable[[Connection], T]) -> T:
        return await asyncio.wrap_future(self.submit(job))

    def write_now(self, job: Callable[[Connection], T], timeout: float | None = 30.0) -> T:
        return self.submit(job).result(timeout)

    def _run(self) -> None:
        while True:
            worked = self.first.step() if self.first else False
            if self._jobs:
                self._do_one()
            elif not worked:
                with self._wake:
                    if self._jobs or (self.first and self.first.waiting):
                        continue
                    if self._stopping:
                        return
                    self._wake.wait(0.5)

    def _do_one(self) -> None:
        job, future = self._jobs.popleft()
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(run_in_transaction(self.engine, job))
        except BaseException as error:
            future.set_exception(error)


def run_in_transaction(engine: Engine, job: Callable[[Connection], T]) -> T:
    """Run `job` in one transaction; a deadlock or serialization failure runs it again."""
    for attempt in range(RETRIES):
        try:
            with engine.begin() as connection:
                return job(connection)
        except OperationalError as error:
            if not is_retryable(error) or attempt == RETRIES - 1:
                raise
            time.sleep(0.01 * (attempt + 1))
    raise AssertionError
