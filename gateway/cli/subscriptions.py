"""`vocero subscription`: who gets which digest when."""

from typing import Annotated

import typer

from gateway.cli.support import mask, opened_house, print_table, say, write

app = typer.Typer(no_args_is_help=True, help="Subscriptions: who gets which digest when.", rich_markup_mode=None)


By = Annotated[str, typer.Option(help="email, sms or both.")]
At = Annotated[str, typer.Option(help="Local hours, like 06:00,18:00; none for the office's hour.")]
Places = Annotated[str, typer.Option(help="Codes like 14,0705; without it the contact's own places.")]
Zone = Annotated[str, typer.Option(help="Time zone of the hours.")]
Every = Annotated[str, typer.Option(help="day, weekdays, week or month.")]
Day = Annotated[str, typer.Option(help="monday to sunday for every week, 1 to 31 for every month.")]
Forms = Annotated[str, typer.Option(help="Only these forms, like incident,urgent.")]
Categories = Annotated[str, typer.Option(help="Only these categories, like ROB,LIN.")]
Language = Annotated[str, typer.Option(help="es or en; without it the contact's own.")]
WhenEmpty = Annotated[str, typer.Option(help="send or silent: what to do when nothing happened.")]
Detail = Annotated[str, typer.Option(help="full or brief.")]
CatchUp = Annotated[str, typer.Option(help="one or each: after a time off, one digest of all or one a period.")]
Attach = Annotated[str, typer.Option(help="none, csv or xlsx: a table that goes with the mail.")]


@app.command()
def add(
    who: Annotated[str, typer.Argument(metavar="PHONE|EMAIL", help="A phone or e-mail address of the contact.")],
    by: By, at: At = "", places: Places = "", zone: Zone = "America/Guatemala", every: Every = "day", day: Day = "",
    forms: Forms = "", categories: Categories = "", language: Language = "", when_empty: WhenEmpty = "send",
    detail: Detail = "full", catch_up: CatchUp = "one", attach: Attach = "none",
) -> None:  # fmt: skip
    """Send a contact a digest at set hours. Prints the subscription's id."""
    from gateway import subscriptions
    from gateway.contacts import parse_address, people, require

    address = parse_address(who)
    with opened_house() as house:
        codebook = house.read_now(house.codebook)
        wish = subscriptions.make_wish(
            by, at, places, codebook.places, zone, codebook=codebook, every=every, day=day, forms=forms,
            categories=categories, language=language, when_empty=when_empty, detail=detail, catch_up=catch_up,
            attach=attach,
        )  # fmt: skip
        key = house.read_now(lambda conn: require(conn, address, house.sealer))
        (person,) = house.read_now(lambda conn: people(conn, house.sealer, only=[key]))
        made = write(house, lambda conn: subscriptions.add(conn, key, wish, now=house.clock(), actor="cli"))
    if not subscriptions.addresses(person, by):
        say(f"Take care: the contact has no {'phone' if by == 'sms' else 'e-mail address'} yet; nothing can be sent.")
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
        ("ID", "NAME", "BY", "TO", "EVERY", "HOURS", "PLACES", "ZONE", "STATE"),
        (
            (
                row.id, who[row.contact_id].name, row.by,
                " ".join(map(mask, subscriptions.addresses(who[row.contact_id], row.by))) or "-", row.every,
                ",".join(row.hours) or "-",
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
