"""Tables attached to a mail: what office programs write, and what is made to hurt."""

import io
import time
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook  # type: ignore[import-untyped]

from parsers import Context, compile_codebook, load_pack, read_rows
from parsers.sheets import CELL_CHARS, COLUMNS, ROWS, read_table

BOOK = compile_codebook(load_pack("gt"))
AT = datetime(2026, 3, 10, 16, tzinfo=UTC)
CHAJUL = Context(heard_at=AT, registered=True, home_place="1405")


def xlsx(*rows: Any) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


HEADING = ("Tipo", "Lugar", "Observación")
SAID = (("Tipo", "Lugar", "Observación"), ("robo", "Nebaj", "en el camino; de noche"))
WRITTEN = {
    "semicolons, Latin-1": 'Tipo;Lugar;Observación\r\nrobo;Nebaj;"en el camino; de noche"\r\n'.encode("cp1252"),
    "commas, UTF-8": 'Tipo,Lugar,Observación\nrobo,Nebaj,"en el camino; de noche"\n'.encode(),
    "a BOM": '\ufeffTipo;Lugar;Observación\nrobo;Nebaj;"en el camino; de noche"\n'.encode(),
    "UTF-16": "Tipo\tLugar\tObservación\r\nrobo\tNebaj\ten el camino; de noche\r\n".encode("utf-16"),
    "XLSX": xlsx(*SAID),
}


@pytest.mark.parametrize("data", WRITTEN.values(), ids=WRITTEN.keys())
def test_every_way_an_office_writes_a_table_is_read_alike(data: bytes) -> None:
    assert [cells for _, cells in read_table(data, "a").rows] == list(SAID)


def test_cells_of_a_workbook_are_said_as_people_write_them() -> None:
    data = xlsx(HEADING, (date(2026, 3, 9), 2.0, 2.5), (True, None, " a\n b "), ("=1+1", "x"))
    rows = read_table(data, "a.xlsx").rows
    assert rows[1:] == ((2, ("2026-03-09", "2", "2.5")), (3, ("si", "", "a b")), (4, ("", "x")))


def test_a_formula_is_never_evaluated() -> None:
    rows = read_table(b'tipo,lugar\n=HYPERLINK("http://x"),@SUM(A1)\n', "a.csv").rows
    assert rows[1][1][1] == "@SUM(A1)"
    assert read_table(xlsx(("tipo",), ('=WEBSERVICE("http://127.0.0.1")',)), "a.xlsx").rows == ((1, ("tipo",)),)


def test_rows_columns_and_cells_are_bounded() -> None:
    many = read_table(("tipo;lugar\n" + "robo;Nebaj\n" * 5000).encode(), "a.csv")
    assert (len(many.rows), many.problem) == (ROWS + 1, "rows")
    wide = read_table((";".join("x" * 2000 for _ in range(500)) + "\n").encode(), "a.csv")
    assert (len(wide.rows[0][1]), len(wide.rows[0][1][0])) == (COLUMNS, CELL_CHARS)
    book = Workbook()
    book.active["A1"], book.active["XFD1048576"] = "tipo", "boom"
    out = io.BytesIO()
    book.save(out)
    started = time.monotonic()
    assert read_table(out.getvalue(), "a.xlsx").rows == ((1, ("tipo",)),)
    assert time.monotonic() - started < 5


