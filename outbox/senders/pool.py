"""A few threads of a sender's own, so that calls that hang stop neither the event loop nor another channel."""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from outbox.errors import Offline

T = TypeVar("T")


class Pool:
    """At most `size` daemon threads, started when needed. A call that hangs does not hold up the end of the process."""

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._name = name
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._lock = threading.Lock()
        self._closed = False

    async def run(self, job: Callable[[], T]) -> T:
        """Run `job` in a thread; raises Offline after `close`. Cancelling drops the job when it has not begun."""
        future: Future[T] = Future()
        with self._lock:
            if self._closed:
                # The channel has new settings, and another sender: nothing was handed over by this one.
                raise Offline(detail={"sender": "closed"})
            self._busy += 1
            self._jobs.put((job, future))
            if len(self._threads) < min(self._busy, self.size):
                name = f"{self._name}-{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        while item := self._jobs.get():
            job, future = item
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job())
                except BaseException as error:
                    future.set_exception(error)
            # Nothing of the last message stays in an idle thread.
            del item, job, future
            with self._lock:
                self._busy -= 1

    def close(self, last: Callable[[], Any] | None = None) -> None:
        """Let the threads end after what they are doing. `last` is done in a pool of one when nothing else will be."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if last is not None and self._threads:
                self._jobs.put((last, Future()))
            for _ in self._threads:
                self._jobs.put(None)
        if last is not None and not self._threads:
            last()
