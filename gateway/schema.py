"""The database's schema: which revision it has, and how it is brought up to date."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from gateway.errors import SchemaTooNew, SchemaTooOld

ADVISORY_LOCK = 0x766F6365726F  # "vocero"


def scripts_folder() -> Path:
    """`gateway/_alembic` in an installed wheel, else `alembic` beside the package."""
    here = Path(__file__).parent
    beside = here.parent / "alembic"
    return beside if (beside / "env.py").exists() else here / "_alembic"


def alembic_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts_folder()))
    config.attributes["connection"] = connection
    return config


def head_revision() -> str | None:
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def check_schema(connection: Connection) -> None:
    """Raise SchemaTooOld or SchemaTooNew unless the database stands at this version's head."""
    current, head = current_revision(connection), head_revision()
    if current == head:
        return
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}
    raise SchemaTooOld if current is None or current in known else SchemaTooNew


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`; on Postgres one process at a time, behind an advisory lock."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        command.upgrade(alembic_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), revision)
