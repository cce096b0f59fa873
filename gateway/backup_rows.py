"""A row of any table as one line of JSON and back, by the types of its columns."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table


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
    return {name: _unpacked(table.c[name].type.python_type, value) for name, value in json.loads(line).items()}


def _unpacked(kind: type, value: Any) -> Any:
    if value is None:
        return None
    if kind is bytes:
        return b64decode(value, validate=True)
    if kind is UUID:
        return UUID(value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if kind is date else value
