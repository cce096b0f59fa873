"""`vocero contact`: people."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.support import mask, opened_house, print_table, say, write
from gateway.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="People: monitors, coordinators, admins.", rich_markup_mode=None)

Who = Annotated[str, typer.Argument(metavar="PHONE|EMAIL", help="A phone or e-mail address of the contact.")]


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV in UTF-8, see docs/commands.md.")],
) -> None:
    """Take people from a table: all rows or none. A known phone or e-mail brings that contact up to date."""
    from gateway.contact_file import read_contact_file
    from gateway.contacts import import_contacts

    with opened_house() as house:
        rows = read_contact_file(file, house.read_now(house.codebook).places)
        done = write(
            house, lambda conn: import_contacts(conn, rows, sealer=house.sealer, now=house.clock(), actor="cli")
        )
    say(f"{done.added} added, {done.updated} brought up to date.")


@app.command()
def add(
    name: Annotated[str, typer.Option(help="The person's name.")],
    phone: Annotated[str, typer.Option(help="Phone, like +50255550101.")] = "",
    email: Annotated[str, typer.Option(help="E-mail address.")] = "",
    role: Annotated[str, typer.Option(help="monitor, coordinator or admin.")] = "monitor",
    place: Annotated[str, typer.Option(help="Home municipality, a code of 4 digits.")] = "",
    village: Annotated[str, typer.Option(help="Home village.")] = "",
    lang: Annotated[str, typer.Option(help="Language code: es, en, quc, ixl ...")] = "es",
    places: Annotated[str, typer.Option(help="Places a coordinator answers for: codes joined by |.")] = "",
) -> None:
    """Add one person."""
    from gateway.contact_file import BadContacts, parse_row
    from gateway.contacts import import_contacts

    cells: dict[str | None, object] = {
        "phone": phone, "email": email, "name": name, "role": role, "place": place, "village": village, "lang": lang,
        "places": places.replace(",", "|"),
    }  # fmt: skip
    with opened_house() as house:
        row, problems = parse_row(1, cells, house.read_now(house.codebook).places)
        if row is None:
            raise BadContacts([(1, what) for what in problems])
        done = write(
            house, lambda conn: import_contacts(conn, [row], sealer=house.sealer, now=house.clock(), actor="cli")
        )
    say("Added." if done.added else "There was such a contact; it is up to date now.")


@app.command("list")
def list_(
    show: Annotated[bool, typer.Option("--show", help="Show whole numbers and addresses.")] = False,
) -> None:
    """List people. Numbers and addresses are masked unless --show is given."""
    from gateway.contacts import people

    with opened_house() as house:
        found = house.read_now(lambda conn: people(conn, house.sealer))
    print_table(
        ("NAME", "ROLE", "STATUS", "HOME", "PLACES", "LANG", "REACHED BY"),
        (
            (
                person.name, person.role, person.status, person.home_place, "|".join(person.places), person.language,
                " ".join(address.partition(":")[2] if show else mask(address) for address in person.addresses),
            )
            for person in found
        ),
    )  # fmt: skip


def _set(who: str, status: str) -> None:
    from gateway.contacts import parse_address, require, set_status

    address = parse_address(who)
    with opened_house() as house:
        key = house.read_now(lambda conn: require(conn, address, house.sealer))
        write(house, lambda conn: set_status(conn, key, status, now=house.clock(), actor="cli"))
    say(f"The contact is {status} now.")


@app.command()
def approve(who: Who) -> None:
    """Let a registered person in: texts count since the day of asking."""
    from gateway.contacts import parse_address, require
    from gateway.registration import approve as let_in

    address = parse_address(who)
    with opened_house() as house:
        key = house.read_now(lambda conn: require(conn, address, house.sealer))
        codebook, now = house.read_now(house.codebook), house.clock()
        write(house, lambda conn: let_in(conn, key, codebook=codebook, sealer=house.sealer, now=now, actor="cli"))
    say("The contact is active now.")


@app.command()
def suspend(who: Who) -> None:
    """Stop a number or address at once: its texts are kept but treated as a stranger's."""
    _set(who, "suspended")


@app.command()
def left(who: Who) -> None:
    """Note that a person has left."""
    _set(who, "left")


@app.command()
def pin(
    who: Who,
    number: Annotated[str, typer.Option(metavar="DIGITS", help="4 to 8 digits; without it one is drawn by lot.")] = "",
    remove: Annotated[bool, typer.Option("--remove", help="Take the number away.")] = False,
) -> None:
    """Give a personal number: a text that begins with ID and the number counts for this person, from any phone."""
    from gateway.contacts import parse_address, require
    from gateway.pins import give_pin, take_pin

    address = parse_address(who)
    with opened_house() as house:
        key, at = house.read_now(lambda conn: require(conn, address, house.sealer)), house.clock()
        if remove:
            write(house, lambda conn: take_pin(conn, key, at=at, actor="cli"))
            say("The contact has no personal number now.")
            return
        given = write(house, lambda conn: give_pin(conn, key, number or None, sealer=house.sealer, at=at, actor="cli"))
    say(f"Personal number: {given}. It is shown only now.")


@app.command()
def answers(
    who: Who, by: Annotated[str, typer.Argument(metavar="sms|email|same", help="`same`: where the text came in.")]
) -> None:
    """By which way a person wants answers."""
    from gateway.answer_by import set_answer_by
    from gateway.contacts import parse_address, require

    kinds = {"sms": "tel", "email": "mailto", "same": None}
    if by not in kinds:
        raise UsageError("Give sms, email or same.")
    address = parse_address(who)
    with opened_house() as house:
        key = house.read_now(lambda conn: require(conn, address, house.sealer))
        write(house, lambda conn: set_answer_by(conn, key, kinds[by], at=house.clock(), actor="cli"))
    say("Noted.")


@app.command()
def rhythm(
    who: Who, days: Annotated[str, typer.Argument(metavar="DAYS", help="0 for never, `usual` for the usual rhythm.")]
) -> None:
    """Within how many days a sign of life is expected of a person."""
    from gateway.contact_edit import is_rhythm, set_rhythm
    from gateway.contacts import parse_address, require

    if days != "usual" and not is_rhythm(days):
        raise UsageError("Give a number of days up to 365, 0 for never, or `usual`.")
    address = parse_address(who)
    number = None if days == "usual" else int(days)
    with opened_house() as house:
        key = house.read_now(lambda conn: require(conn, address, house.sealer))
        write(house, lambda conn: set_rhythm(conn, key, number, at=house.clock(), actor="cli"))
    say("Noted.")
