"""A real `vocero serve` in a process of its own, and the tools an operator and a sender have."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

CONTACTS = Path(__file__).parent / "data" / "contacts.csv"
TOKEN = "a-token-of-the-test"
START_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Served:
    """An installation in `folder`; `command` starts its server, by default `vocero serve`."""

    folder: Path
    database_url: str | None = None
    command: Sequence[str] = ("-m", "gateway.cli", "serve")
    more: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VOCERO_")}
        own = {
            "VOCERO_DATA_DIR": str(self.folder / "data"), "VOCERO_PORT": str(self.port),
            "VOCERO_DISK_RESERVE_MB": "1", "PYTHONPATH": str(Path(__file__).parents[1]), **self.more,
        }  # fmt: skip
        if self.database_url:
            own["VOCERO_DATABASE_URL"] = self.database_url
        return {**inherited, **own}

    def run(self, *words: str, code: int = 0) -> str:
        """A `vocero` command; its standard output. Fails unless it ends with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", *words], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"vocero {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def lines(self, *words: str) -> list[dict[str, Any]]:
        """A command that prints one JSON object a line."""
        return [json.loads(line) for line in self.run(*words).splitlines() if line.startswith("{")]

    def export(self, what: str) -> list[dict[str, Any]]:
        return self.lines("export", what, "--format", "jsonl")

    def set_up(self, send_url: str | None = None) -> None:
        """Init, the cast, and a generic channel `campo`, both ways when it has somewhere to send."""
        self.run("init")
        self.run("contact", "import", str(CONTACTS))
        out = ["--set", f"send_url={send_url}"] if send_url else []
        self.run("channel", "add", "http", "campo", "--set", f"token={TOKEN}", *out)

    def start(self) -> None:
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, (self.folder / "serve.log").read_text()[-4000:]
            try:
                if httpx.get(f"{self.url}/healthz", timeout=1).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.02)
        raise AssertionError("serve did not answer")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """kill -9, as a power cut takes the processes."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def post(self, body: Mapping[str, Any], channel: str = "campo", timeout: float = 5.0) -> httpx.Response:
        return httpx.post(
            f"{self.url}/in/{channel}", json=body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=timeout
        )

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
