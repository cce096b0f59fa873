"""`vocero user`: logins to the pages."""

from typing import Annotated

import typer

from gateway.cli.support import opened_house, say, write

app = typer.Typer(no_args_is_help=True, help="Users: who may open the pages.", rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Keep `user` a group, however few commands it has."""


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The login name.")],
    role: Annotated[str, typer.Option(help="admin, coordinator, analyst, signatory or auditor.")],
    contact: Annotated[
        str, typer.Option(metavar="PHONE|EMAIL", help="The contact whose places a coordinator may see.")
    ] = "",
    lang: Annotated[str, typer.Option(help="Language of the pages: es or en.")] = "es",
) -> None:
    """Make a login. Prints a one-time link by which the person chooses a password."""
    from gateway.contacts import parse_address, require
    from gateway.users import add_user, link_url

    address = parse_address(contact) if contact else None
    with opened_house() as house:
        key = house.read_now(lambda conn: require(conn, address, house.sealer)) if address else None
        token = write(
            house,
            lambda conn: add_user(
                conn, name=name, role=role, at=house.clock(), actor="cli", contact_id=key, language=lang
            ),
        )
        base = house.settings.base_url
    say("Give this address to the person; it works once and for two days:")
    typer.echo(link_url(base, token))
