"""Commitments of the peace accords by municipality: how the latest report says that each is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.reports import REPORT

COLOURS = {"si": "green", "parcial": "yellow", "no": "red", "retroceso": "red", "nosabe": "grey"}
STANDING = ("open", "closed")


@dataclass(frozen=True, slots=True)
class Cell:
    """One commitment (`C23`) in one municipality (`1405`): `state` is a value of the form's field `status`, `reports`
    how many were counted, `ref` and `day` those of the latest."""

    commitment: str
    place: str
    state: str
    colour: str
    ref: int | None
    day: date | None
    reports: int


def commitment_matrix(connection: Connection) -> list[Cell]:
    """A cell for each commitment and municipality of which there is a report, by code.

    The latest event date decides, of one day the latest number. Drafts, practice, withdrawn and strangers' reports
    are not counted.
    """
    cells: dict[tuple[str, str], Cell] = {}
    for row in standing_reports(connection, "commitment"):
        commitment, state = row.fields.get("commitment"), row.fields.get("status")
        if commitment is None or state is None:
            continue
        before = cells.get((commitment, row.place))
        number = before.reports + 1 if before else 1
        cells[(commitment, row.place)] = Cell(
            commitment, row.place, state, COLOURS.get(state, "grey"), row.ref, row.event_date, number
        )
    return [cells[key] for key in sorted(cells)]


def standing_reports(connection: Connection, form: str) -> Iterator[Row[Any]]:
    """Reports of a form that count, with a place, in the order in which a later one overrides an earlier."""
    columns = (REPORT.c.ref, REPORT.c.place, REPORT.c.event_date, REPORT.c.fields)
    query = select(*columns).where(
        REPORT.c.form == form, REPORT.c.state.in_(STANDING), REPORT.c.practice.is_(False), REPORT.c.registered,
        REPORT.c.place.is_not(None),
    )  # fmt: skip
    yield from connection.execute(query.order_by(REPORT.c.event_date, REPORT.c.created_at, REPORT.c.ref))
