"""A mailbox elsewhere, read in a thread of its own: told of news (IDLE) or looking now and then.

What was read is remembered by its number (UID) in the mailbox and known again by its Message-ID, so that a mailbox made
anew, a connection lost in the middle or a crash between the two costs a second look and no second report. Whether a
person has opened a mail says nothing.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.channels.base import ChannelConfig, Surroundings
from gateway.channels.mail_reading import MailReader
from gateway.errors import Busy

if TYPE_CHECKING:
    from gateway.channels.imap_wire import Folder, Found, Wire

T = TypeVar("T")

MARK = "mailbox"
POLL_S = 60.0
IDLE_AGAIN_S = 300.0
SETTLE_S = 2.0
TURN_EVERY_S = 50.0
FIRST_RETRY_S = 5.0
LONGEST_RETRY_S = 300.0
LOGIN_AGAIN_S = 900.0
KEEP_S = 120.0

_log = logging.getLogger("vocero.mail")


class Mailbox:
    """A listener. `problem` is the code of what keeps the mailbox from being read, None while it is."""

    def __init__(self, config: ChannelConfig, around: Surroundings) -> None:
        self._name = config.name
        self._settings = {**config.config, **config.secrets}
        self._around = around
        self._reader = MailReader(config, around)
        self._stopping = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"imap-{config.name}", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wire: Wire | None = None
        self._retry_s = FIRST_RETRY_S
        self.problem: str | None = None

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self, grace_s: float = 5.0) -> None:
        self._stopping.set()
        if self._wire is not None:
            self._wire.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self._ended.wait()
        self._reader.close()

    def _run(self) -> None:
        try:
            self._read_for_ever()
        finally:
            assert self._loop is not None
            with suppress(RuntimeError):  # a loop that is closed waits for nobody
                self._loop.call_soon_threadsafe(self._ended.set)

    def _read_for_ever(self) -> None:
        from gateway.channels.imap_wire import LoginRefused, MailboxError

        while not self._stopping.is_set():
            pause = self._retry_s
            try:
                self._session()
                continue
            except LoginRefused as error:
                pause = LOGIN_AGAIN_S
                self._trouble(error.code)
            except MailboxError as error:
                self._trouble(error.code)
            except Busy:
                self._trouble("busy")
            except Exception as error:
                self._trouble(type(error).__name__)
            self._stopping.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing
            self._retry_s = min(self._retry_s * 2, LONGEST_RETRY_S)

    def _trouble(self, code: str) -> None:
        if self._stopping.is_set():
            return
        if self.problem != code:
            _log.warning("mailbox of channel %s cannot be read: %s", self._name, code)
        self.problem = code

    def _session(self) -> None:
        """Read until the connection ends, if it is this process's turn."""
        from gateway.channels.imap_wire import Wire

        marks = self._around.marks
        if marks is None or not marks.take_turn(self._name):
            self._stopping.wait(TURN_EVERY_S)
            return
        self._wire = Wire(self._settings)
        try:
            while not self._stopping.is_set():
                found = self._read_new(self._wire)
                self.problem, self._retry_s = None, FIRST_RETRY_S
                if not self._rest(self._wire, settled=not found):
                    return
        finally:
            self._wire.close()
            self._wire = None
            marks.end_turn(self._name)

    def _read_new(self, wire: "Wire") -> int:
        """Every mail above the mark, in order: kept first, then the mark is moved, then the mail is put away. How many
        there were."""
        mark = self._mark(wire.look())
        since = datetime.fromisoformat(mark["since"])
        again = mark["uid"] < mark["again"]
        uids = wire.uids_after(mark["uid"], since if again else None)
        for uid in uids:
            if self._stopping.is_set():
                break
            found = wire.fetch(uid)
            old = found is not None and uid <= mark["again"] and found.at is not None and found.at < since
            if found is not None and not old:
                self._keep(found)
            mark["uid"] = uid
            self._put(mark)
            if found is not None and not old:
                self._put_away(wire, uid)
        return len(uids)

    def _mark(self, folder: "Folder") -> dict[str, Any]:
        """Where to go on. `again`: up to this UID there may be mails from before the channel was made."""
        assert self._around.marks is not None
        wanted = self._settings.get("folder") or "INBOX"
        mark = self._around.marks.get(self._name, MARK)
        if mark is not None and mark["folder"] == wanted and mark["validity"] == folder.validity:
            return mark
        last = folder.next_uid - 1
        fresh = {"folder": wanted, "validity": folder.validity}
        if mark is not None and mark["folder"] == wanted:
            _log.warning("the mailbox of channel %s was made anew; everything in it is looked at again", self._name)
            mark = {**mark, **fresh, "uid": 0, "again": last}
        elif self._settings.get("first") == "all":
            mark = {**fresh, "uid": 0, "again": 0, "since": "1970-01-01T00:00:00+00:00"}
        else:
            mark = {**fresh, "uid": last, "again": 0, "since": self._around.clock().isoformat()}
        self._put(mark)
        return mark

    def _put(self, mark: dict[str, Any]) -> None:
        assert self._around.marks is not None
        self._around.marks.put(self._name, MARK, mark)

    def _keep(self, found: "Found") -> None:
        if not found.whole:
            _log.warning("a mail of channel %s is too large and was read in part", self._name)
        self._wait_for(self._reader.keep(found.raw, mail_from=None, to=None))
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._around.heard, self._name, "kept")

    def _wait_for(self, work: "Coroutine[Any, Any, T]") -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(KEEP_S)

    def _put_away(self, wire: "Wire", uid: int) -> None:
        after = self._settings.get("after") or "leave"
        if after == "seen":
            wire.mark_read(uid)
        elif after.startswith("move:"):
            wire.move(uid, after.removeprefix("move:"))

    def _rest(self, wire: "Wire", *, settled: bool) -> bool:
        """Wait for news or until it is time to look again; False when it is another process's turn.

        News of a mail that comes while others are fetched is told among those answers and not again: only a look that
        found nothing earns a long rest.
        """
        idles = wire.idles and self._settings.get("idle") != "no"
        until = time.monotonic() + (IDLE_AGAIN_S if idles else float(self._settings.get("poll") or POLL_S))
        if not settled:
            until = min(until, time.monotonic() + SETTLE_S)
        if idles:
            wire.start_idle()
        news = False
        while not news and not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            pause = min(left, TURN_EVERY_S)
            news = wire.wait(pause) if idles else self._stopping.wait(pause)
            if not self._around.marks or not self._around.marks.take_turn(self._name):
                return False
        if idles:
            wire.end_idle()
        return True
