"""A copy of the whole database in one file, the same for SQLite and Postgres, made while the server goes on.

The file is a zip: `manifest.json` (format, schema revision, next report number, rows and SHA-256 of each table) and
`tables/NAME.jsonl`, one row a line, taken in one read transaction. Sealed values stay sealed; the key is not in it.
Restoring fills an empty database of either kind in one transaction.
"""

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Row, Table, func, select, text

from gateway.backup_rows import pack_row, unpack_row
from gateway.db import make_engine
from gateway.errors import Conflict, UsageError, VoceroError
from gateway.files import flush_directory
from gateway.house import COUNTER, House
from gateway.install import is_empty, prepare_folder
from gateway.models import metadata
from gateway.schema import current_revision, head_revision, upgrade
from gateway.sealing import Sealer, read_key_file
from gateway.settings import Settings

FORMAT = 1
CHUNK = 500
DEFLATE = 1
Told = Callable[[int], None]

# What a changed byte makes of an archive: also another way of packing it, or a password.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, KeyError, ValueError, TypeError, EOFError, NotImplementedError,
    RuntimeError, OverflowError,
)  # fmt: skip


class BadBackup(VoceroError):
    """The file is no backup, or is damaged."""


def back_up(house: House, target: Path, told: Told = lambda _rows: None) -> int:
    """Write the backup to `target`, a file that must not exist, with mode 0600; returns how many rows it holds.

    The file appears under its name only when it is whole and on the disk.
    """
    if target.exists():
        raise Conflict(f"{target} is there already. Backups are never overwritten.")
    partial = target.with_name(target.name + ".partial")
    try:
        handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "w+b") as stream:
                total = _write_zip(house, stream, told)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError as error:
        raise Conflict(f"{target} is there already. Backups are never overwritten.") from error
    except OSError as error:
        raise VoceroError(f"{target} cannot be written: {error.strerror}.") from error
    flush_directory(target.absolute().parent)
    return total


def count_rows(house: House) -> int:
    """Rows of all tables, to show how far it is."""

    def counted(connection: Connection) -> int:
        return sum(connection.scalar(select(func.count()).select_from(t)) or 0 for t in metadata.sorted_tables)

    return house.read_now(counted)


def _write_zip(house: House, stream: IO[bytes], told: Told) -> int:
    tables: dict[str, Any] = {}
    with (
        _snapshot(house) as connection,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=DEFLATE) as archive,
    ):
        for table in metadata.sorted_tables:
            tables[table.name] = _write_table(connection, table, archive, told)
        manifest = {
            "format": FORMAT, "revision": current_revision(connection), "made_at": house.clock().isoformat(),
            "node": str(house.node_id), "next_ref": _next_ref(connection), "tables": tables,
        }  # fmt: skip
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return sum(table["rows"] for table in tables.values())


@contextmanager
def _snapshot(house: House) -> Iterator[Connection]:
    """A connection whose reads all see one moment."""
    with house.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def _write_table(connection: Connection, table: Table, archive: zipfile.ZipFile, told: Told) -> dict[str, Any]:
    digest, rows = hashlib.sha256(), 0
    query = select(table).order_by(*table.primary_key.columns)
    found = connection.execution_options(stream_results=True, yield_per=CHUNK).execute(query)
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as out:
        for part in found.partitions(CHUNK):
            data = "".join(pack_row(row) + "\n" for row in part).encode()
            digest.update(data)
            out.write(data)
            rows += len(part)
            told(len(part))
    return {"rows": rows, "sha256": digest.hexdigest()}


def _next_ref(connection: Connection) -> int:
    """The number the next report gets; numbers are never given twice, also not after a restore."""
    if connection.dialect.name == "postgresql":
        row: Row[Any] = connection.execute(text("SELECT last_value, is_called FROM report_ref_seq")).one()
        return int(row.last_value) + int(row.is_called)
    return int(connection.scalar(select(COUNTER.c.value).where(COUNTER.c.name == "report_ref")) or 0) + 1


