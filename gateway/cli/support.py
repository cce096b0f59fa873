"""What the commands share: errors as plain sentences, the opened house, printing and progress."""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import typer

from gateway.errors import SetupError, UsageError, VoceroError

if TYPE_CHECKING:
    from gateway.house import House
    from gateway.settings import Settings

T = TypeVar("T")

DONE, FAILED, USAGE = 0, 1, 2
INTERRUPTED = 130


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run the commands; whatever goes wrong becomes one sentence on standard error and an exit code."""
    command = typer.main.get_command(app)
    try:
        result = command.main(args=list(arguments), prog_name="vocero", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else DONE
    except VoceroError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Stopped.", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        return _fail_unknown(error)


def _fail(message: str, code: int) -> int:
    typer.echo(message, err=True)
    return code


def _fail_unknown(error: Exception) -> int:
    """Usage errors of the command line and errors nobody foresaw; the trace only when it is asked for."""
    show = getattr(error, "show", None)
    if callable(show):
        show()
        return int(getattr(error, "exit_code", USAGE))
    if os.environ.get("VOCERO_LOG_LEVEL", "").lower() == "debug":
        traceback.print_exception(error)
    return _fail(f"{_explained(error)} With VOCERO_LOG_LEVEL=debug more is shown.", FAILED)


def _explained(error: Exception) -> str:
    """A sentence that holds no value of the error: those may be numbers or texts of people."""
    name = type(error).__name__
    if name in ("OperationalError", "InterfaceError"):
        return "The database cannot be used. Is it running, and its address right?"
    if isinstance(error, OSError):
        return f"{error.strerror or name}: {error.filename or 'a file'}."
    return f"This failed inside Vocero ({name})."


def load_settings() -> "Settings":
    """Settings from the environment and `.env`. Raises UsageError naming the one that is wrong."""
    from pydantic import ValidationError

    from gateway.settings import Settings

    try:
        return Settings()
    except ValidationError as error:
        wrong = [f"VOCERO_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors() if item["loc"]]
        raise UsageError("\n".join(wrong)) from error


def check_installed(settings: "Settings") -> None:
    """Raise SetupError unless there is an installation whose key and schema fit."""
    from gateway.install import check

    database, key = settings.sqlite_path, settings.key_path
    if database is not None and not database.exists() and not key.exists():
        raise SetupError(f"Nothing is installed in {settings.data_dir}. Run `vocero init` first.")
    check(settings)


@contextmanager
def opened_house() -> Iterator["House"]:
    """The house of the installation that the settings name; closed at the end."""
    from gateway.house import open_house

    settings = load_settings()
    check_installed(settings)
    house = open_house(settings)
    try:
        yield house
    finally:
        house.close()


@contextmanager
def opened_output(target: Path | None) -> Iterator[TextIO]:
    """Standard output, or a new file that only its owner may read. Raises UsageError when it is there already."""
    if target is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        yield sys.stdout
        return
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(f"{target} is there already.") from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        yield stream


def write(house: "House", job: Any) -> Any:
    """Run `job(connection)` in one transaction of the writer, waiting as long as it takes."""
    return house.writer.write_now(job, timeout=None)


def print_json(document: Mapping[str, Any]) -> None:
    """One JSON object on one line."""
    typer.echo(json.dumps(document, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)


def iso(at: datetime | None) -> str:
    """ISO 8601 in UTC; empty when unknown."""
    return "" if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is local time in Guatemala, as people there write it."""
    from zoneinfo import ZoneInfo

    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time like 2026-03-10T06:00-06:00.") from error
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo("America/Guatemala"))


def say(message: str) -> None:
    """A word to the person at the terminal, apart from what the command prints."""
    typer.echo(message, err=True)


def mask(address: str) -> str:
    """An address that can be told from others but not used: `+502 5555 **01`, `a***@oficina.example`."""
    value = address.partition(":")[2] or address
    if "@" in value:
        local, _, domain = value.partition("@")
        return f"{local[:1]}***@{domain}"
    return f"{value[:-4]}**{value[-2:]}"


def print_table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns of plain text, as wide as they must be."""
    lines = [list(heading), *([str("" if cell is None else cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterator[T]:
    """Go through `items` showing how far it is on standard error, when a person is looking."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=what, total=total, console=Console(stderr=True))
