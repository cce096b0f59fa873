"""`vocero alert`: what is open, and all that happened to one. `vocero alert-rule`: by which reports alerts are made."""

from typing import Annotated, Any

import typer

from gateway.cli.support import iso, opened_house, print_table, say, write
from gateway.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="Alerts: who was told, who has seen them.", rich_markup_mode=None)
rules = typer.Typer(no_args_is_help=True, help="Rules: by which reports alerts are made.", rich_markup_mode=None)


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Handled and closed ones too.")] = False,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
) -> None:
    """Show alerts that nobody has handled yet, the newest first."""
    from sqlalchemy import select

    from gateway.alerts import ALERT
    from gateway.reports import REPORT

    columns = (REPORT.c.ref, REPORT.c.category, REPORT.c.place, ALERT)
    query = select(*columns).join(ALERT, ALERT.c.report_id == REPORT.c.id).order_by(ALERT.c.opened_at.desc())
    query = query if every else query.where(ALERT.c.state.in_(("open", "seen")))
    with opened_house() as house:
        rows = house.read_now(lambda conn: list(conn.execute(query.limit(last))))
    print_table(
        ("NUMBER", "STATE", "CATEGORY", "PLACE", "OPENED", "SEEN", "STEP", "REPORTS"),
        (
            (r.ref and f"R{r.ref}", r.state, r.category, r.place, iso(r.opened_at), iso(r.seen_at), r.step, r.reports)
            for r in rows
        ),
    )


@app.command()
def show(ref: Annotated[str, typer.Argument(metavar="NUMBER", help="The report's number, like 3205.")]) -> None:
    """Show all that happened to a report and its alert, in one line of time."""
    from sqlalchemy import select

    from gateway.alerts.timeline import story
    from gateway.reports import REPORT

    digits = ref.lstrip("Rr")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else -1

    def load(connection: Any) -> tuple[list[Any], dict[str, str]]:
        mine = (REPORT.c.node_id == house.node_id, REPORT.c.ref == number)
        report = connection.execute(select(REPORT).where(*mine)).first()
        if report is None:
            raise NotFound(f"There is no report with the number {ref[:10]}.")
        moments = story(connection, report, house.sealer)
        return moments, _names(connection, house, {one.who for one in moments})

    with opened_house() as house:
        moments, names = house.read_now(load)
    print_table(
        ("AT", "WHAT", "WHO", "DETAIL"),
        ((iso(one.at), _what(one), names.get(one.who, one.who), _detail(one)) for one in moments),
    )


def _names(connection: Any, house: Any, actors: set[str]) -> dict[str, str]:
    """First names of coordinators and admins; a monitor stays one without a name."""
    from uuid import UUID

    from gateway.contacts import people

    ids = [UUID(actor[8:]) for actor in actors if actor.startswith("contact:")]
    found = people(connection, house.sealer, only=ids)
    return {f"contact:{one.id}": "monitor" if one.role == "monitor" else one.name for one in found}


def _what(moment: Any) -> str:
    if moment.event is not None:
        return f"report {moment.event.type}"
    return f"escalated {moment.step}" if moment.what == "escalated" else str(moment.what)


def _detail(moment: Any) -> str:
    """Codes and counts, states of messages: never a text."""
    if moment.event is not None:
        old = moment.event.data.get("old", {})
        return ", ".join(
            f"{name} {old[name]} -> {moment.event.data[name]}" if old.get(name) else f"{name} {moment.event.data[name]}"
            for name in ("category", "place", "date", "verification")
            if moment.event.data.get(name)
        )
    parts = (("sms", moment.sms), ("mail", moment.mail), ("by", moment.way), ("report", moment.ref))
    return ", ".join(f"{word} {value}" for word, value in parts if value)


@rules.command("list")
def list_rules() -> None:
    """Show the rules; a report becomes an alert when everything one of them asks for holds."""
    from gateway.alerts import rulebook

    with opened_house() as house:
        rows = house.read_now(rulebook.standing)
    print_table(
        ("ID", "NAME", "URGENT", "CATEGORIES", "PLACES", "WORDS", "REPORTS", "STATE"),
        (
            (
                r.id, r.name, "yes" if r.urgent else "", ",".join(r.categories), ",".join(r.places), ",".join(r.words),
                f"{r.reports} in {r.days} days" if r.reports else "", "active" if r.active else "paused",
            )
            for r in rows
        ),
    )  # fmt: skip


@rules.command()
def add(
    name: Annotated[str, typer.Argument(help="What the rule is called.")],
    urgent: Annotated[bool, typer.Option("--urgent", help="Only reports marked urgent.")] = False,
    categories: Annotated[str, typer.Option(help="Codes like LIN,BAL.")] = "",
    places: Annotated[str, typer.Option(help="Codes like 14,0705.")] = "",
    words: Annotated[str, typer.Option(help="Literal words or phrases of the text, with commas between them.")] = "",
    reports: Annotated[str, typer.Option(help="So many reports of one municipality; with --days.")] = "",
    days: Annotated[str, typer.Option(help="Within so many days.")] = "",
) -> None:
    """Make alerts of more reports. Prints the rule's id; a running gateway obeys at the next text."""
    from gateway.alerts import rulebook

    with opened_house() as house:
        wish = rulebook.make_wish(
            house.read_now(house.codebook), name, urgent=urgent, categories=categories, places=places, words=words,
            reports=reports, days=days,
        )  # fmt: skip
        key = write(house, lambda conn: rulebook.add(conn, wish, now=house.clock(), actor="cli"))
    typer.echo(key)


Key = Annotated[str, typer.Argument(metavar="ID|NAME", help="Its id, the last digits of it, or its name.")]


def _set_active(key: str, active: bool) -> None:
    from gateway.alerts import rulebook

    with opened_house() as house:
        found = house.read_now(lambda conn: rulebook.find(rulebook.standing(conn), key))
        write(house, lambda conn: rulebook.set_active(conn, found, active, now=house.clock(), actor="cli"))
    say("Active." if active else "Paused.")


@rules.command()
def pause(key: Key) -> None:
    """Make no alerts by a rule for a while."""
    _set_active(key, False)


@rules.command()
def resume(key: Key) -> None:
    """Make alerts by it again."""
    _set_active(key, True)


@rules.command()
def remove(key: Key) -> None:
    """Take a rule away; the alerts it made stay."""
    from gateway.alerts import rulebook

    with opened_house() as house:
        found = house.read_now(lambda conn: rulebook.find(rulebook.standing(conn), key))
        write(house, lambda conn: rulebook.remove(conn, found, now=house.clock(), actor="cli"))
    say("Removed.")
