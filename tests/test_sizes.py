"""A file is at most 300 lines and a function at most 50: what grows past that is divided."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("gateway", "outbox", "parsers", "alembic", "benchmarks", "tests", "tools")
FILE_LINES = 300
FUNCTION_LINES = 50


def source_files() -> list[Path]:
    """Every Python file but migrations: those are written once, by the tool, and never grow."""
    found = (path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return sorted(path for path in found if path.parent != ROOT / "alembic" / "versions")


def long_functions(source: str) -> Iterator[tuple[str, int]]:
    """Name and lines of each function over the limit; a function inside another counts in both."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.name, lines


def test_no_source_file_is_longer_than_300_lines() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text().splitlines()) for path in source_files()}
    assert lengths, "no source file was found"
    assert {str(path): lines for path, lines in lengths.items() if lines > FILE_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name} has {lines} lines"
        for path in source_files()
        for name, lines in long_functions(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(("body", "found"), [(48, []), (49, []), (50, [("act", 51)])])
def test_the_ruler_counts_the_line_of_the_name_and_no_decorator(body: int, found: list[tuple[str, int]]) -> None:
    source = "@decorator\ndef act():\n" + "    pass\n" * body
    assert list(long_functions(source)) == found
