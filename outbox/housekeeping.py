"""What keeps the queue healthy beside sending: lost leases, parked receipts, expiry, and a clock that was set back."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from outbox.line import Write
from outbox.queue import apply_parked, drop_parked, expire, release_all_leases, release_expired_leases, thaw

EVERY_SECONDS = 5.0
SWEEP_SECONDS = 60.0
JUMP = timedelta(seconds=5)
PARKED_FOR = timedelta(hours=24)

_log = logging.getLogger("vocero.outbox")


class Housekeeping:
    """Does what is due each time it is stepped. `holding`: ids of messages this process is sending.

    `alone`: no other process sends from this database, so that leases found at the start are those of the dead.
    """

    def __init__(
        self, write: Write, clock: Callable[[], datetime], holding: Callable[[], Collection[UUID]], *, alone: bool
    ) -> None:
        self._write = write
        self._clock = clock
        self._holding = holding
        self._alone = alone
        self._next = self._next_sweep = float("-inf")
        self._seen: tuple[float, datetime] | None = None

    async def step(self, monotonic: float) -> None:
        """`monotonic` in seconds. An error is logged and the work done next time."""
        now = self._clock()
        back = self._was_set_back(monotonic, now)
        if not back and monotonic < self._next:
            return
        self._next = monotonic + EVERY_SECONDS
        sweep = monotonic >= self._next_sweep
        try:
            await self._write(lambda conn: self._tidy(conn, now, back=back, sweep=sweep))
        except Exception:
            _log.exception("housekeeping failed")
        else:
            self._seen = (monotonic, now)
            if sweep:
                self._next_sweep = monotonic + SWEEP_SECONDS

    def _was_set_back(self, monotonic: float, now: datetime) -> bool:
        """Also at the start: the clock may have been set back while nobody looked."""
        if self._seen is None:
            return True
        then, told = self._seen
        return now < told + timedelta(seconds=monotonic - then) - JUMP

    def _tidy(self, conn: Connection, now: datetime, *, back: bool, sweep: bool) -> None:
        if self._alone and self._seen is None:
            release_all_leases(conn)
        release_expired_leases(conn, now, holding=self._holding())
        if back:
            thaw(conn, now)
        apply_parked(conn)
        if sweep:
            expire(conn, now)
            drop_parked(conn, now - PARKED_FOR)
