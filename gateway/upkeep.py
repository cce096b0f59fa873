"""Small upkeep of the rows, done by ticks: a heartbeat, questions whose time is over, parts that never became whole."""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table, select, update

from gateway.house import House
from gateway.models import Message, OpenQuestion, Setting
from gateway.polls import blank_poll

QUESTION: Table = OpenQuestion.__table__  # type: ignore[attr-defined]
MESSAGE: Table = Message.__table__  # type: ignore[attr-defined]
SETTING: Table = Setting.__table__  # type: ignore[attr-defined]

HEARTBEAT = "heartbeat"
PARTS_WAIT = timedelta(hours=24)
POLL_LASTS = timedelta(days=2)
PIECE = 200


def beat(house: House) -> None:
    """Write that ticks are running, and so that the database takes writes."""
    house.writer.write_now(lambda connection: put_setting(connection, HEARTBEAT, 1, house.clock()))


def last_beat(connection: Connection) -> datetime | None:
    at: datetime | None = connection.scalar(select(SETTING.c.changed_at).where(SETTING.c.name == HEARTBEAT))
    return at


def put_setting(connection: Connection, name: str, value: Any, at: datetime) -> None:
    """Write a setting whether it is there or not."""
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    row = {"name": name, "value": value, "changed_at": at}
    statement = dialect.insert(SETTING).values(row)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value, "changed_at": at})
    )


def expire_questions(house: House) -> int:
    """End the open questions whose time is over; their drafts stay drafts. Returns how many.

    A poll that was begun and not finished is blanked: nobody will ever need who was asked what.
    """
    now = house.clock()
    due = (QUESTION.c.state == "open") & (QUESTION.c.expires_at <= now)
    values = {"state": "expired", "ended_at": now}
    _in_pieces(house, lambda connection: _blank_polls(connection, house, due))
    return _in_pieces(house, lambda connection: _change(connection, QUESTION, due, values))


def _blank_polls(connection: Connection, house: House, due: Any) -> int:
    unfinished = due & (QUESTION.c.form == "poll") & QUESTION.c.draft_sealed.is_not(None)
    query = select(QUESTION.c.sender_hash, QUESTION.c.asked_at).where(unfinished).limit(PIECE)
    rows = connection.execute(query).all()
    for row in rows:
        blank_poll(connection, house.sealer, row.sender_hash, row.asked_at - POLL_LASTS)
    return len(rows)


def give_up_parts(house: House) -> int:
    """Parts of a text that waited a day for the others are shown to a person. Returns how many."""
    due = (MESSAGE.c.state == "held") & (MESSAGE.c.heard_at <= house.clock() - PARTS_WAIT)
    return _in_pieces(
        house, lambda connection: _change(connection, MESSAGE, due, {"state": "unread", "reason": "parts"})
    )


def _change(connection: Connection, table: Table, due: Any, values: dict[str, Any]) -> int:
    some = select(table.c.id).where(due).limit(PIECE)
    return connection.execute(update(table).where(table.c.id.in_(some), due).values(values)).rowcount


def _in_pieces(house: House, piece: Callable[[Connection], int]) -> int:
    """Do `piece` in transactions of its own until it changes less than a full piece."""
    total = 0
    while True:
        changed = house.writer.write_now(piece)
        total += changed
        if changed < PIECE:
            return total
