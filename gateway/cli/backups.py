"""`backup` and `restore`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.support import load_settings, opened_house, say, write


def backup(file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; never overwritten.")]) -> None:
    """Copy the database to a file, also while it serves. Sealed values stay sealed; the key is not in it."""
    from gateway import audit
    from gateway.backup import back_up, count_rows

    with opened_house() as house:
        with counting("Backing up", count_rows(house)) as told:
            number = back_up(house, file, told)
        write(
            house,
            lambda conn: audit.record(conn, at=house.clock(), actor="cli", action="backup", data={"rows": number}),
        )
    say(f"{number} rows in {file}. The key is not in it: keep a copy of the key file elsewhere.")


def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")]) -> None:
    """Fill an empty database from a backup, made on SQLite or Postgres. Needs the key it was sealed with."""
    from gateway import audit
    from gateway.backup import opened_backup
    from gateway.backup import restore as run
    from gateway.install import held, prepare_folder

    settings = load_settings()
    with opened_backup(file) as (_, manifest):
        total = sum(table["rows"] for table in manifest["tables"].values())
    prepare_folder(settings)
    with ExitStack() as locks:
        for role in ("serve", "worker"):
            locks.enter_context(held(settings, role))
        with counting("Restoring", total) as told:
            number = run(settings, file, told)
    with opened_house() as house:
        write(
            house,
            lambda conn: audit.record(conn, at=house.clock(), actor="cli", action="restore", data={"rows": number}),
        )
    say(f"{number} rows restored. Run `vocero doctor`, then start the server.")


@contextmanager
def counting(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar that is told of each step, when a person is looking."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda number: bar.advance(task, number)
