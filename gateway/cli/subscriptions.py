"""`vocero subscription`: who gets which digest when."""

from typing import Annotated

import typer

from gateway.cli.support import mask, opened_house, print_table, say, write

app = typer.Typer(no_args_is_help=True, help="Subscriptions: who gets which digest when.", rich_markup_mode=None)


@app.command()
def add(
    who: Annotated[str, typer.Argument(metavar="PHONE|EMAIL", help="A phone or e-mail address of the contact.")],
    by: Annotated[str, typer.Option(help="email or sms.")],
    at: Annotated[str, typer.Option(help="Local hours, like 06:00,18:00.")],
    places: Annotated[str, typer.Option(help="Codes like 14,0705; without it the contact's own places.")] = "",
    zone: Annotated[str, typer.Option(help="Time zone of the hours.")] = "America/Guatemala",
) -> None:
    """Send a contact a digest at set hours. Prints the subscription's id."""
    from gateway import subscriptions
    from gateway.contacts import parse_address, people, require

    address = parse_address(who)
    with opened_house() as house:
        wish = subscriptions.make_wish(by, at, places, house.read_now(house.codebook).places, zone)
        key = house.read_now(lambda conn: require(conn, address, house.sealer))
        (person,) = house.read_now(lambda conn: people(conn, house.sealer, only=[key]))
        made = write(house, lambda conn: subscriptions.add(conn, key, wish, now=house.clock(), actor="cli"))
    if not subscriptions.addresses(person, by):
        say(f"Take care: the contact has no {'e-mail address' if by == 'email' else 'phone'} yet; nothing can be sent.")
    typer.echo(made)


@app.command("list")
def list_() -> None:
    """List subscriptions."""
    from gateway import subscriptions
    from gateway.contacts import people

    with opened_house() as house:
        rows = house.read_now(subscriptions.standing)
        only = {row.contact_id for row in rows}
        who = {person.id: person for person in house.read_now(lambda conn: people(conn, house.sealer, only=only))}
    print_table(
        ("ID", "NAME", "BY", "TO", "HOURS", "PLACES", "ZONE", "STATE"),
        (
            (
                row.id, who[row.contact_id].name, row.by,
                " ".join(map(mask, subscriptions.addresses(who[row.contact_id], row.by))) or "-", ",".join(row.hours),
                ",".join(row.places or who[row.contact_id].places) or "all", row.zone,
                "active" if row.active else f"paused ({row.pause_reason})" if row.pause_reason else "paused",
            )
            for row in rows
        ),
    )  # fmt: skip


Key = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the last digits of it.")]


@app.command()
def remove(key: Key) -> None:
    """Take a subscription away."""
    from gateway import subscriptions

    with opened_house() as house:
        found = house.read_now(lambda conn: subscriptions.find(subscriptions.standing(conn), key))
        write(house, lambda conn: subscriptions.remove(conn, found, now=house.clock(), actor="cli"))
    say("Removed.")


def _set_active(key: str, active: bool) -> None:
    from gateway import subscriptions

    with opened_house() as house:
        found = house.read_now(lambda conn: subscriptions.find(subscriptions.standing(conn), key))
        write(house, lambda conn: subscriptions.set_active(conn, found, active, now=house.clock(), actor="cli"))
    say("Active." if active else "Paused.")


@app.command()
def pause(key: Key) -> None:
    """Send nothing for a while; the first digest afterwards covers all of it."""
    _set_active(key, False)


@app.command()
def resume(key: Key) -> None:
    """Send digests again."""
    _set_active(key, True)
