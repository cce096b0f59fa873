"""The light parent of `vocero serve`: starts the child that serves, watches what it reads, starts it again.

Imports nothing heavy. The child dies with its parent (PR_SET_PDEATHSIG), so kill -9 of the parent frees port and lock;
the parent forwards SIGTERM and SIGINT and ends as an orderly child ends. A child that dies by a signal is started
again, after a wait that doubles while it keeps dying.
"""

import ctypes
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from dotenv import dotenv_values

from gateway.inflight import InFlight, own_file

POLL_S = 0.1
READ_LIMIT_S = 5.0
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 30.0
STEADY_S = 60.0
DRAIN_S = 20.0
IN_FLIGHT = "VOCERO_IN_FLIGHT_FILE"
PR_SET_PDEATHSIG = 1
# Signals by which a process ends itself: what it read is to blame. The others may come from anywhere.
OWN_DEATHS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGSYS)

_log = logging.getLogger("vocero.supervisor")
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass
class Supervisor:
    """`command` is what the child runs. `in_flight` is its file, ours while `lock` is open; `read_limit_s` bounds one
    text. `environment` is added to our own."""

    command: Sequence[str]
    in_flight: Path
    read_limit_s: float
    lock: int
    environment: Mapping[str, str] = field(default_factory=dict)
    _child: "subprocess.Popen[bytes] | None" = None
    _asked: int | None = None
    _asked_at: float = 0.0

    def run(self) -> int:
        """Serve until asked to stop or until the child ends by itself; returns the exit code for `sys.exit`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        try:
            with InFlight(self.in_flight) as in_flight:
                _blame(in_flight, sure=False)
                return self._keep_alive(in_flight)
        finally:
            os.close(self.lock)

    def _keep_alive(self, in_flight: InFlight) -> int:
        wait = FIRST_WAIT_S
        while True:
            started = time.monotonic()
            code, hung = self._one_life(in_flight)
            _blame(in_flight, sure=hung or -code in OWN_DEATHS)
            if self._asked is not None:
                return 0 if code in (0, -self._asked) else abs(code)
            if code >= 0:
                return code
            wait = FIRST_WAIT_S if time.monotonic() - started > STEADY_S else min(wait * 2, LONGEST_WAIT_S)
            _log.error("the server died (signal %d%s) and is started again", -code, ", hung" if hung else "")
            if not self._sleep(wait):
                return 0

    def _one_life(self, in_flight: InFlight) -> tuple[int, bool]:
        """Exit code as `subprocess` gives it, and whether it hung on a text and had to be killed."""
        environment = {**os.environ, **self.environment, IN_FLIGHT: str(in_flight.path)}
        parent = os.getpid()
        self._child = subprocess.Popen(  # noqa: S603
            self.command, env=environment, preexec_fn=lambda: _die_with(parent), start_new_session=True
        )
        hung = False
        ended = os.pidfd_open(self._child.pid)
        while not _wait(POLL_S, ended):
            if self._asked is not None and time.monotonic() - self._asked_at > DRAIN_S:
                self._child.kill()
            if not hung and self._hangs(in_flight):
                hung = True
                self._child.kill()
        os.close(ended)
        code, self._child = self._child.wait(), None
        return code, hung

    def _hangs(self, in_flight: InFlight) -> bool:
        """Whether one text has been read for longer than the limit, seen twice alike."""
        limit = time.monotonic_ns() - int(self.read_limit_s * 1e9)
        late = [reading for reading in in_flight.under_way() if 0 < reading.since_ns < limit]
        return bool(late) and any(reading in in_flight.under_way() for reading in late)

    def _ask(self, number: int, _frame: object) -> None:
        if self._asked is None:
            self._asked, self._asked_at = number, time.monotonic()
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def _sleep(self, seconds: float) -> bool:
        """False when asked to stop meanwhile."""
        end = time.monotonic() + seconds
        while self._asked is None and time.monotonic() < end:
            _wait(min(POLL_S, max(0.0, end - time.monotonic())))
        return self._asked is None


def _wait(seconds: float, *descriptors: int) -> bool:
    """Whether one of `descriptors` becomes readable within `seconds`; without any it sleeps."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _blame(in_flight: InFlight, *, sure: bool) -> None:
    """Note what was being read at a death, and make the file clean for the next life."""
    texts = {reading.text for reading in in_flight.under_way()}
    poison = in_flight.poison.add(texts, sure=sure)
    if texts:
        _log.error("%d texts were being read at a death; %d are not read again", len(texts), len(poison))
    in_flight.clear()


def _die_with(parent: int) -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def become(command: Sequence[str]) -> NoReturn:
    """Replace this process, and all it imported, by a supervisor of `command`."""
    os.execv(sys.executable, [sys.executable, "-m", "gateway.supervisor", *command])  # noqa: S606


def folder_and_limit() -> tuple[Path, float]:
    """Data folder and seconds for one text, as the settings will have them, read without what settings import.

    A limit that is no number is the child's to complain about.
    """
    found = {name.upper(): value for name, value in (*dotenv_values(".env").items(), *os.environ.items()) if value}
    folder = Path(found.get("VOCERO_DATA_DIR", "./data"))
    try:
        return folder, float(found.get("VOCERO_READ_LIMIT_S", ""))
    except ValueError:
        return folder, READ_LIMIT_S


def main(command: Sequence[str]) -> int:
    """The supervisor as a process of its own; `command` is its child."""
    logging.basicConfig(format='{"level": "%(levelname)s", "logger": "%(name)s", "event": "%(message)s"}')
    folder, limit = folder_and_limit()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, lock = own_file(folder)
    except OSError as error:
        sys.stderr.write(f"The data folder {folder} cannot be used: {error.strerror}.\n")
        return 3
    return Supervisor(command, path, limit, lock).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
