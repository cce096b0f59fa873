"""Subscribing and running digests by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from gateway import subscriptions
from gateway.channels import registry
from gateway.digests import RunInfo, run_due
from gateway.house import House
from tests.conftest import HandClock
from tests.gateway.rows import MARTA, contact_of

MORNING = datetime(2026, 3, 10, 12, tzinfo=UTC)
EVENING = MORNING + timedelta(hours=12)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def add_channel(house: House, kind: str, name: str, values: dict[str, str]) -> None:
    house.writer.write_now(
        lambda conn: registry.add(
            conn, house.sealer, kind=kind, name=name, values=values, at=house.clock(), actor="cli"
        )
    )


def subscribe(
    house: House, address: str = MARTA, *, by: str = "email", places: str = "", at: str = "06:00,18:00",
    zone: str = "America/Guatemala", **wishes: str,
) -> UUID:  # fmt: skip
    key = contact_of(house, address)

    def job(connection: Connection) -> UUID:
        book = house.codebook(connection)
        wish = subscriptions.make_wish(by, at, places, book.places, zone, codebook=book, **wishes)
        return subscriptions.add(connection, key, wish, now=house.clock(), actor="cli")

    return house.writer.write_now(job)


def run_at(house: House, clock: HandClock, at: datetime) -> list[RunInfo]:
    clock.now = at
    return run_due(house)


def told(runs: list[RunInfo]) -> list[tuple[int, ...]]:
    return [run.refs for run in runs]


def messages(house: House, table: Any) -> list[Any]:
    """Rows of the outbox in the order in which they were made."""
    return house.read_now(lambda conn: list(conn.execute(table.select().order_by(table.c.id))))


def opened(house: House, row: Any, column: str = "text") -> str:
    """A sealed column of an outbox row."""
    return house.sealer.open("outbound_message", column, row.id, getattr(row, f"{column}_sealed"))
