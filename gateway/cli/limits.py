"""`vocero limit`: numbers and hours that may be changed while the gateway runs."""

from typing import Annotated

import typer

from gateway.cli.support import opened_house, print_table, say, write

app = typer.Typer(
    no_args_is_help=True, help="Numbers and hours that are obeyed while the gateway runs.", rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `list` shows.")]


@app.command("list")
def list_() -> None:
    """Show every limit, its value and what it is for."""
    from gateway.limits import LIMITS, load

    with opened_house() as house:
        found = house.read_now(load)
    rows = ((name, found.value(name), limit.default, limit.help) for name, limit in LIMITS.items())
    print_table(("NAME", "VALUE", "DEFAULT", "WHAT"), rows)


@app.command("set")
def set_(name: Name, value: Annotated[str, typer.Argument(metavar="VALUE", help="Its new value.")]) -> None:
    """Give a limit another value; a running gateway obeys at once."""
    from gateway.limits import change

    with opened_house() as house:
        kept = write(house, lambda conn: change(conn, name, value, at=house.clock(), actor="cli"))
    say(f"{name} is {kept} now.")


@app.command()
def reset(name: Name) -> None:
    """Give a limit its default again."""
    from gateway.limits import reset as reset_limit

    with opened_house() as house:
        kept = write(house, lambda conn: reset_limit(conn, name, at=house.clock(), actor="cli"))
    say(f"{name} is {kept} again.")
