"""Inserting many rows with as little as possible between them and the driver.

SQLAlchemy builds the statement once a table; the values are turned into what the driver wants here, which on the hot
path costs a third of what the compiled statement would do row by row. Both databases get the same rows.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Date, LargeBinary, Table, Uuid, insert
from sqlalchemy.engine import Dialect
from sqlmodel.sql.sqltypes import UTCDateTime

from gateway.compact import to_json

Convert = Callable[[Any], Any]
Row = Mapping[str, Any]
Converts = tuple[tuple[str, Convert | None], ...]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same keys."""
    if not rows:
        return
    keys = tuple(rows[0])
    if connection.dialect.name != "sqlite":
        connection.execute(insert(table), rows)
        return
    statement, converts = _prepared(table, keys, connection.dialect)
    instants: dict[datetime, str] = {}
    connection.exec_driver_sql(statement, [_values(row, converts, instants) for row in rows])


@lru_cache(maxsize=64)
def _prepared(table: Table, keys: tuple[str, ...], dialect: Dialect) -> tuple[str, Converts]:
    """The statement with a mark for each key, and how each value is converted (None: it goes as it is)."""
    compiled = insert(table).compile(dialect=dialect, column_keys=list(keys))
    names: list[str] = list(compiled.positiontup or ())
    return str(compiled), tuple((name, _convert(table.c[name].type)) for name in names)


def _convert(kind: Any) -> Convert | None:
    if isinstance(kind, UTCDateTime):
        return _INSTANT
    for known, convert in ((Uuid, _hex), (JSON, to_json), (Date, date.isoformat), (LargeBinary, None)):
        if isinstance(kind, known):
            return convert
    return None


def _hex(value: UUID) -> str:
    return value.hex


def _instant(value: datetime) -> str:
    """As SQLAlchemy writes a time to SQLite: UTC, with microseconds, without the zone."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


_INSTANT: Convert = _instant


def _values(
    row: Row, converts: tuple[tuple[str, Convert | None], ...], instants: dict[datetime, str]
) -> tuple[Any, ...]:
    values = []
    for name, convert in converts:
        value = row[name]
        if value is not None and convert is not None:
            if convert is _INSTANT:
                found = instants.get(value)
                value = instants.setdefault(value, _instant(value)) if found is None else found
            else:
                value = convert(value)
        values.append(value)
    return tuple(values)
