"""A gateway at work in this process, on a free port of the loopback, driven from an async story."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from gateway.channels import registry
from gateway.channels.mail_listener import MailListener
from gateway.house import House
from gateway.http_server import bind
from gateway.running import Running

TOKEN = "a-token-of-the-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def add_channel(house: House, kind: str, name: str, **values: str) -> None:
    house.writer.write_now(
        lambda conn: registry.add(
            conn, house.sealer, kind=kind, name=name, values=values, at=house.clock(), actor="test"
        )
    )


@asynccontextmanager
async def at_work(house: House, **parts: Any) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    """A started Running and a client of its web server."""
    running = Running(house, **{"worker": False, "pages": False, **parts})
    listening = bind("127.0.0.1", 0)
    await running.start(listening)
    try:
        async with httpx.AsyncClient(base_url=running.base_url, timeout=10) as client:
            yield running, client
    finally:
        await running.stop()


def mail_port(running: Running, channel: str, number: int = 0) -> int:
    listener = running.channels._live[channel].listeners[number]
    assert isinstance(listener, MailListener)
    return listener.port


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> float:
    """Wait until it holds; how long that took."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not await condition():
        assert loop.time() - started < seconds, "it did not happen in time"
        await asyncio.sleep(0.02)
    return loop.time() - started
