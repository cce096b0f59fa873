"""`vocero export`: what is known, in clear."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.support import opened_house, opened_output, progress, say, write
from gateway.errors import UsageError

FORMATS = ("jsonl", "csv")


def export(
    kind: Annotated[str, typer.Argument(metavar="messages|reports|outbox|events", help="What to export.")],
    format_: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    target: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="A new file; default stdout.")] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with a byte order mark, for old spreadsheets.")] = False,
) -> None:
    """Write everything of one kind in clear. Needs the key and leaves an audit entry."""
    from gateway import audit
    from gateway.export import KINDS, rows, write_csv, write_jsonl

    if kind not in KINDS:
        raise UsageError(f"There is no {kind!r} to export; there are {', '.join(KINDS)}.")
    if format_ not in FORMATS:
        raise UsageError(f"The format is one of {', '.join(FORMATS)}.")
    with opened_house() as house, opened_output(target) as out:
        write(
            house,
            lambda conn: audit.record(
                conn, at=house.clock(), actor="cli", action="export", target=kind, data={"format": format_}
            ),
        )
        with house.engine.connect() as connection:
            documents = progress(rows(connection, kind, house.sealer), "Exporting")
            if format_ == "csv" and bom:
                out.write("\ufeff")
            number = write_csv(iter(documents), out) if format_ == "csv" else write_jsonl(iter(documents), out)
    if target is not None:
        say(f"{number} rows written. They are in clear: keep the file safe and delete it when it is used.")
