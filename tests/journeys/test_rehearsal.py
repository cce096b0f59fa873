"""`make run`: one command, and a text, a confirmation and a digest can be seen with nothing outside the machine."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.served import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    installed = Served(tmp_path, command=("-m", "gateway.cli", "serve", "--local"))
    yield installed
    installed.close()


def outbox_when(served: Served, kind: str, states: set[str]) -> dict[str, Any]:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        found = [row for row in served.export("outbox") if row["kind"] == kind and row["state"] in states]
        if found:
            return found[0]
    raise AssertionError(f"no {kind} came to {states}")


def test_an_empty_folder_becomes_a_phone_a_mailbox_and_people(served: Served) -> None:
    served.start()
    log = (served.folder / "serve.log").read_text()
    assert f"{served.url}/setup/" in log
    assert {line.split()[0] for line in served.run("channel", "list").splitlines()[1:]} == {"simulator", "correo"}
    assert len(served.run("contact", "list").splitlines()) == 26
    assert "06:00,18:00" in served.run("subscription", "list")
    (run,) = served.lines("digest", "run", "--at", "2100-01-01T06:00-06:00")
    mail = outbox_when(served, "digest", {"sent"})
    assert [mail["id"]] == run["outbox"]
    assert served.stop() == 0


def test_a_second_start_keeps_what_is_there_and_mends_the_mailbox(served: Served) -> None:
    served.start()
    served.run("contact", "left", "+50255550101")
    assert served.stop() == 0
    served.start()
    assert "left" in served.run("contact", "list")
    assert len(served.run("subscription", "list").splitlines()) == 2
    served.lines("digest", "run", "--at", "2100-01-01T06:00-06:00")
    assert outbox_when(served, "digest", {"sent"})["channel"] == "correo"
