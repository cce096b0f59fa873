"""Making an installation and checking it at every start: folder, key, schema, first rows, locks."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, inspect, select, text
from sqlalchemy.exc import DatabaseError
from uuid_utils.compat import uuid7

from gateway.alerts.rulebook import first_rule
from gateway.clock import Clock, system_clock
from gateway.codebook import first_revision
from gateway.db import make_engine
from gateway.errors import AlreadyRunning, DatabaseDamaged, SchemaTooOld, SetupError, WrongKey
from gateway.house import COUNTER, NODE
from gateway.schema import check_schema, current_revision, head_revision, upgrade
from gateway.sealing import KeyRing, Sealer, read_key_file, write_key_file
from gateway.settings import Settings

PROOF = "vocero"
LOCK_WAIT_S = 3.0
DAMAGES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def init(settings: Settings, clock: Clock = system_clock) -> bool:
    """Create what is missing; True when the database was new. Raises SetupError and creates nothing on a wrong key."""
    engine = make_engine(settings.url, writer=True)
    with _damage_told(settings, engine):
        fresh = is_empty(engine)
        if not fresh:
            read_key_file(settings.key_path)
        prepare_folder(settings)
        sealer = _sealer(settings, fresh=fresh)
        if not fresh:
            with engine.connect() as connection:
                check_key(connection, sealer)
        _bring_up_to_date(settings, engine, clock(), fresh=fresh)
        if fresh:
            with engine.begin() as connection:
                _first_rows(connection, settings, sealer, clock())
    _protect_files(settings)
    return fresh


def check(settings: Settings) -> None:
    """Raise SetupError unless key and schema fit the database; creates nothing."""
    sealer = Sealer(read_key_file(settings.key_path))
    engine = make_engine(settings.url)
    with _damage_told(settings, engine):
        if is_empty(engine):
            raise SchemaTooOld
        with engine.connect() as connection:
            check_schema(connection)
            check_key(connection, sealer)


@contextmanager
def _damage_told(settings: Settings, engine: Engine) -> Iterator[None]:
    """Raise DatabaseDamaged for what SQLite says of a broken file; ends the engine."""
    try:
        yield
    except DatabaseError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in DAMAGES:
            raise DatabaseDamaged(settings.sqlite_path) from error
        raise
    finally:
        engine.dispose()


def prepare_folder(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.data_dir.chmod(0o700)
    except OSError as error:
        raise SetupError(f"The data folder {settings.data_dir} cannot be used: {error.strerror}.") from error
    if not os.access(settings.data_dir, os.W_OK):
        raise SetupError(f"The data folder {settings.data_dir} cannot be written.")


def is_empty(engine: Engine) -> bool:
    """True when no node row exists: the database was never made."""
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path and not Path(path).exists():
        return True
    with engine.connect() as connection:
        if not inspect(connection).has_table("node"):
            return True
        return connection.execute(select(NODE.c.id)).first() is None


def check_key(connection: Connection, sealer: Sealer) -> None:
    """Raise WrongKey unless the key opens the proof this database was made with."""
    row = connection.execute(select(NODE.c.id, NODE.c.key_proof)).one()
    if sealer.open("node", "key_proof", row.id, row.key_proof) != PROOF:
        raise WrongKey


def _sealer(settings: Settings, *, fresh: bool) -> Sealer:
    path = settings.key_path
    if fresh and not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_key_file(path, KeyRing.new())
    return Sealer(read_key_file(path))


def _bring_up_to_date(settings: Settings, engine: Engine, now: datetime, *, fresh: bool) -> None:
    with engine.connect() as connection:
        current = current_revision(connection)
        if current == head_revision():
            return
        if not fresh:
            check_schema_known(connection)
    if current is not None and not fresh:
        if settings.sqlite_path is None:
            raise SchemaTooOld
        back_up_file(settings.sqlite_path, settings.data_dir / "backups", now)
    upgrade(engine)


def check_schema_known(connection: Connection) -> None:
    """Raise SchemaTooNew for a database of a later version; an older one passes."""
    try:
        check_schema(connection)
    except SchemaTooOld:
        return


def back_up_file(database: Path, folder: Path, now: datetime) -> Path:
    """Copy a SQLite database with VACUUM INTO before its schema changes; returns the copy."""
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"before-migration-{now:%Y%m%dT%H%M%S}.db"
    engine = make_engine(f"sqlite:///{database}")
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(target),))
    finally:
        engine.dispose()
    target.chmod(0o600)
    return target


def _first_rows(connection: Connection, settings: Settings, sealer: Sealer, now: datetime) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x766F63})
        if connection.execute(select(NODE.c.id)).first() is not None:
            return
        connection.execute(text(f"ALTER SEQUENCE report_ref_seq RESTART WITH {int(settings.ref_start)}"))
    node_id: UUID = uuid7()
    proof = sealer.seal("node", "key_proof", node_id, PROOF)
    row = {"id": node_id, "name": settings.node_name, "created_at": now, "key_proof": proof}
    connection.execute(insert(NODE), [row])
    counters = [{"name": "report_ref", "value": settings.ref_start - 1}, {"name": "config", "value": 0}]
    connection.execute(insert(COUNTER), counters)
    first_revision(connection, settings.pack, now)
    first_rule(connection, now)


def _protect_files(settings: Settings) -> None:
    path = settings.sqlite_path
    for file in (settings.key_path, path, *((Path(f"{path}-wal"), Path(f"{path}-shm")) if path else ())):
        if file and file.exists():
            file.chmod(0o600)


@contextmanager
def held(settings: Settings, role: str) -> Iterator[None]:
    """Hold this installation's lock for `role` (serve, worker) while the block runs; raises AlreadyRunning.

    A process that was killed a moment ago may still be leaving, so the lock is tried for a few seconds.
    """
    path = settings.data_dir / f"{role}.lock"
    with path.open("w") as handle:
        path.chmod(0o600)
        deadline = time.monotonic() + LOCK_WAIT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise AlreadyRunning(
                        f"Another `vocero {role}` is using {settings.data_dir}. Stop it first, or use another folder."
                    ) from None
                time.sleep(0.05)
        yield
