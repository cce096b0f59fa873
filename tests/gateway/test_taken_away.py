"""The database file is deleted, replaced or damaged under a gateway."""

import asyncio
import shutil

import pytest

from gateway import install
from gateway.errors import Busy, DatabaseDamaged
from gateway.health import Health
from gateway.house import House
from gateway.incoming import Incoming
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.settings import Settings


@pytest.fixture
def database() -> str:
    """Of a Postgres database no file is known here."""
    return "sqlite"


def receive(house: House, number: int) -> None:
    """Keep one text through the writer; raises what a caller would be told."""
    intake = Intake(house) if house.intake is None else house.intake
    house.intake = house.writer.first = intake  # type: ignore[assignment]
    incoming = Incoming(
        channel="campo", sender="tel:+50255550101", text=f"inc rob nebaj {number}", heard_at=house.clock(),
        external_id=str(number),
    )  # fmt: skip
    asyncio.run(intake.receive(incoming))


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_nothing_is_acknowledged_into_a_file_that_is_gone(house: House, what: str) -> None:
    receive(house, 1)
    path = house.settings.data_dir / "vocero.db"
    if what == "deleted":
        path.unlink()
    else:
        shutil.copy(path, path.with_suffix(".copy"))
        path.with_suffix(".copy").replace(path)
    with pytest.raises(Busy, match="taken away"):
        receive(house, 2)


def test_it_goes_on_when_the_file_is_back(house: House) -> None:
    receive(house, 1)
    path = house.settings.data_dir / "vocero.db"
    path.rename(path.with_suffix(".aside"))
    with pytest.raises(Busy):
        receive(house, 2)
    path.with_suffix(".aside").rename(path)
    receive(house, 3)


def test_readiness_tells_that_the_folder_is_gone(house: House) -> None:
    shutil.rmtree(house.settings.data_dir)
    checks = asyncio.run(Health(house, Metrics()).checks())
    assert not checks["disk"].ok


def test_a_damaged_file_is_named_as_such_and_left_alone(settings: Settings) -> None:
    install.init(settings)
    path = settings.data_dir / "vocero.db"
    path.write_bytes(path.read_bytes()[:5000])
    before = path.read_bytes()
    for start in (install.init, install.check):
        with pytest.raises(DatabaseDamaged, match="vocero restore"):
            start(settings)
    assert path.read_bytes() == before
