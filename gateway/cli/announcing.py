"""`vocero announce`: one text to a person, a place or all."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.support import opened_house, say, write
from gateway.errors import UsageError

if TYPE_CHECKING:
    from gateway.announcing import Target
    from gateway.house import House


def announce(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The text, at most one SMS.")],
    to: Annotated[str, typer.Option(metavar="PHONE|EMAIL", help="To one person.")] = "",
    place: Annotated[str, typer.Option(metavar="CODE", help="To everybody in a department or municipality.")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="To everybody.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before sending.")] = False,
) -> None:
    """Send one text to many. Who gets it and what it costs is shown first; a running gateway sends it by day."""
    from uuid_utils.compat import uuid7

    from gateway.announcing import announce as keep
    from gateway.announcing import preview

    if sum((bool(to), bool(place), everybody)) != 1:
        raise UsageError("Say to whom: one of --to, --place and --all.")
    with opened_house() as house:
        target = _target(house, to, place)
        shown = house.read_now(lambda conn: preview(conn, house, text, target))
        say(shown.text)
        cost = f", {shown.cost} in all" if shown.cost else ""
        say(f"{len(shown.recipients)} people, {shown.segments} segments of SMS{cost}; {shown.skipped} passed over.")
        say(f"The first goes at {shown.first_at:%Y-%m-%d %H:%M} UTC.")
        if not shown.recipients:
            raise UsageError("There is nobody who may be written to.")
        if not yes:
            typer.confirm("Send it?", abort=True)
        write(house, lambda conn: keep(conn, house, uuid7(), shown, target, "cli"))
    say("Kept. The running gateway sends it.")


def _target(house: "House", to: str, place: str) -> "Target":
    from gateway.announcing import Target
    from gateway.contacts import parse_address, require

    if not to:
        return Target("place", place) if place else Target("all")
    address = parse_address(to)
    return Target("contact", str(house.read_now(lambda conn: require(conn, address, house.sealer))))
