"""SIGTERM while hundreds of texts are under way."""

import json
import selectors
import socket
import time

import pytest

from tests.faults.crew import Phones, Tally, compare, kept, text, until
from tests.served import TOKEN, Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

CALLERS = 400


def begin(served: Served) -> list[socket.socket]:
    """Callers whose heads were read by the server, which asked each for its body."""
    callers = [socket.create_connection(("127.0.0.1", served.port), 20) for _ in range(CALLERS)]
    for number, caller in enumerate(callers):
        head = (
            f"POST /in/campo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nExpect: 100-continue\r\n"
        )
        length = len(body_of(number))
        caller.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode())
    for caller in callers:
        assert caller.recv(100).startswith(b"HTTP/1.1 100")
    return callers


def body_of(number: int) -> bytes:
    return json.dumps(text(number)).encode()


def answered(callers: list[socket.socket]) -> int:
    with selectors.DefaultSelector() as selector:
        for caller in callers:
            selector.register(caller, selectors.EVENT_READ)
        return len(selector.select(0))


def whole_answer(caller: socket.socket) -> bytes:
    """Everything until the server closes, b"" when it only closed."""
    caller.settimeout(20)
    heard = b""
    try:
        while piece := caller.recv(65536):
            heard += piece
    except ConnectionError:
        pass
    caller.close()
    return heard


def test_what_is_under_way_at_sigterm_is_answered_and_kept_and_nothing_is_sent_twice(
    served: Served, phones: Phones
) -> None:
    phones.delay = 0.02
    served.start()
    assert served.post(text(CALLERS)).status_code == 202
    callers = begin(served)
    for number, caller in enumerate(callers):
        caller.sendall(body_of(number))
    assert served.process is not None
    started = time.monotonic()
    served.process.terminate()
    in_flight = CALLERS - answered(callers)
    answers = [whole_answer(caller) for caller in callers]
    code = served.process.wait(30)
    took = time.monotonic() - started
    statuses = [int(answer.split()[1]) if answer else 0 for answer in answers]
    acknowledged = [
        (text(number)["id"], json.loads(answer.partition(b"\r\n\r\n")[2])["message"])
        for number, (answer, status) in enumerate(zip(answers, statuses, strict=True))
        if status == 202
    ]
    sent_before = len(phones.heard)
    served.start()
    until(lambda: {row["state"] for row in kept(served, "outbox")} == {"sent"}, 60, every=0.2)
    assert served.stop() == 0
    tally = compare(Tally("SIGTERM under load", 1), served, acknowledged)
    doubled = sum(times - 1 for times in phones.times.values())
    tally.tell(in_flight=in_flight, took_s=round(took, 2), sent_before=sent_before, sent_twice=doubled)
    assert in_flight >= 300
    assert (code, tally.lost, tally.doubled, doubled) == (0, 0, 0, 0)
    assert took < 10
    assert set(statuses) == {202}
    assert len(phones.times) == len(kept(served, "outbox"))
