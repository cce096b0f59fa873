"""`vocero keys`: the keys that seal what people wrote and who they are."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.support import opened_house, progress, say, write
from gateway.errors import AlreadyRunning, VoceroError

if TYPE_CHECKING:
    from gateway.house import House

app = typer.Typer(no_args_is_help=True, help="Keys: what seals texts, names and numbers.", rich_markup_mode=None)


@app.command()
def show() -> None:
    """Show the ids of the keys in the key file, and which one seals now. The keys themselves are never shown."""
    from gateway.sealing import read_key_file

    with opened_house() as house:
        ring = read_key_file(house.settings.key_path)
        path = house.settings.key_path
    typer.echo(f"key file: {path.absolute()}")
    for key_id in ring.keys:
        typer.echo(f"{key_id}{'  seals now' if key_id == ring.current else '  opens only'}")


@app.command()
def rotate(
    drop: Annotated[
        bool | None,
        typer.Option("--drop/--keep", help="Drop the old key at the end; on Postgres it is kept unless you say so."),
    ] = None,
) -> None:
    """Make a new key, seal everything anew, and drop the old key. Can be broken off and run again.

    On Postgres give the new key file to every machine before --drop: processes elsewhere are not seen from here.
    """
    from gateway import audit, rotate

    with opened_house() as house:
        ring = rotate.begin(house)
        for _ in progress(rotate.reseal(house), "Sealing anew"):
            pass
        write(
            house,
            lambda conn: audit.record(conn, at=house.clock(), actor="cli", action="keys.rotate", target=ring.current),
        )
        wanted = house.settings.sqlite_path is not None if drop is None else drop
        dropped = wanted and _drop(house)
    say("Copy the new key file to where its copy is kept; backups made before need the old one.")
    if not dropped:
        say("The old key is kept, for a running server may use it. Run `vocero keys rotate` again when none runs.")


def _drop(house: "House") -> bool:
    """Drop the old key when no other process of this installation runs; what it wrote last is sealed anew first."""
    from gateway import rotate
    from gateway.install import held

    with ExitStack() as locks:
        try:
            for role in ("serve", "worker"):
                locks.enter_context(held(house.settings, role))
        except AlreadyRunning:
            return False
        for _ in rotate.reseal(house):
            pass
        if rotate.left_over(house):
            raise VoceroError("Some values are still sealed with the old key; it is kept. Run this again.")
        rotate.drop_old_keys(house)
    return True
