"""Kill -9 between the provider's yes and our record of it: a text may go twice then, and is never forgotten."""

import threading

import pytest

from tests.faults.crew import Phones, Tally, end_all, kept, text, until
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ROUNDS = 10


def is_empty(served: Served) -> bool:
    """Whether every answer is recorded as sent."""
    return {row["state"] for row in kept(served, "outbox")} <= {"sent"}


def test_every_answer_reaches_the_provider_and_at_most_one_twice_a_kill(served: Served, phones: Phones) -> None:
    for number in range(ROUNDS):
        served.start()
        until(lambda: is_empty(served), 60, every=0.2)  # so that one text is under way at each kill, and not more
        killed = threading.Event()

        def kill(killed: threading.Event = killed) -> None:
            phones.said_yes = None
            end_all(served)
            killed.set()

        phones.said_yes = kill
        body = text(number)
        try:
            served.post(body)
        except Exception:
            assert killed.wait(10), "the server ended by itself"
        assert killed.wait(30)
    served.start()
    for number in range(ROUNDS):
        assert served.post(text(number), timeout=20).status_code == 202
    until(lambda: is_empty(served), 60, every=0.2)
    assert served.stop() == 0
    rows = kept(served, "outbox")
    doubled = sum(times - 1 for times in phones.times.values())
    lost = len({row["id"] for row in rows} - set(phones.times))
    Tally("kill -9 after the provider's yes", ROUNDS, ROUNDS, len(phones.times), doubled, lost).tell()
    assert len(rows) == ROUNDS
    assert lost == 0
    assert doubled <= ROUNDS
    assert doubled > 0, "no kill came between the yes and the record"
