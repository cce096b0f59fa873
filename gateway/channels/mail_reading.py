"""Mail on its way from any wire to the intake: read in threads of its own, kept whole when it cannot be read."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from gateway.channels.base import ChannelConfig, Surroundings
from gateway.channels.mail_in import as_text, incoming_of, unread
from gateway.channels.mail_opening import MailOpener
from gateway.errors import Busy
from gateway.incoming import Incoming, Receipt

READ_S = 20.0
READERS = 2

_log = logging.getLogger("vocero.mail")


class Poison(Exception):
    """This mail ended a process before and is not read again."""


class MailReader:
    """Reads the mail of one channel, whatever brings it: a listener, a mailbox or a webhook."""

    def __init__(self, config: ChannelConfig, around: Surroundings) -> None:
        self._name = config.name
        self._own = config.get("from")
        self._authserv_id = config.get("authserv_id")
        self._opener = MailOpener()
        self._around = around
        self._pool = ThreadPoolExecutor(READERS, f"mail-{config.name}")

    async def keep(self, raw: bytes, *, mail_from: str | None, to: str | None) -> Receipt:
        """Read and keep one mail; returns after the commit. Raises Busy when nothing was kept."""
        incoming = await self.read(raw, mail_from=mail_from, to=to)
        # Whoever waits may be cancelled when a peer hangs up; the batch that holds the text must not feel it.
        return await asyncio.shield(self._receive(incoming))

    async def read(self, raw: bytes, *, mail_from: str | None, to: str | None) -> Incoming:
        """`mail_from` is the envelope's sender, "" for a bounce, None when the wire does not tell."""
        now = self._around.clock()
        reading = partial(
            incoming_of, raw, channel=self._name, own=self._own, mail_from=mail_from, to=to, now=now,
            authserv_id=self._authserv_id, opening=self._opener.open,
        )  # fmt: skip
        try:
            async with asyncio.timeout(READ_S):
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._marked, raw, reading)
        except Exception as error:
            # A mail the reader cannot bear is kept all the same.
            _log.exception("a mail could not be read")
            if isinstance(error, TimeoutError):
                self._give_up_threads()
            return unread(raw, channel=self._name, to=to, now=now)

    async def _receive(self, incoming: Incoming) -> Receipt:
        if self._around.intake is None:
            raise Busy("starting")
        return await self._around.intake.receive(incoming)

    def _give_up_threads(self) -> None:
        """A thread cannot be ended: those that hang are left behind and fresh ones take over."""
        self._pool.shutdown(wait=False)
        self._pool = ThreadPoolExecutor(READERS, f"mail-{self._name}")

    def _marked(self, raw: bytes, reading: Callable[[], Incoming]) -> Incoming:
        """Read, saying meanwhile what is read; raises Poison for a mail that ended a process before."""
        marker, keyed = self._around.marker, self._around.hash
        if marker is None or keyed is None:
            return reading()
        text = keyed("body", as_text(raw))
        if marker.is_poison(text):
            raise Poison
        with marker.marked(text):
            return reading()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._opener.close()
