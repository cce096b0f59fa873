"""Where mail is opened: small ones without a table here, all others in a process that may die of them."""

import os
import subprocess
import sys
import threading
from contextlib import suppress

from gateway.mail_child import HEAD, LENGTH
from parsers.mail import read_mail
from parsers.mail_tables import Opened, has_tables, load

INLINE_BYTES = 32_000
WALL_S = 15.0
IDLE_S = 20.0
ANSWER_BYTES = 64_000_000


class MailTooHard(Exception):
    """The process that opened a mail died of it or took too long: the mail is kept and not opened again."""


class MailOpener:
    """Opens mail for all channels of a process: one child at most, started when needed, ended when idle.

    Any thread may call `open`; mails are opened one after the other.
    """

    def __init__(self, *, wall_s: float = WALL_S, idle_s: float = IDLE_S) -> None:
        self._wall_s = wall_s
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None

    def open(self, raw: bytes, own: str) -> Opened:
        """The mail and its tables; `own` is our address or "". Raises MailTooHard.

        What is opened in this process is bounded by its size: the tests hold what the worst 32 kB cost.
        """
        if len(raw) <= INLINE_BYTES:
            mail = read_mail(raw, own_addresses=frozenset({own} if own else ()))
            if not has_tables(mail):
                return Opened(mail)
        with self._lock:
            return self._ask(raw, own.encode())

    @property
    def pid(self) -> int | None:
        """Of the child, while there is one."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    def close(self) -> None:
        """End the child; the next mail starts another."""
        with self._lock:
            self._end()

    def _ask(self, raw: bytes, own: bytes) -> Opened:
        child = self._ready()
        assert child.stdin is not None
        assert child.stdout is not None
        # Its death unblocks whatever waits at its pipes.
        alarm = threading.Timer(self._wall_s, child.kill)
        alarm.start()
        try:
            child.stdin.write(HEAD.pack(len(raw), len(own)) + own + raw)
            child.stdin.flush()
            size = LENGTH.unpack(child.stdout.read(LENGTH.size))[0]
            if size > ANSWER_BYTES:
                raise ValueError("more than a mail can say")
            opened = load(child.stdout.read(size))
        except Exception as error:
            self._end()
            raise MailTooHard from error
        finally:
            alarm.cancel()
        self._idle = threading.Timer(self._idle_s, self._end_if_free)
        self._idle.daemon = True
        self._idle.start()
        return opened

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._idle is not None:
            self._idle.cancel()
        if self.pid is None:
            self._end()
            self._child = _start()
        assert self._child is not None
        return self._child

    def _end_if_free(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    def _end(self) -> None:
        child, self._child = self._child, None
        if self._idle is not None:
            self._idle.cancel()
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        child.wait()


def _start() -> "subprocess.Popen[bytes]":
    """The child sees none of our environment: no key, no database address."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "gateway.mail_child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env={**kept, "PYTHONDONTWRITEBYTECODE": "1"}, start_new_session=True,
    )  # fmt: skip
