"""Time that is moved by hand: the wall clock of the house, and the steady clock of the event loop beside it."""

import asyncio
from datetime import datetime, timedelta
from typing import Any


class DayClock:
    """The wall clock of a played day: it stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose steady clock can leap, so that pauses of minutes end at once. It knows its servers, to be
    able to close them as the end of a process does."""

    def __init__(self) -> None:
        super().__init__()
        self._ahead = 0.0
        self._opened: list[asyncio.Server] = []

    def time(self) -> float:
        return super().time() + self._ahead

    def leap(self, by: timedelta) -> None:
        """Let so much time pass for every timer at once. Call it when nothing is under way."""
        self._ahead += max(0.0, by.total_seconds())

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        server: asyncio.Server = await super().create_server(*args, **options)
        self._opened.append(server)
        return server

    def close_servers(self) -> None:
        for server in self._opened:
            server.close()
        self._opened.clear()