BOMBS = {
    "a member of 50 MB in 50 kB": zipped(**{"xl/worksheets/sheet1.xml": b"0" * 50_000_000}),
    "a thousand members": zipped(**{f"m{n}": b"x" for n in range(1000)}),
    "twenty members of 2 MB": zipped(**{f"m{n}": b"0" * 2_000_000 for n in range(20)}),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_an_archive_that_would_swell_is_not_opened(data: bytes) -> None:
    assert (read_table(data, "a.xlsx").rows, read_table(data, "a.xlsx").problem) == ((), "too_large")


BROKEN = {
    "no archive": b"PK\x03\x04" + b"\0" * 100,
    "an archive of something else": zipped(hello=b"world"),
    "half a workbook": xlsx(*SAID)[:3000],
    "entities upon entities": zipped(
        **{"[Content_Types].xml": b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 9999 + b'">]><a>' + b"&b;" * 9999 + b"</a>"}
    ),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_workbook_is_told_as_unreadable(data: bytes) -> None:
    assert read_table(data, "a.xlsx").problem == "unreadable"


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xff\xfe", b'tipo;"', b"tipo,lugar\n"]))
def test_any_bytes_give_a_table(data: bytes, opening: bytes) -> None:
    rows = read_table(opening + data, "x").rows
    read_rows(rows, BOOK, CHAJUL)


# heading | row | what the report says | what it lacks | what was not understood
ROWS_READ = (
    ("tipo|lugar|fecha|heridos", "robo|Nebaj|09/03/2026|2", "incident ROB 1413 2026-03-09 injured=2", "", ""),
    ("fecha|heridos|municipio|clase", "ayer|0|1413|amenasas", "incident AME 1413 2026-03-09 injured=0", "", ""),
    ("type|place|date|dead", "LIN|Chajul|2026-03-01|1", "incident LIN 1405 2026-03-01 dead=1", "", ""),
    ("category|note", "extorsion|llamadas de 5555-1234 desde ayer", "incident EXT 1405 2026-03-10", "", ""),
    ("tipo|lugar", "robo|Atlantis", "incident ROB - 2026-03-10", "place", "place"),
    ("tipo|lugar", "|Nebaj", "incident - 1413 2026-03-10", "category", ""),
    ("tipo|lugar|fecha", "robo|Nebaj|31/02", "incident ROB 1413 2026-03-10", "", "date"),
    ("tipo|lugar|heridos", "robo|Nebaj|muchos", "incident ROB 1413 2026-03-10", "", "injured"),
    ("tipo|lugar|denuncia", "robo|Nebaj|si", "incident ROB 1413 2026-03-10 reported=True", "", ""),
    ("formulario|acuerdo|estado", "AC|23|no", "commitment - 1405 2026-03-10 commitment=C23 status=no", "", ""),
    ("tema|estado|familias", "tierra|mal|22", "return - 1405 2026-03-10 topic=tierra status=mal families=22", "", ""),
    ("formulario|personas|lugar", "MESA|35|Nebaj", "meeting - 1413 2026-03-10 people=35", "", ""),
    ("formulario|tipo|lugar", "ALERTA|ALN|1416", "urgent! ALN 1416 2026-03-10", "", ""),
    ("tipo|lugar|fecha", "linchamiento|Nebaj|ayer", "incident! LIN 1413 2026-03-09", "", ""),
    ("tipo|lugar|fecha", "linchamiento|Nebaj|01/03/2026", "incident LIN 1413 2026-03-01", "", ""),
)  # fmt: skip


@pytest.mark.parametrize(("heading", "row", "said", "lacks", "bad"), ROWS_READ, ids=[row[1] for row in ROWS_READ])
def test_a_row_is_read_by_its_columns(heading: str, row: str, said: str, lacks: str, bad: str) -> None:
    rows = [(1, heading.split("|")), (2, row.split("|"))]
    found = read_rows(rows, BOOK, CHAJUL)
    assert found is not None
    (one,) = found
    assert one.report is not None
    get = one.report.get
    others = [name for name in one.report.values if name not in ("category", "place", "date", "note")]
    told: list[object] = [
        f"{one.report.form}{'!' if one.report.urgent else ''}",
        get("category") or "-",
        get("place") or "-",
    ]
    told += [str(get("date")), *(f"{name}={get(name)}" for name in others)]
    assert " ".join(map(str, told)) == said
    assert (",".join(one.lacks), ",".join(one.bad)) == (lacks, bad)


def test_a_table_without_known_columns_is_no_table_of_reports() -> None:
    assert read_rows([(1, ("nombre", "saldo")), (2, ("Ana", "3"))], BOOK, CHAJUL) is None
    assert read_rows([], BOOK, CHAJUL) is None


def test_a_stranger_has_no_place_to_fall_back_on() -> None:
    found = read_rows([(1, ("tipo", "lugar")), (2, ("robo", ""))], BOOK, Context(heard_at=AT))
    assert found is not None
    assert found[0].lacks == ("place",)


def test_two_hundred_rows_are_read_in_good_time() -> None:
    row = ("robo a mano armada", "Santa Maria Nebaj", "9 de marzo", "2", "en el camino a la escuela")
    rows = [(1, ("tipo", "lugar", "fecha", "heridos", "nota")), *((n, row) for n in range(2, ROWS + 2))]
    started = time.monotonic()
    assert len(read_rows(rows, BOOK, CHAJUL) or ()) == ROWS
    assert time.monotonic() - started < 3
