"""Everything that can be expected of a day. To learn what there is, read this literal."""

from collections.abc import Callable, Mapping

from gateway.days.lines import Node
from gateway.days.wishes.base import OTHER_WORDS, Ground, Wish
from gateway.days.wishes.figures import read_board, read_map, read_matrix, read_polls, read_public
from gateway.days.wishes.pages import read_page, read_timeline
from gateway.days.wishes.queue import read_queue
from gateway.days.wishes.rows import read_alert, read_outbox, read_report, read_totals
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


def read_wishes(node: Node, ground: Ground) -> list[Wish]:
    """A list of expectations, or a single one. Raises DayError."""
    found: list[Wish] = []
    for item in node.items():
        keys = [key.strip().lower() for key in item.mapping("an expectation")]
        named = [key for key in keys if key in WISHES]
        if not named:
            unknown = [key for key in keys if key.replace("-", "_") not in (*KEYS, *OTHER_WORDS)]
            if unknown:
                known = ", ".join((*KEYS, *WISHES))
                raise item.wrong(f"an expectation has no key {unknown[0]!r}; it knows {known}")
            found.append(read_send(item, ground))
            continue
        if len(named) != len(keys):
            raise item.wrong(f"{named[0]} stands alone; what a person gets is an item of its own, with `to`")
        fields = item.fields(named, "an expectation")
        found += [WISHES[name](one, ground) for name in fields for one in _each(fields[name])]
    return found


def _each(node: Node) -> list[Node]:
    """`report: [{...}, {...}]` are several reports."""
    return node.value if isinstance(node.value, list) else [node]
