"""What is changed by command, a running server obeys within two seconds."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.served import TOKEN, Served

WITHIN_S = 2.0
ANA = "+50255550101"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    installed = Served(tmp_path)
    installed.set_up()
    installed.start()
    yield installed
    installed.close()


def obeyed(condition: Callable[[], bool]) -> float:
    """Seconds until it held, at most two."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < WITHIN_S, "the server did not obey"
        time.sleep(0.05)
    return time.monotonic() - started


def status(served: Served, channel: str, number: int = 0) -> int:
    return served.post({"from": "+50255559999", "text": f"hola {number}"}, channel).status_code


def test_a_channel_opens_pauses_hearing_and_is_gone(served: Served) -> None:
    assert status(served, "nuevo") == 404
    served.run("channel", "add", "http", "nuevo", "--set", f"token={TOKEN}")
    obeyed(lambda: status(served, "nuevo") == 202)
    served.run("channel", "set", "nuevo", "token=another-token-of-the-test")
    obeyed(lambda: status(served, "nuevo") == 401)
    served.run("channel", "disable", "nuevo")
    obeyed(lambda: status(served, "nuevo") in (404, 503))


def test_a_word_a_person_and_a_stop_hold_for_the_next_text(served: Served) -> None:
    served.run("keyword", "add", "category", "DAN", "despanzurraron")
    served.run("contact", "suspend", "+50255550102")
    assert served.post({"from": ANA, "text": "inc despanzurraron nebaj"}).status_code == 202
    assert served.post({"from": "+50255550102", "text": "inc rob chajul"}).status_code == 202
    by_text = {row["text"]: row for row in served.export("reports")}
    assert by_text["inc despanzurraron nebaj"]["category"] == "DAN"
    assert by_text["inc despanzurraron nebaj"]["codebook_revision"] == 2
    assert by_text["inc rob chajul"]["registered"] is False


def test_a_rotation_of_the_key_goes_on_under_a_running_server(served: Served) -> None:
    assert served.post({"from": ANA, "text": "inc rob nebaj ayer"}).status_code == 202
    served.run("keys", "rotate")
    assert "opens only" in served.run("keys", "show")
    assert served.post({"from": ANA, "text": "inc ame nebaj"}).status_code == 202
    assert [row["category"] for row in served.export("reports")] == ["ROB", "AME"]
    assert served.stop() == 0
    served.run("keys", "rotate")
    assert "opens only" not in served.run("keys", "show")
    assert [row["category"] for row in served.export("reports")] == ["ROB", "AME"]
