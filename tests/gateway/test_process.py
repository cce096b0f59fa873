"""`vocero serve` as processes: signals, locks, exit codes, and what a kill leaves behind."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.served import Served

TEXT = {"from": "+50255550101", "text": "inc rob nebaj ayer 2 heridos"}

READER = """
import os, sys, time
from gateway.conversation import decide
from gateway.house import House
from gateway.plan import Reader
from gateway.process import serve
from gateway.settings import Settings
from gateway.sealing import Sealer, read_key_file
from gateway.supervisor import IN_FLIGHT, become

settings = Settings(read_limit_s=1.0)
if IN_FLIGHT not in os.environ:
    os.environ["VOCERO_READ_LIMIT_S"] = "1.0"
    become([sys.executable, __file__])

def fragile(words, *rest):
    if "segv" in words.text:
        os.kill(os.getpid(), 11)
    if "hang" in words.text:
        time.sleep(60)
    return decide(words, *rest)

sys.exit(serve(settings, pages=False, reader=Reader(Sealer(read_key_file(settings.key_path)), read=fragile)))
"""


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that is copied for each test."""
    folder = tmp_path_factory.mktemp("stock")
    Served(folder).set_up()
    return folder / "data"


@pytest.fixture
def served(tmp_path: Path, stock: Path) -> Iterator[Served]:
    shutil.copytree(stock, tmp_path / "data")
    one = Served(tmp_path)
    yield one
    one.close()


def family(process: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


def test_it_stops_cleanly_when_asked(served: Served) -> None:
    served.start()
    assert served.post({"id": "1", **TEXT}).status_code == 202
    assert served.stop() == 0
    served.start()
    assert served.post({"id": "1", **TEXT}).json()["status"] == "duplicate"
    assert served.stop() == 0


def test_what_is_under_way_is_finished_and_nothing_is_lost_when_it_stops(served: Served) -> None:
    served.start()
    kept: list[str] = []
    failed = threading.Event()

    def caller(number: int) -> None:
        with httpx.Client(timeout=10, headers={"Authorization": "Bearer a-token-of-the-test"}) as client:
            for turn in range(1000):
                body = {"id": f"{number}-{turn}", **TEXT, "text": f"inc rob nebaj {number} {turn}"}
                try:
                    answer = client.post(f"{served.url}/in/campo", json=body)
                except httpx.HTTPError:
                    return
                if answer.status_code != 202:
                    failed.set()
                    return
                kept.append(answer.json()["message"])

    callers = [threading.Thread(target=caller, args=(number,)) for number in range(4)]
    for one in callers:
        one.start()
    time.sleep(1.0)
    assert served.stop() == 0
    for one in callers:
        one.join()
    assert {row["id"] for row in served.export("messages")} >= set(kept)
    assert kept
    assert not failed.is_set()


def refusal(served: Served) -> str:
    """What a server says that must not start."""
    done = subprocess.run(
        [sys.executable, *served.command], cwd=served.folder, env=served.environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_second_server_on_the_same_file_is_refused_in_words(served: Served) -> None:
    served.start()
    assert "Another `vocero serve`" in refusal(Served(served.folder))
    assert served.post({"id": "2", **TEXT}).status_code == 202


def test_a_kill_of_the_parent_frees_port_and_lock_at_once(served: Served) -> None:
    for number in range(3):
        served.start()
        assert served.post({"id": str(number), **TEXT, "text": f"inc rob nebaj {number}"}).status_code == 202
        served.kill()
    served.start()
    assert len(served.export("messages")) == 3


def test_a_kill_of_the_child_is_made_good(served: Served) -> None:
    served.start()
    assert served.process is not None
    child = family(served.process.pid)[1]
    os.kill(child, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if served.post({"id": "1", **TEXT}).status_code == 202:
                break
        except httpx.HTTPError:
            time.sleep(0.05)
    else:
        raise AssertionError("the child was not started again")
    assert family(served.process.pid)[1] != child
    assert served.stop() == 0


def test_a_port_that_is_taken_is_told_in_words(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served.port = taken.getsockname()[1]
        assert "VOCERO_PORT" in refusal(served)


@pytest.mark.parametrize("word", ["segv", "hang"])
def test_a_text_that_ends_the_reader_is_kept_unread_and_the_others_go_on(served: Served, word: str) -> None:
    script = served.folder / "fragile.py"
    script.write_text(READER)
    served.command = (str(script),)
    served.start()
    poison = {"id": "bad", "from": "+50255550102", "text": f"inc {word} nebaj"}
    with pytest.raises(httpx.HTTPError):
        served.post(poison, timeout=10)
    deadline = time.monotonic() + 20
    answer = None
    while answer is None and time.monotonic() < deadline:
        try:
            answer = served.post(poison, timeout=10)
        except httpx.HTTPError:
            time.sleep(0.1)
    assert answer is not None
    assert answer.json()["status"] == "kept"
    assert served.post({"id": "good", **TEXT}).json()["status"] == "kept"
    states = {row["external_id"]: (row["state"], row["reason"]) for row in served.export("messages")}
    assert states == {"bad": ("unread", "poison"), "good": ("read", None)}
    assert len(served.export("reports")) == 1
