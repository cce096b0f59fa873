"""`vocero keyword`: the words that are understood."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.support import opened_house, print_table, say, write
from gateway.errors import Conflict, NotFound, VoceroError

if TYPE_CHECKING:
    from gateway.codebook import Collides
    from gateway.house import House

app = typer.Typer(no_args_is_help=True, help="Words: what a text may say.", rich_markup_mode=None)

Kind = Annotated[str, typer.Argument(metavar="KIND", help="form, category or choice.")]
Of = Annotated[str, typer.Argument(metavar="NAME", help="Which one: incident, ROB, return.status ...")]
Word = Annotated[str, typer.Argument(metavar="WORD", help="The word or phrase.")]
WordList = dict[str, dict[str, list[str]]]


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="form, category or choice.")] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which one.")] = None,
) -> None:
    """List the words, all or of one kind or thing."""
    from gateway.codebook import current_words

    with opened_house() as house:
        number, _, words = house.read_now(current_words)
    if kind is not None and kind not in words:
        raise NotFound(f"There is no kind {kind!r}; there are {', '.join(words)}.")
    rows = [
        (group, key, ", ".join(listed))
        for group, things in words.items()
        if kind in (None, group)
        for key, listed in things.items()
        if name in (None, key)
    ]
    if name is not None and not rows:
        raise NotFound(f"There is no {kind} {name!r}.")
    print_table(("KIND", "NAME", "WORDS"), rows)
    say(f"Revision {number}.")


@app.command()
def add(kind: Kind, name: Of, word: Word) -> None:
    """Let a word mean a form, category or choice. Refused when it collides with another."""
    with opened_house() as house:
        number = write(house, lambda conn: _change(conn, house, kind, name, add=word))
    say(f"Revision {number}: {word!r} means {name} now.")


@app.command()
def remove(kind: Kind, name: Of, word: Word) -> None:
    """Take a word away."""
    with opened_house() as house:
        number = write(house, lambda conn: _change(conn, house, kind, name, remove=word))
    say(f"Revision {number}: {word!r} means {name} no more.")


def _change(
    conn: "object", house: "House", kind: str, name: str, *, add: str | None = None, remove: str | None = None
) -> int:
    from sqlalchemy import Connection

    from gateway import audit
    from gateway.codebook import Collides, current_words, save_words
    from gateway.house import touch_config

    assert isinstance(conn, Connection)
    number, _, words = current_words(conn)
    listed = _listed(words, kind, name)
    if add is not None:
        if add in listed:
            raise Conflict(f"{add!r} means {name} already.")
        listed.append(add)
    elif remove is not None:
        if remove not in listed:
            raise NotFound(f"{remove!r} is none of the words of {name}.")
        listed.remove(remove)
    try:
        made = save_words(conn, words, based_on=number, by="cli", note=None, now=house.clock())
    except Collides as error:
        raise VoceroError(_explained(error)) from error
    data = {"kind": kind, "name": name, "revision": made, "added": add, "removed": remove}
    audit.record(conn, at=house.clock(), actor="cli", action="codebook.save", target=f"{kind}.{name}", data=data)
    touch_config(conn)
    return made


def _listed(words: WordList, kind: str, name: str) -> list[str]:
    if kind not in words:
        raise NotFound(f"There is no kind {kind!r}; there are {', '.join(words)}.")
    if name not in words[kind]:
        raise NotFound(f"There is no {kind} {name!r}; `vocero keyword list {kind}` shows them.")
    return words[kind][name]


def _explained(error: "Collides") -> str:
    lines = [
        f"{item.word!r} ({item.where}) and {item.other!r} ({item.other_where}): {item.kind}" for item in error.found
    ]
    return "These words cannot stand together:\n" + "\n".join(lines)


@app.command("try")
def try_(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="A text as a monitor would write it.")],
    place: Annotated[str | None, typer.Option(help="The sender's home municipality, a code of 4 digits.")] = None,
) -> None:
    """Read a text with the present words, as a registered sender's, and show how; nothing is kept."""
    from gateway.cli.explaining import show
    from gateway.conversation import Standing, Words, decide
    from gateway.reading_files import keyed, some_sender

    with opened_house() as house:
        codebook, now = house.read_now(house.codebook), house.clock()
    if place is not None and place not in codebook.places:
        raise NotFound(f"There is no place {place!r}.")
    standing = Standing(known=some_sender(place))
    show(decide(Words(text, now), standing, codebook, keyed))
