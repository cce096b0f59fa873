"""The face of the program, its commands and pages, is documented; and every command says what it does."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
import typer

import gateway.web
from gateway.cli.commands import app
from gateway.web.visit import Page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
TOLD = re.compile(r"(?<![\w/.])vocero ((?:[a-z]+(?:-[a-z]+)* ?)+)")
CODE = re.compile(r"```sh\n.*?```|`[^`\n]+`", re.DOTALL)


def leaves(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each command that does something, by its words: `channel add`. Typer brings command classes of its own."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
    else:
        for word, found in inner.items():
            yield from leaves(found, f"{name} {word}".strip())


COMMANDS = dict(leaves(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_and_says_what_it_and_its_options_do(name: str) -> None:
    assert re.search(rf"`vocero {name}\b", (DOCS / "commands.md").read_text())
    command = COMMANDS[name]
    assert command.help
    assert [option.name for option in command.params if option.param_type_name == "option" and not option.help] == []


def test_every_command_that_is_told_of_exists() -> None:
    groups = {name.split()[0] for name in COMMANDS}
    for page in DOCUMENTS:
        for code in CODE.findall(page.read_text()):
            for words in TOLD.findall(code):
                first, *rest = words.split()
                known = first in COMMANDS or (first in groups and (not rest or f"{first} {rest[0]}" in COMMANDS))
                assert known, f"{page.name}: vocero {words}"


def pages() -> list[Page]:
    """Every page of every module of gateway/web."""
    modules = [import_module(f"gateway.web.{found.name}") for found in iter_modules(gateway.web.__path__)]
    lists = [value for module in modules for value in vars(module).values() if isinstance(value, tuple | list)]
    return [page for found in lists for page in found if isinstance(page, Page)]


def test_every_page_is_documented() -> None:
    addresses = {f"/{page.path.split('/')[1]}" for page in pages() if page.method == "GET"}
    assert len(addresses) > 5
    told = set(re.findall(r"\| `(/[a-z-]*)", (DOCS / "pages.md").read_text()))
    assert addresses - told == set()
