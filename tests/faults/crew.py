"""What the fault tests share: the other end of the channel, a count that is printed, ways to end and to look."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from gateway import install
from gateway.db import make_engine
from gateway.export import rows, write_jsonl
from gateway.sealing import Sealer, read_key_file
from gateway.settings import Settings
from tests.served import Served

SHIMS = Path(__file__).parent / "shims"


@dataclass
class Tally:
    """What a test did and what came of it; `tell` prints it as one JSON line (shown with -s, and when a test fails)."""

    fault: str
    rounds: int = 0
    acknowledged: int = 0
    found: int = 0
    doubled: int = 0
    lost: int = 0

    def tell(self, **more: float) -> "Tally":
        print(json.dumps({**asdict(self), **more}), flush=True)  # noqa: T201
        return self


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        """A caller that was killed in the middle of a call is no error here."""


class Phones:
    """The other end of the channel. `heard` has every text it was given, with the moment; `status` is what it says."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/send"
        self.reset()

    def reset(self) -> None:
        self.heard: list[tuple[float, dict[str, str]]] = []
        self.status = 200
        self.answer = b"{}"
        self.delay = 0.0
        self.said_yes: Callable[[], None] | None = None

    def note(self, message: dict[str, str]) -> None:
        with self._changed:
            self.heard.append((time.monotonic(), message))
            self._changed.notify_all()

    def wait_for(self, number: str, wanted: str, seconds: float = 30.0) -> float:
        """Until a text with `wanted` in it went to `number`; how long that took."""
        started = time.monotonic()
        with self._changed:
            there = self._changed.wait_for(lambda: self.count(number, wanted) > 0, seconds)
        assert there, f"no text with {wanted!r} within {seconds} s; heard {len(self.heard)}"
        return time.monotonic() - started

    def count(self, number: str, wanted: str = "") -> int:
        return sum(message["to"] == number and wanted in message["text"] for _, message in self.heard)

    @property
    def times(self) -> Counter[str]:
        """How often each of our ids was heard."""
        return Counter(message["id"] for _, message in self.heard)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(phones: Phones) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(size := int(self.headers["Content-Length"]))
            if len(body) < size:
                return
            message = json.loads(body)
            if phones.delay:
                time.sleep(phones.delay)
            phones.note(message)
            self.send_response(phones.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(phones.answer)))
            self.end_headers()
            self.wfile.write(phones.answer)
            self.wfile.flush()
            if phones.said_yes is not None:
                phones.said_yes()

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler


def compile_shim(name: str, folder: Path) -> Path:
    """The shim of that name as a library for LD_PRELOAD. Raises AssertionError with the compiler's words."""
    target = folder / f"{name}.so"
    words = ["gcc", "-Wall", "-Werror", "-shared", "-fPIC", "-O1", "-o", str(target), str(SHIMS / f"{name}.c"), "-ldl"]
    done = subprocess.run([*words, "-lpthread"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def family(process: int) -> list[int]:
    """The process and its children."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *map(int, children)]


def end_all(served: Served) -> None:
    """kill -9 of server and supervisor; returns when both are gone, so that nothing writes any more."""
    assert served.process is not None
    processes = family(served.process.pid)
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    served.process.wait()
    until(lambda: not any(_is_alive(process) for process in processes))


def _is_alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition: Callable[[], bool], seconds: float = 30.0, every: float = 0.02) -> float:
    """Wait until it holds; how long that took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(every)
    return time.monotonic() - started


def kept(served: Served, kind: str) -> list[dict[str, Any]]:
    """What `vocero export KIND` would print, from the data folder opened as an installation; also while it serves."""
    settings = Settings(_env_file=None, data_dir=served.folder / "data")
    install.check(settings)
    engine = make_engine(settings.url)
    try:
        with engine.connect() as connection:
            lines = io.StringIO()
            write_jsonl(rows(connection, kind, Sealer(read_key_file(settings.key_path))), lines)
    finally:
        engine.dispose()
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def is_sound(database: Path) -> bool:
    """Whether SQLite finds the file whole and every foreign key at home."""
    with closing(sqlite3.connect(database)) as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return whole and connection.execute("PRAGMA foreign_key_check").fetchall() == []


def text(number: int, word: str = "") -> dict[str, str]:
    """A report of one of the twenty monitors that no other number repeats."""
    sender = f"+502555501{number % 20 + 1:02d}"
    return {"id": f"t{word}{number}", "from": sender, "text": f"inc rob 1413 ayer 2 heridos aldea x{word}{number}y"}


def compare(tally: Tally, served: Served, acknowledged: Iterable[tuple[str, str]]) -> Tally:
    """Fill the tally from pairs of delivery id and message id that were acknowledged, and what the installation has."""
    pairs = dict(acknowledged)
    messages = kept(served, "messages")
    times = Counter(message["external_id"] for message in messages)
    by_name = {message["external_id"]: message["id"] for message in messages}
    reports = Counter(report["message"] for report in kept(served, "reports"))
    tally.acknowledged = len(pairs)
    tally.found = len(messages)
    tally.doubled = sum(count - 1 for count in times.values()) + sum(count - 1 for count in reports.values())
    tally.lost = sum(by_name.get(name) != message for name, message in pairs.items())
    return tally


@dataclass
class Callers:
    """Threads that post texts one after the other, each until it is acknowledged; `acknowledged` grows meanwhile."""

    served: Served
    number: int = 4
    word: str = ""
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    without_hint: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> "Callers":
        self._threads = [threading.Thread(target=self._call, args=(index,)) for index in range(self.number)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(30)

    def _call(self, index: int) -> None:
        turn = 0
        with httpx.Client(timeout=10) as client:
            while not self._ending.is_set():
                self._post(client, text(index + turn * self.number, self.word))
                turn += 1

    def _post(self, client: httpx.Client, body: dict[str, Any]) -> None:
        headers = {"Authorization": "Bearer a-token-of-the-test"}
        while not self._ending.is_set():
            try:
                answer = client.post(f"{self.served.url}/in/campo", json=body, headers=headers)
            except httpx.HTTPError:
                self._ending.wait(0.02)
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code == 202:
                self.acknowledged.append((body["id"], answer.json()["message"]))
                return
            self.without_hint += "retry-after" not in answer.headers
            self._ending.wait(0.05)
