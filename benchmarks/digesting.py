"""digest_cost: milliseconds a coordinator's digest takes to make, with 10,000, 100,000 and 1,000,000 reports stored."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select
from uuid_utils.compat import uuid7

from gateway import subscriptions
from gateway.channels import registry
from gateway.contact_file import COLUMNS, parse_contacts
from gateway.contacts import CONTACT, import_contacts
from gateway.digests.schedule import each_due
from gateway.house import House, open_house
from gateway.install import init
from gateway.settings import Settings
from gateway.standing import MESSAGE

SIZES = (10_000, 100_000, 1_000_000)
COORDINATORS = 200
PER_DAY = 500
START = datetime(2026, 3, 10, 12, tzinfo=UTC)
LIMIT_MS = 300
CATEGORIES = ("ROB", "AME", "TIE", "LES", "EXT", "HUR", "LIN", "DES")

# The newest reports have the lowest numbers: history grows backwards, the present stays as it is.
HISTORY = """
WITH RECURSIVE n(i) AS (SELECT :begin UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end)
"""
REPORTS = """
INSERT INTO report (id, node_id, ref, message_id, sender_hash, registered, form, category, place, event_date, urgent,
  practice, state, verification, fields, codebook_revision, last_seq, heard_at, created_at, changed_at)
SELECT printf('%031xa', i), :node, i + 10000, :message, zeroblob(16), 1, 'incident', c.code, p.code, date(t.at),
  i % 50 = 0, 0, 'open', 'unverified', '{"injured":2}', 1, 1, t.at || '.000000', t.at || '.000000', t.at || '.000000'
FROM (SELECT i, datetime(:now, '-' || (i * 86400 / :per_day + 60) || ' seconds') AS at FROM n) AS t
JOIN bench_category AS c ON c.number = i % :categories JOIN bench_place AS p ON p.number = i * 7 % :places
"""
EVENTS = """
INSERT INTO report_event (id, report_id, node_id, seq, type, at, actor, place, data)
SELECT printf('%031xb', i), printf('%031xa', i), :node, 1, 'accepted', t.at || '.000000', 'bench', p.code, '{}'
FROM (SELECT i, datetime(:now, '-' || (i * 86400 / :per_day + 60) || ' seconds') AS at FROM n) AS t
JOIN bench_place AS p ON p.number = i * 7 % :places
"""


@dataclass
class Bench:
    """`fill` history up to a size, then `measure` the digests of half a day."""

    house: House
    now: datetime = START
    stored: int = 0

    def fill(self, size: int) -> None:
        places = self._places()
        values = {
            "begin": self.stored, "end": size, "now": f"{START:%Y-%m-%d %H:%M:%S}", "per_day": PER_DAY,
            "node": self.house.node_id.hex, "categories": len(CATEGORIES), "places": len(places),
        }  # fmt: skip

        def job(connection: Connection) -> None:
            if not self.stored:
                self._prepare(connection, places)
            values["message"] = connection.exec_driver_sql("SELECT id FROM message LIMIT 1").scalar_one()
            for statement in (REPORTS, EVENTS):
                insert_into, _, rest = statement.strip().partition("\nSELECT")
                connection.exec_driver_sql(f"{insert_into}\n{HISTORY}SELECT{rest}", values)

        self.house.writer.write_now(job, timeout=None)
        self.stored = size

    def measure(self) -> tuple[float, float, int]:
        """Mean and slowest milliseconds of a digest, and how many were made."""
        self.now += timedelta(hours=12)
        times: list[float] = []
        started = time.perf_counter()
        for _run in each_due(self.house, self.now):
            times.append(1000 * (time.perf_counter() - started))
            started = time.perf_counter()
        return sum(times) / len(times), max(times), len(times)

    def _places(self) -> list[str]:
        return sorted(code for code in self.house.read_now(self.house.codebook).places if len(code) == 4)

    def _prepare(self, connection: Connection, places: Sequence[str]) -> None:
        connection.execute(insert(MESSAGE), [_message(self.house)])
        for name, words in (("bench_category", CATEGORIES), ("bench_place", places)):
            connection.exec_driver_sql(f"CREATE TEMP TABLE {name} (number INTEGER PRIMARY KEY, code TEXT)")
            connection.exec_driver_sql(f"INSERT INTO {name} VALUES (?, ?)", list(enumerate(words)))


def cost() -> dict[str, Any] | None:
    """The value is the mean with a million reports; `slowest` is the slowest single digest of all."""
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder) / "office")
        init(settings)
        bench = Bench(open_house(settings, lambda: bench.now))
        try:
            bench.house.writer.write_now(lambda connection: open_office(connection, bench.house))
            found = {}
            for size in SIZES:
                bench.fill(size)
                found[size] = bench.measure()
        finally:
            bench.house.close()
    if any(number != COORDINATORS for _, _, number in found.values()):
        return None
    means = {f"ms_{size}": round(mean, 1) for size, (mean, _, _) in found.items()}
    slowest = round(max(slow for _, slow, _ in found.values()), 1)
    value = means[f"ms_{SIZES[-1]}"]
    return {"name": "digest_cost", "value": value, "unit": "ms", "limit": LIMIT_MS, **means, "slowest": slowest}


def open_office(connection: Connection, house: House) -> None:
    """Coordinators of a department each, and one admin of all, with a digest in the morning and in the evening."""
    book, now = house.codebook(connection), house.clock()
    lines = [",".join(COLUMNS)]
    for number in range(COORDINATORS):
        role, place = ("admin", "") if number == 0 else ("coordinator", f"{number % 22 + 1:02}")
        lines.append(f"+50255{number:06d},c{number}@bench.example,C{number},{role},,0101,01,es,active,{place}")
    rows = parse_contacts("\n".join(lines) + "\n", book.places)
    import_contacts(connection, rows, sealer=house.sealer, now=now, actor="cli")
    values = {"host": "127.0.0.1", "port": "9", "tls": "none", "from": "v@bench.example"}
    registry.add(connection, house.sealer, kind="smtp", name="correo", values=values, at=now, actor="cli")
    wish = subscriptions.make_wish("email", "06:00,18:00", "", book.places)
    for key in connection.scalars(select(CONTACT.c.id)).all():
        subscriptions.add(connection, key, wish, now=now - timedelta(hours=12), actor="cli")


def _message(house: House) -> dict[str, Any]:
    key = uuid7()
    return {
        "id": key, "node_id": house.node_id, "channel": "bench", "external_hash": key.bytes, "body_hash": key.bytes,
        "sender_hash": bytes(16), "sender_sealed": b"", "text_sealed": b"", "heard_at": START, "kept_at": START,
        "state": "read", "codebook_revision": 1, "practice": False,
    }  # fmt: skip
