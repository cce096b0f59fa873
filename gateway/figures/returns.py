"""The board of returned and resettled communities: how each topic stands in each municipality."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.figures.matrix import standing_reports

COLOURS = {"bien": "green", "regular": "yellow", "mal": "red"}


@dataclass(frozen=True, slots=True)
class Standing:
    """The latest word on a topic (`agua`) in a municipality; `families` and `people` as far as they were told."""

    place: str
    topic: str
    state: str
    colour: str
    families: int | None
    people: int | None
    ref: int | None
    day: date | None


def return_board(connection: Connection) -> list[Standing]:
    """A line for each municipality and topic of which there is a report that counts, by code; the latest decides."""
    found: dict[tuple[str, str], Standing] = {}
    for row in standing_reports(connection, "return"):
        topic, state = row.fields.get("topic"), row.fields.get("status")
        if topic is None or state is None:
            continue
        found[(row.place, topic)] = Standing(
            row.place, topic, state, COLOURS.get(state, "grey"), row.fields.get("families"), row.fields.get("people"),
            row.ref, row.event_date,
        )  # fmt: skip
    return [found[key] for key in sorted(found)]
