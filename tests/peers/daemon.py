"""A peer's process: its output in a file, ready when its port answers, ended with everything it started."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

EXAMPLES = Path(__file__).parent / "configs"
READY_S = 20.0


class Daemon:
    """`command` at work in `folder`. `port`: it is ready when this loopback port takes connections."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, port: int | None = None, name: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.log = folder / f"{name or Path(command[0]).name}.log"
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                list(command), cwd=folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})}, start_new_session=True,
            )  # fmt: skip
        if port is not None:
            wait_for_port(port, self)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """kill -9 for it and what it started."""
        self._signal(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds: float = 5.0) -> None:
        """SIGTERM, and SIGKILL for what does not heed it."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def wait_for_port(port: int, daemon: Daemon | None = None) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if daemon is not None and not daemon.alive:
            raise AssertionError(f"it ended at its start:\n{daemon.log.read_text(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"port {port} does not answer")


def filled(name: str, folder: Path, **values: object) -> Path:
    """The example configuration `name` with each @KEY@ filled in, written into `folder`."""
    text = (EXAMPLES / name).read_text()
    for key, value in {"DIR": folder, **values}.items():
        text = text.replace(f"@{key}@", str(value))
    path = folder / name
    path.write_text(text)
    return path
