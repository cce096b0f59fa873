"""A row of any table as one line of JSON and back, by the types of its columns."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, LargeBinary, Row, Table, TypeDecorator, Uuid
from sqlalchemy.types import TypeEngine


def pack_row(row: Row[Any]) -> str:
    """Bytes become base64, UUIDs and times strings."""
    return json.dumps({name: _packed(value) for name, value in row._mapping.items()}, separators=(",", ":"))


def _packed(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, UUID | date) else value


def unpack_row(table: Table, line: bytes) -> dict[str, Any]:
    """The values to insert. Raises ValueError or KeyError for a line that does not fit the table."""
    return {name: _unpacked(table.c[name].type, value) for name, value in json.loads(line).items()}


def _unpacked(kind: TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    read = next((read for known, read in READERS if isinstance(plain, known)), None)
    return value if read is None else read(value)


READERS: tuple[tuple[type[TypeEngine[Any]], Callable[[str], Any]], ...] = (
    (LargeBinary, lambda value: b64decode(value, validate=True)),
    (Uuid, UUID),
    (DateTime, datetime.fromisoformat),
    (Date, date.fromisoformat),
)
