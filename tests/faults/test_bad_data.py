"""A data folder that cannot be used: at the start it is told in words, while serving nothing more is acknowledged."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.faults.crew import Tally, kept, text
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@contextmanager
def _read_only(data: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", str(data), str(data)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(data)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


@contextmanager
def _cut_to(share: float, data: Path) -> Iterator[None]:
    database = data / "vocero.db"
    size = int(database.stat().st_size * share) // 4096 * 4096 + 100
    with database.open("r+b") as file:
        file.truncate(size)
    yield


@contextmanager
def _half(data: Path) -> Iterator[None]:
    with _cut_to(0.5, data):
        yield


@contextmanager
def _head_only(data: Path) -> Iterator[None]:
    with _cut_to(0.0, data):
        yield


@contextmanager
def _overwritten(data: Path) -> Iterator[None]:
    with (data / "vocero.db").open("r+b") as file:
        file.write(b"this is no database " * 300)
    yield


@contextmanager
def _a_file(data: Path) -> Iterator[None]:
    shutil.rmtree(data)
    data.write_text("not a folder")
    yield


@contextmanager
def _nowhere(data: Path) -> Iterator[None]:
    shutil.rmtree(data)
    data.symlink_to("/proc/nowhere/data")
    yield


Damage = Callable[[Path], "contextmanager[None]"]  # type: ignore[type-arg]
DAMAGES = {
    "the folder is read-only": _read_only,
    "the database was cut in half": _half,
    "of the database only the head is left": _head_only,
    "the database was overwritten": _overwritten,
    "the folder is a file": _a_file,
    "the folder was deleted and cannot be made": _nowhere,
}


@pytest.mark.parametrize("label", DAMAGES)
def test_a_server_that_cannot_use_its_data_says_so_and_does_not_serve(served: Served, label: str) -> None:
    with DAMAGES[label](served.folder / "data"):
        done = subprocess.run(
            [sys.executable, *served.command], cwd=served.folder, env=served.environment, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip
    Tally(label, 1).tell(code=done.returncode)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert f"{served.folder / 'data'}" in done.stderr or "data folder" in done.stderr
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port), 1)


def test_the_data_is_deleted_while_it_serves_and_nothing_more_is_acknowledged(served: Served) -> None:
    served.start()
    assert served.post(text(0)).status_code == 202
    assert len(kept(served, "messages")) == 1
    shutil.rmtree(served.folder / "data")
    refused = [served.post(text(number, "r")) for number in range(20)]
    ready = httpx.get(f"{served.url}/readyz", timeout=20)
    Tally("data folder deleted", 1, 1).tell(refused=len(refused))
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert ready.status_code == 503
