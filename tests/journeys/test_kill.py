"""Kill -9 at any moment: nothing acknowledged is missing, nothing doubled, the queue goes on."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from tests.served import Served

ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
SENDERS = 8


class Phone(BaseHTTPRequestHandler):
    """The other end of the channel: notes the id of every text it was given."""

    heard: list[str]

    def do_POST(self) -> None:
        import json

        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append(body["id"])
        answer = b'{"id": "p-%s"}' % body["id"].encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def phone() -> Iterator[type[Phone]]:
    handler = type("Handler", (Phone,), {"heard": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_port}/send"
    yield handler
    server.shutdown()
    server.server_close()


class Sender(threading.Thread):
    """Sends texts one after the other, each again until it is acknowledged, and writes down what was acknowledged."""

    def __init__(self, served: Served, number: int, journal: Path) -> None:
        super().__init__(daemon=True)
        self.served = served
        self.number = number
        self.journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.ending = threading.Event()

    def run(self) -> None:
        index = 0
        with httpx.Client() as client:
            while not self.ending.is_set():
                index += 1
                self._send(client, f"k{self.number}-{index}")

    def _send(self, client: httpx.Client, name: str) -> None:
        phone = f"+5025555010{self.number}"
        text = f"inc rob 1413 ayer {self.number + 1} heridos aldea {name.replace('-', 'x')}"
        headers = {"Authorization": "Bearer a-token-of-the-test"}
        while not self.ending.is_set():
            try:
                answer = client.post(
                    f"{self.served.url}/in/campo", json={"id": name, "from": phone, "text": text}, headers=headers,
                    timeout=2,
                )  # fmt: skip
            except httpx.HTTPError:
                time.sleep(0.02)
                continue
            if answer.status_code == 202:
                os.write(self.journal, f"{name} {answer.json()['message']}\n".encode())
                os.fsync(self.journal)
                return
            assert answer.status_code == 503, answer.text


def run_rounds(served: Served, journal: Path, rounds: int) -> dict[str, str]:
    """Texts from several senders while the server is killed again and again; what was acknowledged, by name."""
    senders = [Sender(served, number, journal) for number in range(1, SENDERS + 1)]
    served.start()
    for sender in senders:
        sender.start()
    for _ in range(rounds):
        time.sleep(random.uniform(0.3, 1.2))
        served.kill()
        served.start()
    time.sleep(0.5)
    for sender in senders:
        sender.ending.set()
    for sender in senders:
        sender.join(10)
    pairs = [line.split() for line in journal.read_text().splitlines()]
    return dict(pairs)


@pytest.mark.timeout(300)
def test_what_was_acknowledged_is_kept_once_and_answered(
    tmp_path: Path, database_url: str | None, phone: type[Phone]
) -> None:
    served = Served(tmp_path, database_url)
    served.set_up(phone.url)
    try:
        acknowledged = run_rounds(served, tmp_path / "journal", ROUNDS)
        wait_until_sent(served)
    finally:
        served.close()
    messages = served.export("messages")
    stored = Counter(message["external_id"] for message in messages)
    assert len(acknowledged) > 50
    assert {name for name in acknowledged if stored[name] != 1} == set()
    by_name = {message["external_id"]: message["id"] for message in messages}
    assert {name for name, message in acknowledged.items() if by_name[name] != message} == set()
    assert [name for name, times in stored.items() if times > 1] == []
    reports = Counter(report["message"] for report in served.export("reports"))
    assert {message["id"] for message in messages if message["state"] == "read"} == set(reports)
    assert set(reports.values()) == {1}
    answers = [row for row in served.export("outbox") if row["kind"] == "confirmation"]
    assert len({row["message"] for row in answers}) == len(answers)
    assert {row["state"] for row in answers} == {"sent"}
    heard = Counter(phone.heard)
    assert set(heard) == {row["id"] for row in answers}
    assert sum(times - 1 for times in heard.values()) <= 64 * ROUNDS


def wait_until_sent(served: Served) -> None:
    """On Postgres what a killed process held is free when its lease of a minute ends."""
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        if not [row for row in served.export("outbox") if row["state"] in ("queued", "sending")]:
            return
        time.sleep(0.5)
    raise AssertionError("the outbox did not empty")


def test_the_test_sees_an_acknowledgement_before_the_commit(tmp_path: Path) -> None:
    """The same rounds against a gateway that acknowledges first must find texts missing."""
    served = Served(tmp_path, command=("-m", "tests.journeys.early_acknowledgement"))
    served.set_up()
    try:
        acknowledged = run_rounds(served, tmp_path / "journal", 3)
    finally:
        served.close()
    stored = {message["external_id"] for message in served.export("messages")}
    assert set(acknowledged) - stored
