"""`vocero say`: a text typed at the terminal."""

from typing import Annotated

import typer

from gateway.cli.support import opened_house
from gateway.errors import UsageError


def say(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the person says, as one would text it.")],
    sender: Annotated[str, typer.Option("--from", metavar="PHONE|EMAIL", help="Who says it.")],
    channel: Annotated[str, typer.Option(help="A channel of kind console.")] = "terminal",
) -> None:
    """Keep a text for somebody who has it on paper or on another phone; the answer is printed."""
    import asyncio

    from gateway.contacts import parse_address
    from gateway.intake import Intake
    from gateway.typed import keep_typed

    address = parse_address(sender)
    if not text.strip():
        raise UsageError("Say what the person says.")
    with opened_house() as house:
        intake = Intake(house)
        house.writer.first = intake
        answers = asyncio.run(keep_typed(house, intake, channel, address, text))
        house.writer.first = None
    for answer in answers or ["Kept; no answer goes to it."]:
        typer.echo(answer)