@contextmanager
def opened_backup(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """The archive and its manifest. Raises UsageError when there is no such file, BadBackup when it is none of ours."""
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            if manifest["format"] != FORMAT:
                raise BadBackup("The backup has a format of a newer version of Vocero.")
            yield archive, manifest
    except OSError as error:
        if path.is_file() and os.access(path, os.R_OK):
            raise BadBackup(f"{path} is not a backup of Vocero, or is damaged.") from error
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except DAMAGED as error:
        raise BadBackup(f"{path} is not a backup of Vocero, or is damaged.") from error


def restore(settings: Settings, path: Path, told: Told = lambda _rows: None) -> int:
    """Fill the empty database that `settings` names from a backup; returns how many rows.

    Raises Conflict when the database holds something, KeyFileMissing or WrongKey unless the key the backup was sealed
    with is in place, BadBackup when the file is damaged. Nothing is changed then.
    """
    with opened_backup(path) as (archive, manifest):
        if manifest["revision"] != head_revision():
            raise BadBackup(
                f"The backup was made with schema {manifest['revision']}, this version has {head_revision()}. "
                "Restore it with the version it was made by, then bring that up to date."
            )
        verify(archive, manifest)
        _check_key(archive, settings)
        _make_room(settings)
        engine = make_engine(settings.url, writer=True)
        try:
            with engine.begin() as connection:
                total = _fill(connection, archive, manifest, told)
                check_restored(connection, manifest)
        finally:
            engine.dispose()
    return total


def verify(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
    """Read every table and compare its rows and hash with the manifest. Raises BadBackup."""
    for name, said in manifest["tables"].items():
        digest, rows = hashlib.sha256(), 0
        for line in _lines(archive, name):
            digest.update(line)
            rows += 1
        if rows != said["rows"] or digest.hexdigest() != said["sha256"]:
            raise BadBackup(f"The backup is damaged: its table {name} is not what was written.")


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    with archive.open(f"tables/{name}.jsonl") as stream:
        yield from stream


def _check_key(archive: zipfile.ZipFile, settings: Settings) -> None:
    sealer = Sealer(read_key_file(settings.key_path))
    for line in _lines(archive, "node"):
        row = unpack_row(metadata.tables["node"], line)
        sealer.open("node", "key_proof", row["id"], row["key_proof"])


def _make_room(settings: Settings) -> None:
    """The folder and a schema without any row, so that a restore that fails can be tried again."""
    prepare_folder(settings)
    engine = make_engine(settings.url, writer=True)
    try:
        if not is_empty(engine):
            raise Conflict("The database holds something already. Restore into an empty one.")
        upgrade(engine)
    finally:
        engine.dispose()
    if settings.sqlite_path is not None:
        settings.sqlite_path.chmod(0o600)


def _fill(connection: Connection, archive: zipfile.ZipFile, manifest: Mapping[str, Any], told: Told) -> int:
    total = 0
    for table in metadata.sorted_tables:
        if table.name not in manifest["tables"]:
            continue
        waiting: list[dict[str, Any]] = []
        for line in _lines(archive, table.name):
            waiting.append(unpack_row(table, line))
            if len(waiting) == CHUNK:
                total += _insert(connection, table, waiting, told)
                waiting = []
        total += _insert(connection, table, waiting, told)
    _set_next_ref(connection, int(manifest["next_ref"]))
    return total


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]], told: Told) -> int:
    if rows:
        connection.execute(table.insert(), rows)
        told(len(rows))
    return len(rows)


def _set_next_ref(connection: Connection, number: int) -> None:
    connection.execute(COUNTER.update().where(COUNTER.c.name == "report_ref").values(value=number - 1))
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT setval('report_ref_seq', :number, false)"), {"number": number})


def check_restored(connection: Connection, manifest: Mapping[str, Any]) -> None:
    """Compare what stands in the database with the manifest, and its references. Raises BadBackup."""
    for name, said in manifest["tables"].items():
        if connection.scalar(select(func.count()).select_from(metadata.tables[name])) != said["rows"]:
            raise BadBackup(f"The table {name} was not restored whole.")
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise BadBackup("The backup does not hold together: a row refers to one that is not there.")
