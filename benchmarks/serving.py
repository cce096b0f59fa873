"""start_first_200 and idle_rss: `vocero serve` on an existing SQLite database, with a webhook and a mail channel."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.intake import free_port
from gateway.channels import registry
from gateway.house import open_house
from gateway.install import init
from gateway.settings import Settings

ROUNDS = 3
SETTLE_S = 3.0


def start() -> dict[str, Any]:
    """Best of three, from the exec of the command to the first 200 of /healthz."""
    times = []
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        install(Path(folder))
        for _ in range(ROUNDS):
            with served(Path(folder)) as (_, took):
                times.append(took)
    return {"name": "start_first_200", "value": round(min(times), 2), "unit": "s", "limit": 2}


def memory() -> dict[str, Any]:
    """Resident memory of the server and its supervisor together, idle, everything on."""
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        install(Path(folder))
        with served(Path(folder)) as (pid, _):
            time.sleep(SETTLE_S)
            value = sum(rss_mb(one) for one in (pid, *children(pid)))
    return {"name": "idle_rss", "value": round(value), "unit": "MB", "limit": 150}


def install(folder: Path) -> None:
    settings = Settings(_env_file=None, data_dir=folder)
    init(settings)
    house = open_house(settings)
    channels = {"campo": ("http", {"token": "bench"}), "correo": ("smtp", {"listen": f"127.0.0.1:{free_port()}"})}
    try:
        for name, (kind, values) in channels.items():
            house.writer.write_now(
                lambda conn, name=name, kind=kind, values=values: registry.add(
                    conn, house.sealer, kind=kind, name=name, values=values, at=house.clock(), actor="bench"
                )
            )
    finally:
        house.close()


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, float]]:
    port = free_port()
    environment = {**os.environ, "VOCERO_DATA_DIR": str(folder), "VOCERO_PORT": str(port)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "serve"], env=environment, cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                    break
            except OSError:
                if process.poll() is not None or time.perf_counter() - started > 60:
                    raise
                time.sleep(0.01)
        yield process.pid, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
