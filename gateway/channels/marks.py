"""How far a channel has read what others keep for it, and which process of several reads it. For use from threads."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.house import House
from gateway.models import ChannelMark

MARK: Table = ChannelMark.__table__  # type: ignore[attr-defined]
TURN = "turn"
TURN_LASTS = timedelta(minutes=2)


class Marks:
    """Marks in the database of one house. Every call takes a moment; none may be made on the event loop.

    `alone`: no other process serves this database, so that nobody waits for the turn of one that died.
    """

    def __init__(self, house: House, holder: str, *, alone: bool = False) -> None:
        self._house = house
        self._holder = holder
        self._alone = alone

    def get(self, channel: str, name: str) -> dict[str, Any] | None:
        return self._house.read_now(lambda connection: _get(connection, channel, name))

    def put(self, channel: str, name: str, value: Mapping[str, Any]) -> None:
        """Durable when it returns."""
        now = self._house.clock()
        self._house.writer.write_now(lambda connection: _put(connection, channel, name, value, now))

    def take_turn(self, channel: str) -> bool:
        """Whether this process is the one that reads for `channel` during the next minutes.

        Two at once would do no harm, for what was read is known again, but fetch everything twice over a slow link.
        """
        if self._alone:
            return True
        now = self._house.clock()
        try:
            return self._house.writer.write_now(lambda connection: _take_turn(connection, channel, self._holder, now))
        except IntegrityError:  # another process took the very first turn at the same moment
            return False

    def end_turn(self, channel: str) -> None:
        """Let another process read at once."""
        self._house.writer.write_now(lambda connection: _end_turn(connection, channel, self._holder))


def _get(connection: Connection, channel: str, name: str, *, lock: bool = False) -> dict[str, Any] | None:
    query = select(MARK.c.value).where(MARK.c.channel == channel, MARK.c.name == name)
    found: dict[str, Any] | None = connection.scalar(query.with_for_update() if lock else query)
    return found


def _put(connection: Connection, channel: str, name: str, value: Mapping[str, Any], now: datetime) -> None:
    values = {"value": dict(value), "changed_at": now}
    same = (MARK.c.channel == channel) & (MARK.c.name == name)
    if not connection.execute(update(MARK).where(same).values(values)).rowcount:
        connection.execute(insert(MARK), [{"channel": channel, "name": name, **values}])


def _take_turn(connection: Connection, channel: str, holder: str, now: datetime) -> bool:
    held = _get(connection, channel, TURN, lock=True)
    if held is not None and held["holder"] != holder:
        since = datetime.fromisoformat(held["since"])
        if since <= now < since + TURN_LASTS:
            return False
    _put(connection, channel, TURN, {"holder": holder, "since": now.isoformat()}, now)
    return True


def _end_turn(connection: Connection, channel: str, holder: str) -> None:
    held = _get(connection, channel, TURN, lock=True)
    if held is not None and held["holder"] == holder:
        connection.execute(delete(MARK).where(MARK.c.channel == channel, MARK.c.name == TURN))
