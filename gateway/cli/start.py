"""`init`, `migrate`, `serve`, `worker`."""

from typing import Annotated

import typer

from gateway.cli.support import load_settings, opened_house, say


def init() -> None:
    """Make what is missing: data folder, key file, database, setup link. Safe to run again."""
    from gateway.install import init as install
    from gateway.users import setup_link

    settings = load_settings()
    fresh = install(settings)
    say(f"{'Installed in' if fresh else 'Everything stands in'} {settings.data_dir.absolute()}.")
    if fresh:
        say(f"Keep a copy of the key file {settings.key_path.absolute()} elsewhere: without it nothing can be read.")
    with opened_house() as house:
        link = setup_link(house)
    if link:
        say("Open this address once to make the first account (it works when `vocero serve` runs):")
        typer.echo(link)
    else:
        say("The first account was made already.")


def migrate() -> None:
    """Bring the database to this version. A SQLite database is copied to DATA_DIR/backups first."""
    from gateway.moving import migrate as move

    before, after = move(load_settings())
    say(f"The database stands at {after}." if before == after else f"Brought the database from {before} to {after}.")


def serve(
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Also send and tick in this process.")] = True,
    local: Annotated[
        bool, typer.Option("--local", help="As `make run`: simulated phone, mailbox, demo people.")
    ] = False,
) -> int:
    """Serve pages and listeners, send what waits, and keep time. On an empty data folder this does `init` first."""
    from gateway.cli.serving import serve as run

    return run(worker=worker, local=local)


def worker() -> int:
    """Send what waits and keep time, without pages and listeners."""
    from gateway.cli.serving import work

    return work()
