"""The server is killed at each single sync and write of a short conversation: no moment loses or doubles a text."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.faults.crew import Tally, compare, end_all, family, is_sound
from tests.served import Served

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

CONVERSATION = (
    ("+50255550101", "inc rob nebaj ayer 2 heridos"),
    ("+50255550102", "INC 1405 aldea Chel"),
    ("+50255550102", "amenazas"),
    ("+50255550103", "urgente amenaza de linchamiento en cotzal hoy"),
)
# Each sync; of the writes, which are many, some near the start, in the middle and at the end of a transaction.
MOMENTS = {"fdatasync": range(1, 40), "pwrite64": (1, 3, 8, 21, 55, 144)}


@contextmanager
def killed_at(served: Served, call: str, number: int) -> Iterator[None]:
    """Within the block any thread of the server that comes to its system call of that number dies of it."""
    assert served.process is not None
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    words = ["strace", "-f", "-p", str(family(served.process.pid)[1]), "-o", "/dev/null", "-e", f"trace={call}"]
    tracer = subprocess.Popen([*words, "-e", inject], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    attached = tracer.stderr.readline()
    assert "attached" in attached, attached
    try:
        yield
    finally:
        # When its thread-wise wait for a process that died goes on for ever, only a kill ends strace.
        tracer.terminate()
        with suppress(subprocess.TimeoutExpired):
            tracer.communicate(timeout=1)
        tracer.kill()
        tracer.communicate()


def converse(served: Served, word: str) -> tuple[list[tuple[str, str]], bool]:
    """Post the conversation until the server dies; what was acknowledged, and whether it died."""
    acknowledged = []
    for number, (sender, text) in enumerate(CONVERSATION):
        body = {"id": f"{word}-{number}", "from": sender, "text": text}
        try:
            answer = served.post(body, timeout=20)
        except httpx.HTTPError:
            return acknowledged, True
        assert answer.status_code == 202
        acknowledged.append((body["id"], answer.json()["message"]))
    return acknowledged, False


def one_round(served: Served, stock: Path, call: str, number: int) -> tuple[Tally, bool]:
    """One kill on a fresh copy; then every text is sent again, as a provider does that heard no answer."""
    data = served.folder / "data"
    shutil.rmtree(data)
    shutil.copytree(stock, data)
    served.start()
    with killed_at(served, call, number):
        acknowledged, died = converse(served, "s")
    with suppress(FileNotFoundError):
        end_all(served)
    tally = Tally(f"kill at {call} {number}", 1)
    if died:
        before = compare(Tally(tally.fault, 1), served, acknowledged)
        assert (before.lost, before.doubled) == (0, 0), before
        served.start()
        again, died_again = converse(served, "s")
        assert not died_again
        acknowledged += [pair for pair in again if pair[0] not in dict(acknowledged)]
        assert dict(again) == dict(acknowledged), "a text that was acknowledged got another id"
        end_all(served)
    assert is_sound(data / "vocero.db")
    return compare(tally, served, acknowledged), died


@pytest.mark.parametrize("call", MOMENTS)
def test_a_kill_at_any_sync_or_write_loses_and_doubles_nothing(served: Served, stock: Path, call: str) -> None:
    served.command = ("-m", "gateway.cli", "serve", "--no-worker")
    whole = Tally(f"kill at the N-th {call}")
    for number in MOMENTS[call]:
        tally, died = one_round(served, stock, call, number)
        whole.rounds += 1
        for name in ("acknowledged", "found", "doubled", "lost"):
            setattr(whole, name, getattr(whole, name) + getattr(tally, name))
        assert tally.found == len(CONVERSATION)
        if not died:
            break
    else:
        assert call != "fdatasync", "there were more moments than were tried"
    whole.tell()
    assert (whole.doubled, whole.lost) == (0, 0)
    assert whole.rounds > 3
