"""`vocero same-event`: reports that may tell of one event."""

from typing import Annotated, Any

import typer

from gateway.cli.support import iso, opened_house, print_table, say, write
from gateway.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="Reports that may tell of one event.", rich_markup_mode=None)

Key = Annotated[str, typer.Argument(metavar="ID", help="The end of a proposal's id, as `list` shows it.")]
SHOWN = 6


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Settled ones too.")] = False,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Show what was proposed, the newest first."""
    from sqlalchemy import select

    from gateway.reports import REPORT
    from gateway.same_event import LINK

    later, earlier = REPORT.alias(), REPORT.alias()
    query = (
        select(LINK, later.c.ref, earlier.c.ref.label("earlier"), later.c.place, later.c.category)
        .join(later, later.c.id == LINK.c.report_id)
        .join(earlier, earlier.c.id == LINK.c.other_id)
        .order_by(LINK.c.proposed_at.desc(), LINK.c.id.desc())
    )
    query = query if every else query.where(LINK.c.state == "proposed")
    with opened_house() as house:
        rows = house.read_now(lambda conn: list(conn.execute(query.limit(last))))
    print_table(
        ("ID", "KIND", "STATE", "LATER", "EARLIER", "CATEGORY", "PLACE", "PROPOSED"),
        (
            (r.id.hex[-SHOWN:], r.kind, r.state, f"R{r.ref}", f"R{r.earlier}", r.category, r.place, iso(r.proposed_at))
            for r in rows
        ),
    )


@app.command()
def confirm(key: Key) -> None:
    """Say that both tell of one event: two sources corroborate each other."""
    _settle(key, "confirmed")


@app.command()
def refuse(key: Key) -> None:
    """Say that they tell of two events; the pair is not proposed again."""
    _settle(key, "refused")


def _settle(key: str, state: str) -> None:
    from gateway.settling import settle

    with opened_house() as house:
        found = house.read_now(lambda conn: _find(conn, key))
        write(house, lambda conn: settle(conn, found, state, sealer=house.sealer, at=house.clock(), actor="cli"))
    say(f"The proposal is {state} now.")


def _find(connection: Any, key: str) -> Any:
    """The one proposal whose id ends so; raises NotFound."""
    from sqlalchemy import select

    from gateway.same_event import LINK

    newest = select(LINK.c.id).order_by(LINK.c.proposed_at.desc())
    found = [one for one in connection.scalars(newest) if len(key) >= SHOWN and one.hex.endswith(key.lower())]
    if len(found) != 1:
        raise NotFound("There is no such proposal; `vocero same-event list` shows them.")
    return found[0]
