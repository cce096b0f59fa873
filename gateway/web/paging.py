"""Paging by key: a page goes on from the moment and id of the last row shown, never by counting rows."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, and_, or_

PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


class Cursor(NamedTuple):
    """Where the next page begins: just before this moment and id."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICRO}-{self.id.hex}"


def read_cursor(text: str) -> Cursor | None:
    """Inverse of `str(cursor)`; None for anything else, which shows the first page."""
    moment, _, key = text.partition("-")
    try:
        return Cursor(_EPOCH + int(moment) * _MICRO, UUID(hex=key))
    except (ValueError, OverflowError):
        return None


def read_key(text: str) -> UUID | None:
    """The id of the last row shown, where rows are in the order of their ids; None for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return None


def older(at: Column[Any], key: Column[Any], cursor: Cursor | None) -> list[ColumnElement[bool]]:
    """Conditions for rows that come after `cursor` when the newest come first."""
    if cursor is None:
        return []
    return [at <= cursor.at, or_(at < cursor.at, and_(at == cursor.at, key < cursor.id))]
