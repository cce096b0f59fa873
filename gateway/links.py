"""Whether the far end of each channel can be reached, also while nothing waits to be sent.

Knocking is a TCP connection that is closed again. It begins and ends outages of its own reason; what a sender found out
is ended by a message that goes through, or by a knock when nothing waits.
"""

import queue
import socket
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, select

from gateway import outages
from gateway.house import House
from gateway.routes import CARRIES, CHANNEL
from outbox.queue import waiting

LIMIT_S = 5.0
KNOCKS = 2
SENT_LATELY = timedelta(minutes=1)
PORTS = {"starttls": 587, "tls": 465, "none": 25, "https": 443, "http": 80}
TWILIO = "https://api.twilio.com"

Target = tuple[str, int]


def target(kind: str, config: Mapping[str, Any]) -> Target | None:
    """Host and port a channel sends to; None for one that sends to nobody outside."""
    _scheme, needed = CARRIES.get(kind, (None, None))
    if needed is None or not config.get(needed):
        return None
    where = str(config[needed])
    if kind == "twilio":
        where = str(config.get("api_base") or TWILIO)
    if where.startswith(("http://", "https://")):
        parts = urlsplit(where)
        return (parts.hostname, parts.port or PORTS[parts.scheme]) if parts.hostname else None
    if needed != "host":
        return None
    return where, int(config.get("port") or PORTS[str(config.get("tls") or "starttls")])


def watch_links(house: House) -> None:
    """Knock at every active channel that sent nothing lately, and write down what is new."""
    targets, down = house.read_now(lambda connection: _to_knock_at(connection, house))
    news = {name: answered for name, answered in knock(targets).items() if answered == (name in down)}
    if news:
        house.writer.write_now(lambda connection: _note(connection, news, house))


def _to_knock_at(connection: Connection, house: House) -> tuple[dict[str, Target], dict[str, str]]:
    now = house.clock()
    columns = (CHANNEL.c.name, CHANNEL.c.kind, CHANNEL.c.config, CHANNEL.c.last_sent_at)
    found = {}
    for row in connection.execute(select(*columns).where(CHANNEL.c.state == "active")):
        where = target(row.kind, row.config)
        if where and not (row.last_sent_at and timedelta(0) <= now - row.last_sent_at < SENT_LATELY):
            found[row.name] = where
    return found, outages.lasting(connection)


def _note(connection: Connection, news: Mapping[str, bool], house: House) -> None:
    now, down, queues = house.clock(), outages.lasting(connection), waiting(connection)
    for name, answers in news.items():
        if not answers and name not in down:
            outages.begin(connection, name, outages.UNREACHABLE, now)
        idle = name not in queues or not queues[name].queued
        if answers and (down.get(name) == outages.UNREACHABLE or (idle and down.get(name) == "offline")):
            outages.end(connection, name, now)


def knock(targets: Mapping[str, Target]) -> dict[str, bool]:
    """Which of the named targets take a connection; all are tried at once, for a few seconds at most."""
    found: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
    for name, where in targets.items():
        # A name server that hangs must hold up neither the ticks nor the end of the process.
        threading.Thread(target=_knock, args=(name, where, found), daemon=True).start()
    answers = dict.fromkeys(targets, False)
    until = time.monotonic() + LIMIT_S * KNOCKS
    for _ in targets:
        try:
            name, answered = found.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        answers[name] = answered
    return answers


def _knock(name: str, where: Target, found: "queue.SimpleQueue[tuple[str, bool]]") -> None:
    for _ in range(KNOCKS):
        try:
            with socket.create_connection(where, timeout=LIMIT_S):
                found.put((name, True))
                return
        except (OSError, ValueError):
            continue
    found.put((name, False))
