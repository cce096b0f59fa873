"""`vocero digest`: what coordinators are told about a period."""

from typing import Annotated

import typer

from gateway.cli.support import iso, opened_house, parse_time, print_json, say, write

app = typer.Typer(
    no_args_is_help=True, help="Digests: what coordinators are told about a period.", rich_markup_mode=None
)


@app.callback()
def _group() -> None:
    """Keep `digest` a group, however few commands it has."""


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
