"""What is noticed of channels while they work, written to their rows now and then, never by the path of a text."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime

from sqlalchemy import Connection, update

from gateway import outages
from gateway.house import House
from gateway.outages import CHANNEL

_log = logging.getLogger("vocero.channels")


class Activity:
    """Collects when each channel heard and sent last, and which are in trouble; `flush` writes what is new."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._heard: dict[str, datetime] = {}
        self._sent: dict[str, datetime] = {}
        self._offline: dict[str, str] = {}

    def heard(self, channel: str) -> None:
        self._heard[channel] = self._house.clock()

    def offline(self) -> Mapping[str, str]:
        """Channels that cannot send at the moment, and the code of the reason."""
        return dict(self._offline)

    def on_state(self, channel: str, state: str, detail: str) -> None:
        """The dispatcher's news: offline, online, auth_failed or sent. Returns at once."""
        if state == "sent":
            self._sent[channel] = self._house.clock()
        if state in ("offline", "auth_failed"):
            self._offline[channel] = detail or state
            log = _log.error if state == "auth_failed" else _log.warning
            log("channel %s cannot send: %s", channel, detail or state)
            at, reason = self._house.clock(), detail or state
            self._house.writer.submit(lambda connection: outages.begin(connection, channel, reason, at))
        elif self._offline.pop(channel, None) is not None or state == "online":
            _log.info("channel %s sends again", channel)
            now = self._house.clock()
            self._house.writer.submit(lambda connection: outages.end(connection, channel, now))

    def flush(self) -> Future[None] | None:
        """Write what was noticed since the last flush; None when there is nothing."""
        heard, self._heard = self._heard, {}
        sent, self._sent = self._sent, {}
        if not heard and not sent:
            return None

        def write(connection: Connection) -> None:
            for name in {*heard, *sent}:
                new = {"last_heard_at": heard.get(name), "last_sent_at": sent.get(name)}
                values = {column: at for column, at in new.items() if at is not None}
                connection.execute(update(CHANNEL).where(CHANNEL.c.name == name).values(values))
            # Also an outage that an earlier run or another process noted.
            for name, at in sent.items():
                outages.end(connection, name, at)

        return self._house.writer.submit(write)
