"""Bringing a database to this version by hand."""

from gateway.clock import Clock, system_clock
from gateway.db import make_engine
from gateway.errors import SetupError
from gateway.install import back_up_file, check_key, check_schema_known, held, is_empty
from gateway.schema import current_revision, head_revision, upgrade
from gateway.sealing import Sealer, read_key_file
from gateway.settings import Settings


def migrate(settings: Settings, clock: Clock = system_clock) -> tuple[str | None, str | None]:
    """Upgrade to the head revision; (before, after). Raises SetupError without an installation or with a wrong key.

    A SQLite file is copied first and must not be in use by `serve`; on Postgres an advisory lock lets one process in.
    """
    engine = make_engine(settings.url, writer=True)
    try:
        if is_empty(engine):
            raise SetupError(f"Nothing is installed in {settings.data_dir}. Run `vocero init` first.")
        sealer = Sealer(read_key_file(settings.key_path))
        with engine.connect() as connection:
            check_key(connection, sealer)
            check_schema_known(connection)
            before, after = current_revision(connection), head_revision()
        if before == after:
            return before, after
        if settings.sqlite_path is None:
            upgrade(engine)
        else:
            with held(settings, "serve"):
                back_up_file(settings.sqlite_path, settings.data_dir / "backups", clock())
                upgrade(engine)
        return before, after
    finally:
        engine.dispose()
