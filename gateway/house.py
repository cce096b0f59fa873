"""What the parts of one running process share: settings, engines, the writer, keys, the clock and the codebook."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, select, update

from gateway.clock import Clock, system_clock
from gateway.codebook import Codebooks
from gateway.db import Writer, make_engine
from gateway.incoming import Receiver
from gateway.models import Counter, Node
from gateway.sealing import Sealer, read_key_file
from gateway.settings import Settings
from parsers import Codebook

T = TypeVar("T")

COUNTER = Counter.__table__  # type: ignore[attr-defined]
NODE = Node.__table__  # type: ignore[attr-defined]
PAGE_READERS = 4


@dataclass
class House:
    """Built by `open_house`; `close` ends its threads and connections."""

    settings: Settings
    clock: Clock
    engine: Engine
    writer: Writer
    sealer: Sealer
    node_id: UUID
    codebooks: Codebooks = field(default_factory=Codebooks)
    readers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(PAGE_READERS, "page-reader"))
    intake: Receiver | None = None
    """Set while the process hears texts."""

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a read on the page readers' pool, never on the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.readers, self.read_now, job)

    def read_now(self, job: Callable[[Connection], T]) -> T:
        with self.engine.connect() as connection:
            return job(connection)

    async def write(self, job: Callable[[Connection], T]) -> T:
        return await self.writer.write(job)

    def codebook(self, connection: Connection) -> Codebook:
        return self.codebooks.current(connection)

    def close(self) -> None:
        self.writer.stop()
        self.readers.shutdown(wait=False, cancel_futures=True)
        self.engine.dispose()
        self.writer.engine.dispose()


def open_house(settings: Settings, clock: Clock = system_clock) -> House:
    """Open an installation that `install.prepare` has checked; starts the writer thread. Raises SetupError."""
    sealer = Sealer(read_key_file(settings.key_path), settings.key_path)
    engine = make_engine(settings.url)
    with engine.connect() as connection:
        node_id = connection.execute(select(NODE.c.id)).scalar_one()
    writer = Writer(make_engine(settings.url, writer=True))
    writer.start()
    return House(settings, clock, engine, writer, sealer, node_id)


def touch_config(connection: Connection) -> None:
    """Say that channels, contacts or settings changed, so that running processes look again within two seconds."""
    connection.execute(update(COUNTER).where(COUNTER.c.name == "config").values(value=COUNTER.c.value + 1))


def config_stamp(connection: Connection) -> int:
    return int(connection.execute(select(COUNTER.c.value).where(COUNTER.c.name == "config")).scalar_one())
