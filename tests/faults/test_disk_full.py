"""The disk fills while texts come in: nothing is acknowledged that is not kept, and service resumes by itself."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.crew import Callers, Phones, Tally, compare, end_all, is_sound, kept, text, until
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

SIZE_MB = 16


@pytest.fixture
def small(tmp_path: Path, stock: Path, phones: Phones) -> Iterator[Served]:
    """An installation whose data folder lies on a small file system of its own."""
    data = tmp_path / "data"
    data.mkdir()
    assert os.geteuid() == 0, "mounting a small file system needs root"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "tmpfs", str(data)], check=True)
    one = Served(tmp_path)
    try:
        shutil.copytree(stock, data, dirs_exist_ok=True)
        yield one
        if one.process is not None and one.process.poll() is None:
            end_all(one)
    finally:
        one.close()
        subprocess.run(["umount", "-l", str(data)], check=True)


def fill(served: Served, leave: int) -> Path:
    """A file of somebody else that leaves `leave` bytes."""
    ballast = served.folder / "data" / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while shutil.disk_usage(served.folder / "data").free > leave + 65536:
            file.write(b"\0" * 65536)
    return ballast


def is_ready(served: Served) -> bool:
    return httpx.get(f"{served.url}/readyz", timeout=20).status_code == 200


def test_a_disk_that_fills_up_refuses_texts_and_takes_them_again_when_there_is_room(small: Served) -> None:
    small.more = {"VOCERO_DISK_RESERVE_MB": "0"}
    small.start()
    with Callers(small) as callers:
        until(lambda: len(callers.acknowledged) > 20)
        ballast = fill(small, 200_000)
        until(lambda: callers.statuses[503] > 20)
        time.sleep(2)
        before = len(callers.acknowledged)
        ballast.unlink()
        recovered = until(lambda: len(callers.acknowledged) > before + 10, 60)
    assert small.process is not None
    assert small.process.poll() is None
    until(lambda: is_ready(small), 60, every=0.5)
    assert small.stop() == 0
    tally = compare(Tally("disk full", 1), small, callers.acknowledged)
    tally.tell(refused=callers.statuses[503], recovered_s=round(recovered, 2))
    assert set(callers.statuses) == {202, 503}
    assert callers.without_hint == 0
    assert (tally.lost, tally.doubled) == (0, 0)
    assert recovered < 60
    assert is_sound(small.folder / "data" / "vocero.db")


def test_below_the_reserve_nothing_is_taken_and_readiness_says_why(small: Served) -> None:
    small.more = {"VOCERO_DISK_RESERVE_MB": "6"}
    small.start()
    assert small.post(text(0)).status_code == 202
    ballast = fill(small, 4_000_000)
    until(lambda: small.post(text(1)).status_code == 503)
    refused = [small.post(text(number, "r")) for number in range(20)]
    ready = httpx.get(f"{small.url}/readyz", timeout=20)
    ballast.unlink()
    recovered = until(lambda: small.post(text(2)).status_code == 202)
    rows = kept(small, "messages")
    tally = Tally("disk reserve", 1, 2, len([row for row in rows if row["external_id"] in ("t0", "t2")]))
    tally.lost = 2 - tally.found
    tally.tell(refused=len(refused), recovered_s=round(recovered, 2))
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert ready.status_code == 503
    assert not ready.json()["checks"]["disk"]["ok"]
    assert not [row for row in rows if row["external_id"].startswith("tr")]
    assert tally.lost == 0
    assert recovered < 5
    assert small.stop() == 0
