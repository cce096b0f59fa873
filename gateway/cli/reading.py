"""`read` and `reread`."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from gateway.cli.support import FAILED, opened_house, parse_time, progress, say
from gateway.errors import UsageError

if TYPE_CHECKING:
    from gateway.reading_files import FileReader


def read(
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="One text to read; without it give --in.")
    ] = None,
    contacts: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Registered senders.")] = None,
    source: Annotated[
        Path | None, typer.Option("--in", metavar="FILE.jsonl", help="Texts, one JSON object a line; - is stdin.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.jsonl", help="Predictions, one a line; default stdout.")
    ] = None,
    sender: Annotated[str, typer.Option("--from", metavar="PHONE|EMAIL", help="Who wrote TEXT.")] = "+50255559999",
    at: Annotated[str | None, typer.Option(metavar="ISO-TIME", help="When TEXT was heard; default now.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how TEXT was understood.")] = False,
    pack: Annotated[str, typer.Option(help="The pack of words and places.")] = "gt",
) -> int:
    """Read texts without any database or key, by the same functions as the server."""
    if (text is None) == (source is None):
        raise UsageError("Give one text, or --in FILE.jsonl.")
    reader = _reader(contacts, pack)
    if text is None:
        assert source is not None
        return _read_file(reader, source, target)
    _read_one(reader, text, sender, at, explain=explain)
    return 0


def _reader(contacts: Path | None, pack: str) -> "FileReader":
    from gateway.contact_file import read_contact_file
    from gateway.reading_files import FileReader
    from parsers import compile_codebook, load_pack

    try:
        codebook = compile_codebook(load_pack(pack))
    except FileNotFoundError as error:
        raise UsageError(f"There is no pack {pack!r}.") from error
    return FileReader(codebook, read_contact_file(contacts, codebook.places) if contacts else ())


def _read_file(reader: "FileReader", source: Path, target: Path | None) -> int:
    from gateway.reading_files import read_lines

    broken = 0
    with _input(source) as lines, _output(target) as out:
        for number, (document, sound) in enumerate(progress(read_lines(lines, reader), "Reading"), start=1):
            out.write(json.dumps(document) + "\n")
            if not sound:
                broken += 1
                say(f"line {number}: not a text in the expected form; answered with reject/unknown.")
    return FAILED if broken else 0


@contextlib.contextmanager
def _input(path: Path) -> Iterator[TextIO]:
    if str(path) == "-":
        yield sys.stdin
        return
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            yield stream
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise UsageError(f"{path}: {error.strerror}.") from error


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None or str(path) == "-":
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8") as stream:
        yield stream


def _read_one(reader: "FileReader", text: str, sender: str, at: str | None, *, explain: bool) -> None:
    from gateway.clock import system_clock

    heard = parse_time(at) if at else system_clock()
    document: dict[str, Any] = {"id": "text", "from": sender, "received_at": heard.isoformat(), "text": text}
    if explain:
        from gateway.cli.explaining import show

        show(reader.decide(document))
        return
    prediction, _ = reader.read_line(json.dumps(document))
    del prediction["id"]
    typer.echo(json.dumps(prediction, ensure_ascii=False, indent=2))


def reread(
    since: Annotated[str, typer.Option(metavar="DATE", help="Texts heard from this local day on.")],
    apply: Annotated[bool, typer.Option("--apply", help="Write the differences as events.")] = False,
) -> None:
    """Read stored texts with the present words and show what would change; --apply writes it as events."""
    from gateway.rereading import Rereading

    start = parse_time(since)
    with opened_house() as house:
        job = Rereading(house, start)
        changed = 0
        for change in progress(job.changes(), "Rereading"):
            changed += 1
            typer.echo(json.dumps(change.shown(), ensure_ascii=False))
            if apply:
                job.apply(change)
        job.finish(changed, applied=apply)
    say(f"{changed} reports {'changed' if apply else 'would change; --apply writes it'}.")
