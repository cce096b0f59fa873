"""A mail server on loopback that says yes and keeps nothing: the mailbox page reads the outbox itself."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session

SIZE_LIMIT = 10 * 1024 * 1024


class _TakesAll:
    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        return "250 taken"


@contextmanager
def mail_sink() -> Iterator[int]:
    """Serve in a thread while the block runs; gives the port."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(
            lambda: SMTP(_TakesAll(), data_size_limit=SIZE_LIMIT, hostname="localhost", loop=loop), "127.0.0.1", 0
        )
    )
    thread = threading.Thread(target=loop.run_forever, name="mail-sink", daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
