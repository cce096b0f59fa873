"""Pack data: what one country says, as plain files under parsers/packs/NAME (or any folder of the same shape)."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pack:
    """The files of a pack, parsed but not compiled. ``rows`` holds each CSV by its stem, absent files as empty."""

    name: str
    about: Mapping[str, Any]
    forms: tuple[Mapping[str, Any], ...]
    replies: Mapping[str, str]
    rows: Mapping[str, tuple[Row, ...]]

    def table(self, stem: str) -> tuple[Row, ...]:
        return self.rows.get(stem, ())


def load_pack(name: str | Path = "gt") -> Pack:
    """Read a shipped pack by name, or a pack folder by path.

    Raises FileNotFoundError when there is no such pack and ValueError when one of its files is not what it says.
    """
    folder: Traversable = name if isinstance(name, Path) else files("parsers").joinpath("packs", name)
    if not folder.joinpath("pack.json").is_file():
        raise FileNotFoundError(f"no pack {name!s}: pack.json not found")
    about = json.loads(folder.joinpath("pack.json").read_text("utf-8"))
    forms = json.loads(folder.joinpath("forms.json").read_text("utf-8"))
    replies = json.loads(folder.joinpath("replies.json").read_text("utf-8"))
    return Pack(
        name=str(about["name"]),
        about=MappingProxyType(about),
        forms=tuple(MappingProxyType(form) for form in forms),
        replies=MappingProxyType(replies),
        rows=MappingProxyType(dict(_tables(folder))),
    )


def _tables(folder: Traversable) -> list[tuple[str, tuple[Row, ...]]]:
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".csv")]
    languages = folder.joinpath("languages")
    spoken = [entry for entry in languages.iterdir() if entry.name.endswith(".csv")] if languages.is_dir() else []
    tables = [(entry.name.removesuffix(".csv"), _rows(entry)) for entry in sorted(found, key=lambda e: e.name)]
    language_rows = [row for entry in sorted(spoken, key=lambda e: e.name) for row in _rows(entry)]
    return [*tables, ("languages", tuple(language_rows))]


def _rows(entry: Traversable) -> tuple[Row, ...]:
    rows = list(csv.DictReader(io.StringIO(entry.read_text("utf-8"), newline="")))
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{entry.name} line {line}: not as many cells as the header has")
    return tuple(MappingProxyType(row) for row in rows)
