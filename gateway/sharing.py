"""Several processes that send from one database share each channel's rate: each keeps to its part of it.

Who sends says so every few seconds in a row of its own; a process that has said nothing for a while counts no more. On
SQLite one process sends, and none of this is asked.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from importlib import import_module

from sqlalchemy import Connection, Table, delete, func, select
from uuid_utils.compat import uuid7

from gateway.house import House
from gateway.models import SendingProcess

PROCESS: Table = SendingProcess.__table__  # type: ignore[attr-defined]
EVERY_S = 5.0
ALIVE = timedelta(seconds=30)

_log = logging.getLogger("vocero.sharing")


class Sharing:
    """Tells `share` how many processes send, this one among them."""

    def __init__(self, house: House, share: Callable[[int], None], *, every_s: float = EVERY_S) -> None:
        self._house = house
        self._share = share
        self._every_s = every_s
        self._id = uuid7()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then this process counts no more."""
        if self._house.settings.sqlite_path is not None:
            # A part that ends ends the process.
            await stop.wait()
            return
        while not stop.is_set():
            try:
                self._share(await self._house.write(self.count))
            except Exception as error:
                _log.warning("who sends could not be counted: %s", type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await stop.wait()
        with suppress(Exception):
            await self._house.write(
                lambda connection: connection.execute(delete(PROCESS).where(PROCESS.c.id == self._id))
            )

    def count(self, connection: Connection) -> int:
        """Say that this process sends; how many do."""
        now = self._house.clock()
        dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
        mine = dialect.insert(PROCESS).values({"id": self._id, "seen_at": now})
        connection.execute(mine.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now}))
        gone = PROCESS.c.seen_at < now - ALIVE
        connection.execute(delete(PROCESS).where(gone))
        return max(1, connection.scalar(select(func.count()).select_from(PROCESS)) or 1)
