"""Real peers: started on demand on free ports, in a folder of their own; each test adds its row to the table."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.table import Table
from tests.served import Served

TABLE = pytest.StashKey[Table]()
RESULTS = "peers.json"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = Table()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    table = config.stash[TABLE]
    if lines := table.lines():
        terminalreporter.section("peers")
        for line in lines:
            terminalreporter.write_line(line)
        table.write(config.rootpath / RESULTS)


@pytest.fixture
def table(request: pytest.FixtureRequest) -> Table:
    return request.config.stash[TABLE]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """A `vocero serve` of its own, not yet started; ended with the test."""
    one = Served(tmp_path)
    yield one
    one.close()


def need(*commands: str) -> None:
    """Skip, naming what is missing; `make peers` lets no skip pass."""
    missing = [command for command in commands if shutil.which(command) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
