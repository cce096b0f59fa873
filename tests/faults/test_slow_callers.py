"""Two hundred callers that send a byte a second hold up nobody else."""

import socket
import statistics
import threading
import time

import httpx
import pytest

from tests.faults.crew import Tally, compare, text
from tests.served import TOKEN, Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

SLOW = 200
SECONDS = 10.0
HEAD = b"POST /in/campo HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BODY = (
    f"POST /in/campo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    "Content-Type: application/json\r\nContent-Length: 300\r\n\r\n"
).encode()


def drip(served: Served, ending: threading.Event) -> None:
    """Half of the slow callers never end their head, the others never end their body."""
    callers = []
    for number in range(SLOW):
        caller = socket.create_connection(("127.0.0.1", served.port), 20)
        caller.sendall(HEAD if number % 2 else BODY)
        callers.append(caller)
    while not ending.wait(1.0):
        for caller in list(callers):
            try:
                caller.sendall(b"a")
            except OSError:  # the server has had enough of it
                callers.remove(caller)
                caller.close()
    for caller in callers:
        caller.close()


def test_other_callers_are_served_at_their_usual_pace(served: Served) -> None:
    served.start()
    ending = threading.Event()
    slow = threading.Thread(target=drip, args=(served, ending))
    slow.start()
    took, acknowledged = [], []
    try:
        with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10) as client:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                body = text(len(took))
                started = time.perf_counter()
                answer = client.post(f"{served.url}/in/campo", json=body)
                took.append(time.perf_counter() - started)
                assert answer.status_code == 202
                acknowledged.append((body["id"], answer.json()["message"]))
                time.sleep(0.02)
    finally:
        ending.set()
        slow.join()
    assert served.stop() == 0
    p95 = statistics.quantiles(took, n=20)[-1]
    tally = compare(Tally("200 slow callers", 1), served, acknowledged).tell(p95_ms=round(p95 * 1000, 1))
    assert (tally.lost, tally.doubled, tally.found) == (0, 0, tally.acknowledged)
    assert tally.acknowledged > 50
    assert p95 < 0.5
