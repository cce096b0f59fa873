"""Tables attached to a mail, CSV or XLSX, as plain cells: bounded at every step, formulas never evaluated.

A process that may be ended reads them: an XLSX is XML in a ZIP archive (ECMA-376), and both can be made to hurt.
"""

import codecs
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

ROWS = 200
COLUMNS = 40
CELL_CHARS = 500
HEADER_WITHIN = 10
ZIP_MEMBERS = 200
ZIP_BYTES = 30_000_000
ZIP_RATIO = 200

_DELIMITERS = ";,\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as cells. `rows` are (line in the file, cells); the first is the heading.

    `problem`: `rows` when lines were left out, `unreadable`, `too_large` (an archive that unpacks to too much), "".
    """

    name: str
    rows: tuple[tuple[int, Cells], ...] = ()
    problem: str = ""


def read_table(data: bytes, name: str) -> Table:
    """The first sheet that holds anything; never raises but MemoryError."""
    try:
        rows = _xlsx_rows(data) if data.startswith(b"PK\x03\x04") else _csv_rows(data)
        kept = _kept(rows)
    except _TooLarge:
        return Table(name, problem="too_large")
    except MemoryError:
        raise
    except Exception:
        return Table(name, problem="unreadable")
    return Table(name, tuple(kept[: ROWS + 1]), "rows" if len(kept) > ROWS + 1 else "")


class _TooLarge(Exception):
    """The archive would unpack to more than is read."""


def _kept(rows: Iterable[tuple[int, Iterable[Any]]]) -> list[tuple[int, Cells]]:
    """Rows that hold anything, as text; one more than is read tells that there were more."""
    kept: list[tuple[int, Cells]] = []
    for line, cells in rows:
        texts = [_text(cell) for _, cell in zip(range(COLUMNS), cells, strict=False)]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            kept.append((line, tuple(texts)))
        if len(kept) > ROWS + 1 or (not kept and line > HEADER_WITHIN * ROWS):
            break
    return kept


def _text(value: object) -> str:
    """A cell in the words a person would write; whole numbers without a point, dates as year-month-day."""
    if value is None or isinstance(value, time):
        return ""
    if isinstance(value, datetime | date):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, bool):
        return "si" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return " ".join(str(value)[: CELL_CHARS * 2].replace("\0", "").split())[:CELL_CHARS]


def _csv_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(data)
    opening = text[:10_000].lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=opening.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for row in reader:
        yield reader.line_num, row


def _decoded(data: bytes) -> str:
    """UTF-8 or UTF-16 where the bytes say so, else the Latin letters of an office program."""
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _xlsx_rows(data: bytes) -> Iterator[tuple[int, Iterable[Any]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if len(members) > ZIP_MEMBERS or sum(one.file_size for one in members) > ZIP_BYTES:
            raise _TooLarge
        if any(one.file_size > 1_000_000 and one.file_size > ZIP_RATIO * one.compress_size for one in members):
            raise _TooLarge
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        for sheet in book.worksheets[:HEADER_WITHIN]:
            sheet.reset_dimensions()
            # What a sheet says of its size is not believed: a cell in the last row would make a million rows.
            rows = sheet.iter_rows(max_row=HEADER_WITHIN * ROWS, max_col=COLUMNS, values_only=True)
            some = [(line, cells) for line, cells in enumerate(rows, 1) if any(cell is not None for cell in cells)]
            if some:
                yield from some
                return
    finally:
        book.close()
