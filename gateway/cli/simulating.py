"""`simulate`."""

import time
from typing import Annotated

import typer

from gateway.cli.support import FAILED, print_json, say


def simulate(
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="A day file, or the name of a shipped day.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print each message that was sent, one a line.")] = False,
    database: Annotated[
        str, typer.Option(metavar="URL", help="An empty Postgres database to play in; default a scratch SQLite file.")
    ] = "",
) -> int:
    """Play a day on a scratch installation with a clock of its own, and hold what people saw against the file.

    Exit code 0 only when every expectation holds.
    """
    from gateway.days.day_file import SHIPPED, load_day
    from gateway.days.player import play
    from gateway.days.telling import documents, what_failed, what_people_saw
    from gateway.days.verdict import count_wishes, failures
    from gateway.logs import configure

    # An outage that was wished for is no news.
    configure("error", "console")
    began = time.monotonic()
    day = load_day(file or SHIPPED)
    record = play(day, database or None)
    failed = failures(day, record)
    if as_json:
        for document in documents(day, record):
            print_json(document)
    else:
        for line in what_people_saw(day, record):
            typer.echo(line)
        typer.echo("")
    for line in what_failed(day, failed):
        say(line)
    say(
        f"{len(day.steps)} steps, {len(record.sends)} messages, {count_wishes(day)} expectations, {len(failed)} failed;"
        f" {time.monotonic() - began:.1f} s"
    )
    return FAILED if failed else 0
