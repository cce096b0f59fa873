"""outbox_sqlite: messages a second that are claimed, handed to a sender that sends nothing, and recorded."""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from gateway.house import House, open_house
from gateway.install import init
from gateway.settings import Settings
from outbox.dispatcher import Dispatcher, SendingChannel
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from outbox.senders.null import NullSender

MESSAGES = 5000


def sqlite() -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder) / "office")
        init(settings)
        house = open_house(settings)
        try:
            return asyncio.run(measure(house))
        finally:
            house.close()


async def measure(house: House) -> dict[str, Any] | None:
    await house.write(lambda conn: enqueue(conn, messages(house), seals=house.sealer, now=house.clock()))
    sender = NullSender({}, {})
    channel = SendingChannel(sender)
    dispatcher = Dispatcher(
        write=house.write, seals=house.sealer, clock=house.clock, channels=lambda: {"null": channel}, owner=uuid7().hex
    )
    stop = asyncio.Event()
    started = time.perf_counter()
    running = asyncio.create_task(dispatcher.run(stop))
    async with asyncio.timeout(60):
        while sender.taken < MESSAGES or await house.read(unsent):  # noqa: ASYNC110 - the end is in the database
            await asyncio.sleep(0.01)
    took = time.perf_counter() - started
    stop.set()
    await running
    return {"name": "outbox_sqlite", "value": round(MESSAGES / took), "unit": "messages/s", "limit": 1000}


def messages(house: House) -> list[NewMessage]:
    expires = house.clock() + timedelta(days=1)
    return [
        NewMessage(
            uuid7(), "confirmation", "null", f"tel:+502555{number:05d}", f"R{number} recibido", expires_at=expires
        )
        for number in range(MESSAGES)
    ]


def unsent(conn: Any) -> int:
    waiting = OUTBOUND.c.state.in_(("queued", "sending"))
    return int(conn.scalar(select(func.count()).select_from(OUTBOUND).where(waiting)))
