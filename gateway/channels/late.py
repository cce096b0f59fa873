"""A sender whose library is large: it is made when the first message goes out, in a thread, not at the start."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outbox.senders.base import Envelope, Sender, Sent


class LateSender:
    """Stands for the sender that `make` gives; `parallel` is what that one will say."""

    def __init__(self, make: "Callable[[], Sender]", *, parallel: int) -> None:
        self.parallel = parallel
        self._make = make
        self._sender: Sender | None = None
        self._making = asyncio.Lock()

    async def send(self, envelope: "Envelope") -> "Sent":
        return await (self._sender or await self._made()).send(envelope)

    async def _made(self) -> "Sender":
        async with self._making:
            if self._sender is None:
                with ThreadPoolExecutor(1, "sender-maker") as thread:
                    self._sender = await asyncio.get_running_loop().run_in_executor(thread, self._make)
            return self._sender

    async def close(self) -> None:
        if self._sender is not None:
            await self._sender.close()
