"""`vocero audit`: who did what."""

import json
from typing import Annotated

import typer

from gateway.cli.support import iso, opened_house, print_table, say
from gateway.errors import VoceroError

app = typer.Typer(no_args_is_help=True, help="Audit log: who did what.", rich_markup_mode=None)


@app.command()
def verify() -> None:
    """Check that no entry was changed or taken out. Exit code 1 when one was."""
    from gateway import audit

    with opened_house() as house:
        broken = house.read_now(audit.first_broken)
    if broken is not None:
        raise VoceroError(f"Entry {broken} was changed, or one before it is gone.")
    say("The chain holds.")


@app.command("list")
def list_(last: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest entries.")] = 50) -> None:
    """Show the newest entries, oldest of them first."""
    from sqlalchemy import select

    from gateway.audit import AUDIT

    with opened_house() as house:
        newest = select(AUDIT).order_by(AUDIT.c.number.desc()).limit(last)
        rows = house.read_now(lambda conn: list(conn.execute(newest)))[::-1]
    print_table(
        ("NUMBER", "AT", "ACTOR", "ACTION", "TARGET", "DATA"),
        ((r.number, iso(r.at), r.actor, r.action, r.target, json.dumps(r.data, ensure_ascii=False)) for r in rows),
    )
