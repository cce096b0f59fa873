"""The database's schema: which revision it has, and how it is brought up to date.

Alembic is imported only where a migration is looked at: a server whose database stands at HEAD never needs it, and it
would cost it 12 MB.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, inspect, text

from gateway.errors import SchemaTooNew, SchemaTooOld, SetupError

if TYPE_CHECKING:
    from alembic.config import Config

ADVISORY_LOCK = 0x766F6365726F  # "vocero"
HEAD = "0002"
"""The newest revision under `alembic/versions`."""


def scripts_folder() -> Path:
    """`gateway/_alembic` in an installed wheel, else `alembic` beside the package."""
    here = Path(__file__).parent
    beside = here.parent / "alembic"
    return beside if (beside / "env.py").exists() else here / "_alembic"


def alembic_config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts_folder()))
    config.attributes["connection"] = connection
    return config


def head_revision() -> str:
    return HEAD


def current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def check_schema(connection: Connection) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the database stands at this version's head."""
    current, head = current_revision(connection), head_revision()
    if current == head:
        return
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    raise SchemaTooOld if current is None or current in known else SchemaTooNew


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`; on Postgres one process at a time, behind an advisory lock."""
    from alembic import command

    with _changing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        command.upgrade(alembic_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    from alembic import command

    with _changing(engine) as connection:
        command.downgrade(alembic_config(connection), revision)


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """One transaction. SQLite changes a table by copying and dropping it, which it refuses, as it would lose the rows
    of others, while it watches over foreign keys; they are checked at the end instead. Raises SetupError."""
    with engine.connect() as connection:
        watched = connection.dialect.name == "sqlite"
        driver: Any = connection.connection.dbapi_connection
        if watched:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if watched and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise SetupError("The migration would leave rows that point nowhere. Nothing was changed.")
        finally:
            if watched:
                driver.execute("PRAGMA foreign_keys=ON")
