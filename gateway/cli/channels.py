"""`vocero channel`: pipes to the world."""

from textwrap import indent
from typing import Annotated

import typer

from gateway.cli.support import mask, opened_house, print_table, say, write
from gateway.errors import NotFound, UsageError

app = typer.Typer(no_args_is_help=True, help="Channels: how texts come in and go out.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The channel's name.")]
More = Annotated[list[str], typer.Argument(metavar="[KEY=VALUE]...", help="More settings after the first --set.")]
Values = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="A setting; may be given several times.")]


def _pairs(values: list[str]) -> dict[str, str]:
    pairs = {}
    for value in values:
        key, equals, rest = value.partition("=")
        if not equals or not key:
            raise UsageError("Settings are given as --set key=value.")
        pairs[key] = rest
    return pairs


@app.command()
def add(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="twilio, smtp, http or simulator.")],
    name: Name,
    more: More = [],  # noqa: B006
    values: Values = [],  # noqa: B006
    rate: Annotated[float | None, typer.Option(help="At most so many messages a second go out.", min=0.01)] = None,
) -> None:
    """Add a channel. `vocero channel kinds` lists the settings of each kind."""
    from gateway.channels import registry

    pairs = _pairs([*values, *more])
    with opened_house() as house:
        write(
            house,
            lambda conn: registry.add(
                conn, house.sealer, kind=kind, name=name, values=pairs, at=house.clock(), actor="cli", rate=rate
            ),
        )
        base = house.settings.base_url
    say(f"Added. Webhooks of {name} come to {base}/in/{name}, its receipts to {base}/in/{name}/status.")


@app.command()
def budget(
    name: Name,
    price: Annotated[float | None, typer.Option(help="What one segment costs.", min=0)] = None,
    currency: Annotated[str, typer.Option(help="Of the price: GTQ, USD, EUR ...")] = "GTQ",
    segments: Annotated[int | None, typer.Option(help="At most so many segments a day.", min=0)] = None,
    cost: Annotated[float | None, typer.Option(help="At most so much money a day.", min=0)] = None,
) -> None:
    """What a channel costs and may cost on a day; what is not given is unlimited. At the limit only alerts go out."""
    from gateway.budgets import Budget, set_budget

    made = Budget(price, currency.upper(), segments, cost)
    with opened_house() as house:
        write(house, lambda conn: set_budget(conn, name, made, at=house.clock(), actor="cli"))
    say("Kept.")


@app.command("set")
def set_(name: Name, values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="Settings.")]) -> None:
    """Change settings of a channel; those not named stay, an empty value takes one away."""
    from gateway.channels import registry

    pairs = _pairs(values)
    with opened_house() as house:
        write(
            house,
            lambda conn: registry.change(conn, house.sealer, name=name, values=pairs, at=house.clock(), actor="cli"),
        )
    say(f"{name} is changed.")


@app.command()
def rate(
    name: Name,
    number: Annotated[
        float | None, typer.Argument(metavar="[NUMBER]", help="Messages a second; without it there is no limit.")
    ] = None,
) -> None:
    """At most so many messages a second go out."""
    from gateway.channels import registry

    with opened_house() as house:
        write(house, lambda conn: registry.set_rate(conn, name=name, rate=number, at=house.clock(), actor="cli"))
    say(f"{name} sends at most {number} a second." if number else f"{name} has no limit.")


@app.command()
def show(name: Name) -> None:
    """How a channel is: state, queue, signal, what was spent today, outages, and what to paste at the other end."""
    from gateway.channel_state import look, pasted, read_signs_soon
    from gateway.channel_words import lines

    with opened_house() as house:
        found = house.read_now(lambda conn: look(conn, house, only=name))
        if not found:
            raise NotFound(f"There is no channel {name}.")
        one, base = found[0], house.settings.base_url
        zone = house.read_now(house.codebook).zone
        told = lines(one, read_signs_soon(one.config), pasted(one.config, base), zone, house.clock())
        for word, text in told:
            typer.echo(f"{word}:\n{indent(text, '  ')}" if "\n" in text else f"{word}: {text}")
    say(f"To try it: vocero channel test {name} PHONE")


@app.command()
def test(
    name: Name, address: Annotated[str, typer.Argument(metavar="ADDRESS", help="A phone or an e-mail address.")]
) -> None:
    """Send a test by this channel and no other; the page Outbox shows what becomes of it."""
    from gateway.trying_channels import send_test

    with opened_house() as house:
        write(house, lambda conn: send_test(conn, house, name, address, actor="cli"))
    say("Queued.")


@app.command("list")
def list_() -> None:
    """List the channels, their state and open settings; secrets are not shown."""
    from gateway.channels import registry

    with opened_house() as house:
        found = house.read_now(lambda conn: registry.load(conn, house.sealer))
    print_table(
        ("NAME", "KIND", "STATE", "RATE", "SETTINGS"),
        (
            (
                channel.name, channel.kind, channel.state, channel.rate,
                " ".join([f"{key}={_shown(key, value)}" for key, value in channel.config.items()]
                         + [f"{key}=********" for key in channel.secrets]),
            )
            for channel in found
        ),
    )  # fmt: skip


def _shown(key: str, value: str) -> str:
    return mask(value) if key in ("from", "username") else value


@app.command()
def kinds() -> None:
    """List the kinds of channels and their settings."""
    from gateway.channels import CHANNELS

    for kind in CHANNELS.values():
        typer.echo(f"{kind.name}: {kind.title}")
        for spec in kind.settings:
            marks = f"{' (needed)' if spec.required else ''}{' (secret)' if spec.secret else ''}"
            typer.echo(f"  {spec.name}{marks}: {spec.help}")


def _state(name: str, state: str) -> None:
    from gateway.channels import registry

    with opened_house() as house:
        write(house, lambda conn: registry.set_state(conn, name=name, state=state, at=house.clock(), actor="cli"))
    say(f"{name} is {state}.")


@app.command()
def pause(name: Name) -> None:
    """Go on hearing, but keep answers waiting."""
    _state(name, "paused")


@app.command()
def resume(name: Name) -> None:
    """Hear and send again."""
    _state(name, "active")


@app.command()
def disable(name: Name) -> None:
    """Neither hear nor send."""
    _state(name, "disabled")


@app.command()
def remove(name: Name) -> None:
    """Take a channel away; refused while messages wait to go out by it."""
    from gateway.channels import registry

    with opened_house() as house:
        write(house, lambda conn: registry.remove(conn, name=name, at=house.clock(), actor="cli"))
    say(f"{name} is removed.")
