"""`serve` and `worker`: the light parent, and the child it starts again when it dies."""

import os
import sys
from typing import TYPE_CHECKING, NoReturn

import typer

from gateway.cli.support import load_settings, say
from gateway.supervisor import IN_FLIGHT, become

if TYPE_CHECKING:
    from gateway.house import House


def serve(*, worker: bool, local: bool) -> int:
    """Serve until told to stop; the first call becomes the parent, the process it starts serves."""
    if IN_FLIGHT not in os.environ:
        _supervise("serve", *([] if worker else ["--no-worker"]), *(["--local"] if local else []))
    settings = load_settings()
    from gateway.process import serve as run

    if local:
        from gateway.rehearsal.local import local_settings, prepared

        settings = local_settings(settings)
        with prepared() as prepare:

            def at_start(house: "House") -> None:
                prepare(house)
                _greet(house)

            return run(settings, worker=worker, prepare=at_start)
    return run(settings, worker=worker, prepare=_greet)


def work() -> int:
    """Send and tick until told to stop."""
    from gateway.process import work as run

    return run(load_settings())


def _supervise(*arguments: str) -> NoReturn:
    become([sys.executable, "-m", "gateway.cli", *arguments])


def _greet(house: "House") -> None:
    """Print the setup link while nobody has an account."""
    from gateway.users import setup_link

    link = setup_link(house)
    if link:
        say("Open this address once to make the first account:")
        typer.echo(link)
        sys.stdout.flush()
