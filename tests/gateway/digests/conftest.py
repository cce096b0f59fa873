"""An office with people and channels, made the day before the first digest."""

import pytest

from gateway.house import House
from tests.conftest import HandClock
from tests.gateway.digests.office import DAY, MORNING, add_channel
from tests.gateway.rows import add_people


@pytest.fixture
def office(house: House, clock: HandClock) -> House:
    """Marta (departments 14 and 07), Eulalio (13 and 08) and an admin; mail and SMS go out; made the day before."""
    clock.now = MORNING - DAY
    add_people(house)
    add_channel(
        house, "smtp", "correo", {"host": "127.0.0.1", "port": "25", "tls": "none", "from": "v@oficina.example"}
    )
    add_channel(house, "simulator", "telefono", {})
    return house
