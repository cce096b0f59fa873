import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.house import House
from tests.gateway.desk import Desk, open_cast

sys.path.insert(0, str(Path(__file__).parents[1] / "outbox"))

from servers import FakeTwilio, Relay


@pytest.fixture
def office(house: House) -> Desk:
    """The cast, and a house that `at_work` opens for business."""
    open_cast(house)
    return Desk(house, None)  # type: ignore[arg-type]


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    server = FakeTwilio()
    yield server
    server.close()


@pytest.fixture
def relay() -> Iterator[Relay]:
    server = Relay()
    yield server
    server.close()
