"""`vocero route`: which channel stands in for which."""

from typing import Annotated

import typer

from gateway.cli.support import opened_house, print_table, say, write
from gateway.errors import UsageError

app = typer.Typer(
    no_args_is_help=True, help="Routes: which channel messages go by, and which stands in.", rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The route's name.")]


@app.command()
def add(
    name: Name,
    channels: Annotated[list[str], typer.Argument(metavar="CHANNEL...", help="In the order in which they are tried.")],
    prefix: Annotated[
        list[str], typer.Option(help="Only addresses that begin so (+5024) or end so (@example.org); repeatable.")
    ] = [],  # noqa: B006
) -> None:
    """Add a route; the first that fits an address is obeyed."""
    from gateway.route_rules import add as add_rule

    with opened_house() as house:
        write(house, lambda conn: add_rule(conn, name, channels, prefix, at=house.clock(), actor="cli"))
    say(f"Added. Messages go by {', then '.join(channels)}.")


@app.command("list")
def list_() -> None:
    """Show the routes in the order in which they are asked."""
    from gateway.routes import rules

    with opened_house() as house:
        found = house.read_now(rules)
    rows = ((rule.name, rule.scheme, " ".join(rule.prefixes) or "all", " > ".join(rule.channels)) for rule in found)
    print_table(("NAME", "FOR", "PREFIXES", "CHANNELS"), rows)


@app.command()
def first(name: Name) -> None:
    """Ask this route before all others."""
    from gateway.route_rules import put_first

    with opened_house() as house:
        write(house, lambda conn: put_first(conn, name, at=house.clock(), actor="cli"))
    say(f"{name} is asked first now.")


@app.command()
def remove(name: Name) -> None:
    """Take a route away; what it moved already stays where it is."""
    from gateway.route_rules import remove as remove_rule

    with opened_house() as house:
        write(house, lambda conn: remove_rule(conn, name, at=house.clock(), actor="cli"))
    say("Removed.")


@app.command()
def explain(address: Annotated[str, typer.Argument(metavar="ADDRESS", help="A phone or an e-mail address.")]) -> None:
    """Show by which channels a message to this address would go, and why not by others."""
    from gateway.route_rules import explain as explain_route
    from outbox.address import Address

    try:
        found = Address.of_mail(address) if "@" in address else Address.of_phone(address)
    except ValueError as error:
        raise UsageError("That is neither a phone nor an e-mail address.") from error
    with opened_house() as house:
        rule, stops = house.read_now(lambda conn: explain_route(conn, str(found)))
    say(f"Route: {rule}" if rule else "No route is for this address: channels are asked by kind, and none stands in.")
    print_table(("CHANNEL", "NOW"), ((stop.channel, stop.why) for stop in stops))
