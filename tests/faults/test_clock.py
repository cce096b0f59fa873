"""The wall clock is set while `vocero serve` runs; the steady clock goes on as it does."""

import json
import queue
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
MARTA = "+50255550201"
MENACE = "urgente amenaza de linchamiento en sacapulas hoy"


class Phones:
    """The other end of the channel: every text it was given, in order."""

    def __init__(self) -> None:
        self.heard: queue.Queue[dict[str, str]] = queue.Queue()
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                heard.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/send"

    def seconds_until(self, number: str, wanted: str) -> float:
        """How long until a text with `wanted` in it went to `number`."""
        started = time.monotonic()
        while True:
            message = self.heard.get(timeout=30)
            if message["to"] == number and wanted in message["text"]:
                return time.monotonic() - started

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def phones() -> Iterator[Phones]:
    one = Phones()
    yield one
    one.close()


@pytest.fixture
def served(tmp_path: Path, phones: Phones) -> Iterator[Served]:
    """An installation that reads its wall clock from the file `clock`, as an offset."""
    assert LIBRARY is not None, "libfaketime is not installed"
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    more = {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip
    one = Served(tmp_path)
    one.set_up(phones.url)
    one.more = more
    yield one
    one.close()


@pytest.mark.parametrize("jump", ["-86400", "+86400", "-315360000"])
def test_an_alert_leaves_within_five_seconds_of_a_jump_of_the_clock(served: Served, phones: Phones, jump: str) -> None:
    served.start()
    served.post({"id": "1", "from": "+50255550101", "text": f"{MENACE} 1"}, timeout=30)
    phones.seconds_until(MARTA, "R3000")
    (served.folder / "clock").write_text(f"{jump}\n")
    posted = served.post({"id": "2", "from": "+50255550102", "text": f"{MENACE} 2"}, timeout=30)
    assert posted.status_code == 202
    assert phones.seconds_until(MARTA, "R3001") < 5
    time.sleep(4)
    log = [json.loads(line) for line in (served.folder / "serve.log").read_text().splitlines() if line.startswith("{")]
    assert [line["event"] for line in log if "jumped" in line["event"]] != []
    checks = httpx.get(f"{served.url}/readyz", timeout=10).json()["checks"]
    assert checks["last_tick"]["ok"]
    assert checks["outbox"]["ok"]
    assert served.stop() == 0


def test_what_waited_when_the_clock_was_set_back_goes_out_and_digests_go_on(served: Served, phones: Phones) -> None:
    """The clock ran a day ahead when the text was kept, and is put right while the server is off."""
    clock = served.folder / "clock"
    clock.write_text("+86400\n")
    served.run("channel", "pause", "campo")
    served.start()
    served.post({"id": "1", "from": "+50255550101", "text": f"{MENACE} 1"}, timeout=30)
    assert served.stop() == 0
    clock.write_text("+0\n")
    served.run("channel", "resume", "campo")
    served.start()
    assert phones.seconds_until(MARTA, "R3000") < 15
