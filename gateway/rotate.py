"""A new data key: everything is sealed anew in small pieces, then the old key is dropped.

Values are read and sealed outside the write transaction and written only where they are still the same, so that a
server goes on meanwhile. Broken off, it is taken up where it stands: what has the new key is passed over.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, bindparam, func, select, update

from gateway.house import House
from gateway.models import metadata
from gateway.sealing import KeyRing, Sealer, read_key_file, write_key_file

PIECE_S = 0.05
FIRST_PIECE = 100
LARGEST_PIECE = 2000
LEAVING_S = 3.0


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table with its sealed columns: (column, name it is sealed under)."""

    table: Table
    columns: tuple[tuple[str, str], ...]


def sealed_tables() -> list[Sealed]:
    """All of them, from the models: columns named `*_sealed`, and the node's proof of the key."""
    found = []
    for table in metadata.sorted_tables:
        columns = [
            (column.name, column.name.removesuffix("_sealed"))
            for column in table.columns
            if column.name.endswith("_sealed") or column.name == "key_proof"
        ]
        if columns:
            found.append(Sealed(table, tuple(columns)))
    return found


def begin(house: House) -> KeyRing:
    """Make the new key the current one, unless a rotation was broken off: then its key stays the one to go on with."""
    ring = read_key_file(house.settings.key_path)
    if len(ring.keys) == 1:
        ring = ring.with_new_key()
        write_key_file(house.settings.key_path, ring)
    house.sealer.follow()
    return ring


def count_rows(house: House) -> int:
    """Rows that hold sealed values, to show how far it is."""

    def counted(connection: Connection) -> int:
        tables = [sealed.table for sealed in sealed_tables()]
        return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables)

    return house.read_now(counted)


def reseal(house: House) -> Iterator[int]:
    """Seal everything anew, yielding the rows looked at in each piece; a transaction takes about 50 ms at most."""
    for sealed in sealed_tables():
        last: UUID | None = None
        size = FIRST_PIECE
        while True:
            rows = house.read_now(partial(_rows, sealed=sealed, after=last, limit=size))
            if not rows:
                break
            last = rows[-1].id
            taken = _write(house, sealed, rows)
            size = max(10, min(LARGEST_PIECE, int(size * PIECE_S / taken))) if taken else size
            yield len(rows)


def _rows(connection: Connection, sealed: Sealed, after: UUID | None, limit: int) -> list[Row[Any]]:
    table = sealed.table
    query = select(table.c.id, *(table.c[column] for column, _ in sealed.columns)).order_by(table.c.id).limit(limit)
    return list(connection.execute(query if after is None else query.where(table.c.id > after)))


def _write(house: House, sealed: Sealed, rows: list[Row[Any]]) -> float:
    """Write the new values; returns how many seconds the transaction took."""
    changes = {column: _changes(house.sealer, sealed.table.name, column, name, rows) for column, name in sealed.columns}
    if not any(changes.values()):
        return 0.0

    def job(connection: Connection) -> float:
        start = time.monotonic()
        for column, values in changes.items():
            if values:
                same = (sealed.table.c.id == bindparam("row_id")) & (sealed.table.c[column] == bindparam("old"))
                connection.execute(update(sealed.table).where(same).values({column: bindparam("new")}), values)
        return time.monotonic() - start

    return house.writer.write_now(job, timeout=None)


def _changes(sealer: Sealer, table: str, column: str, name: str, rows: list[Row[Any]]) -> list[dict[str, Any]]:
    changes = []
    for row in rows:
        old = getattr(row, column)
        if old is not None and sealer.needs_reseal(old):
            new = sealer.seal(table, name, row.id, sealer.open(table, name, row.id, old))
            changes.append({"row_id": row.id, "old": old, "new": new})
    return changes


def left_over(house: House) -> int:
    """How many values are still sealed with another key than the current one."""

    def counted(connection: Connection) -> int:
        number = 0
        for sealed in sealed_tables():
            for column, _ in sealed.columns:
                query = select(sealed.table.c[column]).where(sealed.table.c[column].is_not(None))
                found = connection.execution_options(yield_per=1000).execute(query).scalars()
                number += sum(house.sealer.needs_reseal(value) for value in found)
        return number

    return house.read_now(counted)


def drop_old_keys(house: House) -> None:
    """Forget every key but the current one. The caller has made sure that nobody seals with them any more."""
    ring = read_key_file(house.settings.key_path)
    write_key_file(house.settings.key_path, ring.without_old_keys())
    house.sealer.follow()
