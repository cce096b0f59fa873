"""Revisions of what can be said: word lists that admins edit over a pack, compiled once per revision."""

import json
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, func, insert, select

from gateway.compact import to_json
from gateway.models import CodebookRevision
from parsers import Codebook, Collision, Pack, collisions, compile_codebook, load_pack, pack_words

REVISION = CodebookRevision.__table__  # type: ignore[attr-defined]
Words = Mapping[str, Mapping[str, Sequence[str]]]


class Collides(ValueError):
    """The words cannot stand together; `found` says which and why."""

    def __init__(self, found: Sequence[Collision]) -> None:
        super().__init__("; ".join(f"{item.word} / {item.other}" for item in found))
        self.found = tuple(found)


@lru_cache(maxsize=4)
def pack_of(name: str) -> Pack:
    return load_pack(name)


@lru_cache(maxsize=4)
def compiled_of(pack: str, number: int, words: str) -> Codebook:
    """The codebook of a revision; `words` as JSON, so that installations of one process share what is the same."""
    return compile_codebook(pack_of(pack), revision=number, words=json.loads(words))


class Codebooks:
    """Compiled codebooks by revision; a few are kept, the newest is always one of them."""

    KEEP = 4

    def __init__(self) -> None:
        self._compiled: dict[int, Codebook] = {}
        self._lock = threading.Lock()

    def current(self, connection: Connection) -> Codebook:
        """The newest revision; raises LookupError when the database has none."""
        number = connection.scalar(select(func.max(REVISION.c.number)))
        if number is None:
            raise LookupError("the database holds no codebook")
        return self.get(connection, number)

    def get(self, connection: Connection, number: int) -> Codebook:
        found = self._compiled.get(number)
        if found is not None:
            return found
        row = connection.execute(select(REVISION).where(REVISION.c.number == number)).first()
        if row is None:
            raise LookupError(f"no codebook revision {number}")
        with self._lock:
            if number in self._compiled:
                return self._compiled[number]
            compiled = self._compiled[number] = compiled_of(row.pack, number, to_json(row.words))
            for old in sorted(self._compiled)[: -self.KEEP]:
                del self._compiled[old]
        return compiled


def first_revision(connection: Connection, pack: str, now: datetime) -> None:
    """Revision 1 of a new database: the pack's own words."""
    _insert(connection, 1, pack, pack_words(pack_of(pack)), note=None, by="system", now=now)


def current_words(connection: Connection) -> tuple[int, str, dict[str, dict[str, list[str]]]]:
    """(number, pack, words) of the newest revision."""
    row = connection.execute(select(REVISION).order_by(REVISION.c.number.desc()).limit(1)).one()
    return row.number, row.pack, row.words


def check_words(pack: str, words: Words) -> list[Collision]:
    return list(collisions(pack_of(pack), words))


def save_words(connection: Connection, words: Words, *, based_on: int, by: str, note: str | None, now: datetime) -> int:
    """Write the next revision and return its number.

    Raises Collides when an error-level collision stands in the words, StaleRevision when another was saved meanwhile.
    """
    number, pack, _ = current_words(connection)
    if number != based_on:
        raise StaleRevision(number)
    found = [item for item in check_words(pack, words) if item.severity == "error"]
    if found:
        raise Collides(found)
    _insert(connection, number + 1, pack, words, note=note, by=by, now=now)
    return number + 1


class StaleRevision(ValueError):
    """Somebody else saved revision `number` since the words were read."""

    def __init__(self, number: int) -> None:
        super().__init__(f"revision {number} was saved meanwhile")
        self.number = number


def _insert(
    connection: Connection, number: int, pack: str, words: Words, *, note: str | None, by: str, now: datetime
) -> None:
    plain: dict[str, Any] = {kind: {key: list(items) for key, items in group.items()} for kind, group in words.items()}
    row = {"number": number, "pack": pack, "words": plain, "note": note, "created_at": now, "created_by": by}
    connection.execute(insert(REVISION), [row])
