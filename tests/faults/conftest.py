"""One installation, made once and copied for each test, and the server that takes what it sends."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.crew import Phones, compile_shim
from tests.served import Served


@pytest.fixture(scope="session")
def all_phones() -> Iterator[Phones]:
    one = Phones()
    yield one
    one.close()


@pytest.fixture
def phones(all_phones: Phones) -> Phones:
    all_phones.reset()
    return all_phones


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory, all_phones: Phones) -> Path:
    """A data folder with the cast and the channel `campo`."""
    folder = tmp_path_factory.mktemp("stock")
    Served(folder).set_up(all_phones.url)
    return folder / "data"


@pytest.fixture
def served(tmp_path: Path, stock: Path, phones: Phones) -> Iterator[Served]:
    shutil.copytree(stock, tmp_path / "data")
    one = Served(tmp_path)
    yield one
    one.close()


@pytest.fixture(scope="session")
def wall_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_shim("wall_clock", tmp_path_factory.mktemp("shim"))


@pytest.fixture(scope="session")
def power_loss(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_shim("power_loss", tmp_path_factory.mktemp("shim"))
