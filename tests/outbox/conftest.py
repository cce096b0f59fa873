"""The outbox alone: its three tables on SQLite and on Postgres, real seals, and a time that is set by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from outbox_cast import Box
from sqlalchemy import Engine

from gateway.db import make_engine
from gateway.sealing import KeyRing, Sealer
from outbox.models import OutboundMessage, ParkedReceipt, SendAttempt
from outbox.tables import metadata

TABLES = [model.__table__ for model in (OutboundMessage, SendAttempt, ParkedReceipt)]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def seals() -> Sealer:
    return Sealer(KeyRing.new())


@pytest.fixture
def url(database_url: str | None, tmp_path: Path) -> str:
    if database_url is None:
        return f"sqlite:///{tmp_path / 'outbox.db'}"
    return database_url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def new_engine(url: str) -> Iterator[Callable[[], Engine]]:
    """Makes engines as different processes would have them: one writing connection each."""
    engines: list[Engine] = []

    def make() -> Engine:
        engines.append(make_engine(url, writer=True))
        return engines[-1]

    metadata.create_all(make(), tables=TABLES)
    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(new_engine: Callable[[], Engine]) -> Engine:
    return new_engine()


@pytest.fixture
def box(engine: Engine, seals: Sealer) -> Box:
    return Box(engine, seals)
