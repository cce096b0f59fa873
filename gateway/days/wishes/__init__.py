"""Everything that can be expected of a day. To learn what there is, read this literal."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gateway.days.lines import DayError, Node, as_key
from gateway.days.wishes.base import OTHER_WORDS, Ground, Wish
from gateway.days.wishes.figures import read_board, read_map, read_matrix, read_polls, read_public
from gateway.days.wishes.pages import read_page, read_timeline
from gateway.days.wishes.queue import read_queue
from gateway.days.wishes.rows import OTHER_TOTALS, TOTALS, read_alert, read_outbox, read_report, read_totals
from gateway.days.wishes.sends import KEYS, read_send, read_sms

__all__ = ["WISHES", "Ground", "Wish", "read_wishes"]

WISHES: Mapping[str, Callable[[Node, Ground], Wish]] = {
    "report": read_report,
    "outbox": read_outbox,
    "alert": read_alert,
    "totals": read_totals,
    "queue": read_queue,
    "sms": read_sms,
    "matrix": read_matrix,
    "board": read_board,
    "map": read_map,
    "polls": read_polls,
    "public": read_public,
    "page": read_page,
    "timeline": read_timeline,
}


OTHER_NAMES = {"returns": "board", "return_board": "board", "commitments": "matrix", "total": "totals"}


def read_wishes(node: Node, ground: Ground) -> list[Wish]:
    """A list of expectations, or a single one. Raises DayError."""
    return [wish for item in node.items() for wish in _read_item(item, ground)]


def _read_item(item: Node, ground: Ground) -> Iterator[Wish]:
    """What a person gets, totals alone, or expectations by their names; `within` beside a name belongs to it."""
    named: dict[str, Node] = {}
    others: dict[str, Node] = {}
    for key, value in item.mapping("an expectation").items():
        name = as_key(key)
        name = OTHER_NAMES.get(name, name)
        (named if name in WISHES else others)[name] = value
    if named and set(others) == {"within"}:
        named = {name: _with(value, others) for name, value in named.items()}
        others = {}
    for name, value in named.items():
        for one in value.value if isinstance(value.value, list) else [value]:
            yield WISHES[name](one, ground)
    rest = Node(item.line, others, {as_key(key): line for key, line in item.keys.items()})
    if others and set(others) <= {*TOTALS, *OTHER_TOTALS}:
        yield read_totals(rest, ground)
    elif others:
        unknown = [key for key in others if key not in (*KEYS, *OTHER_WORDS)]
        if unknown:
            known = ", ".join((*KEYS, *WISHES))
            raise DayError(rest.keys[unknown[0]], f"an expectation has no key {unknown[0]!r}; it knows {known}")
        yield read_send(rest, ground)


def _with(value: Node, others: dict[str, Node]) -> Node:
    return replace(value, value={**others, **value.value}) if isinstance(value.value, dict) else value
