"""uvicorn with the bounds it lacks: time and size of a request's head, and shutdown that the process itself decides."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S = 10.0
HEAD_BYTES = 32 * 1024
URL_BYTES = 8 * 1024
HEADERS = 200
CONNECTIONS = 1000
KEEP_ALIVE_S = 30
DRAIN_S = 9
BACKLOG = 1024


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose next request head must come whole within HEAD_S and HEAD_BYTES, else it is closed."""

    _deadline: asyncio.TimerHandle | None = None
    _head = 0
    _in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
            if self._deadline is None:
                self._deadline = self.loop.call_later(HEAD_S, self._close)
        super().data_received(data)
        if self._in_head and self._head > HEAD_BYTES:
            self._close()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(value) > HEAD_BYTES or len(self.headers) > HEADERS:
            raise ValueError("the request's head is too large")

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head = 0
        self._disarm()
        if len(self.url) > URL_BYTES:
            raise ValueError("the request's address is too long")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._disarm()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()


class WebServer(uvicorn.Server):
    """A server that leaves signals to the process; `ask_to_stop` ends it after what is under way."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def ask_to_stop(self) -> None:
        self.should_exit = True


def make_server(app: Any) -> WebServer:
    config = uvicorn.Config(
        app, http=BoundedProtocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, limit_concurrency=CONNECTIONS, timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=DRAIN_S,
    )  # fmt: skip
    return WebServer(config)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening
