"""`vocero digest`: what coordinators are told about a period."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.support import iso, opened_house, opened_output, parse_time, print_json, say, write

app = typer.Typer(
    no_args_is_help=True, help="Digests: what coordinators are told about a period.", rich_markup_mode=None
)


@app.command()
def run(
    at: Annotated[str, typer.Option(metavar="ISO-TIME", help="Make what was due by then; default now.")] = "",
) -> None:
    """Make each digest whose period has ended and is not made. Prints one JSON line a run; sends nothing itself."""
    from gateway import audit
    from gateway.digests import run_due
    from gateway.doctor import count_unreachable

    with opened_house() as house:
        now = parse_time(at) if at else house.clock()
        made = run_due(house, now)
        data = {"runs": len(made)}
        lost, _ = house.read_now(lambda conn: count_unreachable(conn, house))
        write(
            house,
            lambda conn: audit.record(
                conn, at=house.clock(), actor="cli", action="digest.run", target=iso(now), data=data
            ),
        )
    for run in made:
        print_json(
            {
                "subscription": run.subscription, "contact": run.contact, "from": run.period_from,
                "to": run.period_to, "refs": run.refs, "outbox": run.outbox,
            }
        )  # fmt: skip
    if lost:
        say(f"Subscriptions that wait for an address or a channel: {lost}; see `vocero doctor`.")


@app.command()
def preview(
    key: Annotated[str, typer.Argument(metavar="ID", help="A subscription's id, or the last digits of it.")],
    at: Annotated[str, typer.Option(metavar="ISO-TIME", help="As if its period ended then; default now.")] = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the mail's HTML to a new file.")] = None,
    sms: Annotated[bool, typer.Option("--sms", help="Show the SMS instead of the mail.")] = False,
) -> None:
    """Show what a subscription would be told. Nothing is sent, and nothing counts as told."""
    from gateway import audit, subscriptions
    from gateway.digests.prepare import tools_of
    from gateway.digests.preview import preview as made

    with opened_house() as house:
        now = parse_time(at) if at else house.clock()
        found = house.read_now(lambda conn: subscriptions.find(subscriptions.standing(conn), key))
        shown = house.read_now(lambda conn: made(conn, found, now, tools_of(house, conn)))
        write(
            house,
            lambda conn: audit.record(
                conn, at=house.clock(), actor="cli", action="digest.preview", target=str(found), data={}
            ),
        )
    if html is not None:
        with opened_output(html) as out:
            out.write(shown.mail.html or "")
    if sms:
        typer.echo(shown.sms.text)
    else:
        typer.echo(f"{shown.mail.subject}\n\n{shown.mail.text}")
