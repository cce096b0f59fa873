"""The supervisor with children that crash, hang and are killed, in processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from gateway.inflight import InFlight, PoisonList, own_file
from gateway.settings import Settings
from gateway.supervisor import folder_and_limit

ROOT = Path(__file__).parents[2]
TEXT = b"0123456789abcdef"
PREAMBLE = """
import os, signal, sys, time
from pathlib import Path
from gateway.inflight import InFlight
from gateway.supervisor import IN_FLIGHT
path = Path(os.environ[IN_FLIGHT])
lives = path.parent / "lives"
with lives.open("a") as stream:
    stream.write(f"{os.getpid()}\\n")
life = len(lives.read_text().splitlines())
guard = InFlight(path)
text = b"0123456789abcdef"
"""
READ_ONCE = """
if not guard.is_poison(text):
    guard.begin(text)
    {}
    guard.end()
"""
CHILDREN = {
    "crashes": READ_ONCE.format("os.kill(os.getpid(), signal.SIGSEGV)"),
    "aborts": READ_ONCE.format("os.abort()"),
    "hangs": READ_ONCE.format("time.sleep(60)"),
    "hangs and holds the interpreter": READ_ONCE.format("import re; re.match('(a+)+$', 'a' * 40 + 'b')"),
    "serves": "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\nwhile True: time.sleep(0.05)",
    "reads for ever": "guard.begin(text)\nwhile True: time.sleep(0.05)",
    "ends with 3": "sys.exit(3)",
}


class Supervised:
    """A supervisor under test and what its children left in the folder."""

    def __init__(self, folder: Path, child: str, limit: float = 0.5) -> None:
        self.folder = folder
        script = folder / "child.py"
        script.write_text(PREAMBLE + CHILDREN[child])
        words = [sys.executable, "-m", "gateway.supervisor", sys.executable, str(script)]
        more = {"PYTHONPATH": str(ROOT), "VOCERO_DATA_DIR": str(folder), "VOCERO_READ_LIMIT_S": str(limit)}
        environment = {**os.environ, **more}
        self.process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE)

    @property
    def lives(self) -> list[int]:
        path = self.folder / "lives"
        return [int(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def is_poison(self) -> bool:
        return TEXT in PoisonList(self.folder / "poison")

    def end(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


Start = Callable[..., Supervised]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Supervised] = []

    def begin(child: str, limit: float = 0.5) -> Supervised:
        started.append(Supervised(tmp_path, child, limit))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def _is_gone(process: int) -> bool:
    return not is_alive(process)


def is_alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("child", ["crashes", "aborts", "hangs", "hangs and holds the interpreter"])
def test_a_text_that_ends_its_reader_is_poison_at_once(start: Start, child: str) -> None:
    supervised = start(child)
    assert supervised.process.wait(20) == 0
    assert supervised.is_poison
    assert len(supervised.lives) == 2


def test_a_text_that_was_read_at_a_kill_is_poison_only_the_second_time(start: Start) -> None:
    supervised = start("reads for ever", limit=60.0)
    for life in (1, 2):
        until(partial(_is_reading, supervised, life))
        os.kill(supervised.lives[-1], signal.SIGKILL)
        until(partial(lambda lives: len(supervised.lives) == lives, life + 1))
        assert supervised.is_poison == (life == 2)


def _is_reading(supervised: Supervised, life: int) -> bool:
    if len(supervised.lives) != life:
        return False
    with InFlight(supervised.folder / "inflight.0") as in_flight:
        return bool(in_flight.under_way())


def test_the_exit_code_of_an_orderly_child_is_the_parents(start: Start) -> None:
    supervised = start("ends with 3")
    assert supervised.process.wait(10) == 3
    assert len(supervised.lives) == 1


def test_a_request_to_stop_reaches_the_child(start: Start) -> None:
    supervised = start("serves")
    until(lambda: len(supervised.lives) == 1)
    time.sleep(0.2)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(10) == 0
    assert not is_alive(supervised.lives[0])


def test_the_child_dies_with_its_parent(start: Start) -> None:
    supervised = start("serves")
    until(lambda: len(supervised.lives) == 1)
    supervised.process.kill()
    until(lambda: not is_alive(supervised.lives[0]), 2.0)


def test_a_death_of_both_makes_a_suspect_at_the_next_start(start: Start, tmp_path: Path) -> None:
    for death in (1, 2):
        supervised = start("reads for ever", limit=60.0)
        until(partial(_is_reading, supervised, death))
        supervised.process.kill()
        until(partial(_is_gone, supervised.lives[-1]))
        assert supervised.process.wait(5) == -signal.SIGKILL
        ended = start("ends with 3")
        assert ended.process.wait(10) == 3
        (tmp_path / "lives").write_text("0\n" * death)
        assert supervised.is_poison == (death == 2)


def test_two_processes_do_not_share_a_file(tmp_path: Path) -> None:
    first, first_lock = own_file(tmp_path)
    second, second_lock = own_file(tmp_path)
    assert first != second
    os.close(first_lock)
    third, third_lock = own_file(tmp_path)
    assert third == first
    for lock in (second_lock, third_lock):
        os.close(lock)


def test_a_broken_poison_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "poison").write_bytes(b"\xff\n" + TEXT.hex().encode() + b" 2\nzz 2\n" + TEXT.hex().encode())
    assert TEXT in PoisonList(tmp_path / "poison")


def test_marking_a_text_costs_less_than_three_microseconds(tmp_path: Path) -> None:
    with InFlight(tmp_path / "inflight") as guard:
        best = min(_seconds_for(guard, 2000) for _ in range(5))
    assert best / 2000 < 3e-6


def _seconds_for(guard: InFlight, texts: int) -> float:
    started = time.perf_counter()
    for _ in range(texts):
        guard.begin(TEXT)
        guard.end()
    return time.perf_counter() - started


ENVIRONMENTS: dict[str, tuple[dict[str, str], str]] = {
    "nothing set": ({}, ""),
    "by the environment": ({"VOCERO_DATA_DIR": "/srv/a", "VOCERO_READ_LIMIT_S": "2.5"}, ""),
    "in small letters": ({"vocero_data_dir": "/srv/b"}, ""),
    "by the file": ({}, "VOCERO_DATA_DIR='/srv/c d'\nexport VOCERO_READ_LIMIT_S=3 # short\n"),
    "the environment before the file": ({"VOCERO_DATA_DIR": "/srv/e"}, "VOCERO_DATA_DIR=/srv/f\n"),
}


@pytest.mark.parametrize("label", ENVIRONMENTS)
def test_the_supervisor_reads_its_two_settings_as_all_are_read(label: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, file = ENVIRONMENTS[label]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    Path(".env").write_text(file)
    settings = Settings()
    assert folder_and_limit() == (settings.data_dir, settings.read_limit_s)
