"""Coordinators in many zones, workers that are killed, a clock that jumps; and a table of what became of periods."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select

from gateway import subscriptions
from gateway.channels import registry
from gateway.contact_file import COLUMNS, parse_contacts
from gateway.contacts import CONTACT, import_contacts
from gateway.digests.collect import ENTRY
from gateway.digests.prepare import PERIODS_AT_MOST, RUN
from gateway.house import House
from gateway.reports import EVENT
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.faults.crew import until
from tests.gateway.rows import put_report

# The clock is put forward on 8 March and back on 1 November in New York; Lord Howe moves by half an hour.
ZONES = (
    "America/Guatemala", "America/New_York", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe",
    "Pacific/Kiritimati",
)  # fmt: skip
HOURS = ("06:00,18:00", "02:30", "00:00,12:00", "06:00")
WORKERS = 3
DAY = timedelta(days=1)


@dataclass
class Table:
    """One line of what is printed: a period is a subscription and an end.

    `more` are periods that were passed over and told after all, because reports came while the clock stood there.
    """

    what: str
    kills: int
    expected: int
    more: int
    sent: int
    doubled: int
    missing: int
    told_expected: int
    told: int

    def tell(self) -> "Table":
        print(json.dumps(asdict(self)), flush=True)  # noqa: T201
        return self

    @property
    def is_exact(self) -> bool:
        found = (self.sent, self.doubled, self.missing, self.told)
        return found == (self.expected + self.more, 0, 0, self.told_expected)


@dataclass
class Crew:
    """`begin` with everything, `advance` the clock, `kill` a worker; `count` what was made."""

    house: House
    clock: HandClock
    folder: Path
    coordinators: int
    chance: Random = field(default_factory=lambda: Random(20260310))
    kills: int = 0
    expected: set[tuple[UUID, datetime]] = field(default_factory=set)
    workers: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def begin(self, start: datetime) -> None:
        self.set_clock(start)
        _add_office(self.house, self.coordinators)
        self.rows = self.house.read_now(subscriptions.standing)
        self.start = start
        self.workers = [self._start() for _ in range(WORKERS)]

    def set_clock(self, at: datetime) -> None:
        """Set the clock of all processes."""
        self.clock.now = at
        new = self.folder / "clock.new"
        new.write_text(str(at.timestamp()))
        new.replace(self.folder / "clock")

    def report(self, number: int, by: datetime) -> None:
        """Reports from all over the country, kept within the last minutes before `by`."""
        places = sorted(code for code in self.house.read_now(self.house.codebook).places if len(code) == 4)

        def job(connection: Any) -> None:
            for _ in range(number):
                at = by - timedelta(minutes=self.chance.uniform(1, 28))
                put_report(connection, self.house, at, place=self.chance.choice(places))

        self.house.writer.write_now(job)

    def expect(self, by: datetime) -> None:
        """After a time off one end is to be made, or each of the latest for those who want that."""
        for row in self.rows:
            mine = [end for key, end in self.expected if key == row.id and end <= by]
            most = PERIODS_AT_MOST if row.catch_up == "each" else 1
            ends = list(_ends(row, max([*mine, self.start, by - 2 * PERIODS_AT_MOST * DAY]), by))
            self.expected |= {(row.id, end) for end in ends[-most:]}

    def kill(self) -> None:
        """SIGKILL of one worker at a moment of chance; another takes its place."""
        time.sleep(self.chance.uniform(0.0, 0.4))
        index = self.chance.randrange(len(self.workers))
        self.workers[index].kill()
        self.workers[index].wait()
        self.workers[index] = self._start()
        self.kills += 1

    def wait_noticed(self) -> None:
        """Until the workers have seen that the clock stands behind the last runs."""
        row = subscriptions.SUBSCRIPTION.c
        later = exists().where(RUN.c.subscription_id == row.id, RUN.c.period_to > self.clock.now)
        blind = select(func.count()).where(later, row.look_from.is_(None) | (row.look_from > self.clock.now))
        until(lambda: self.house.read_now(lambda connection: connection.scalar(blind)) == 0)

    def wait(self, seconds: float = 90.0) -> None:
        """Until all that is expected was made and has its entries."""
        deadline = time.monotonic() + seconds
        while self.expected - self.house.read_now(_made) or self.house.read_now(_unsettled):
            assert time.monotonic() < deadline, self.count("not done in time").tell()
            assert all(worker.poll() is None for worker in self.workers), (self.folder / "worker.log").read_text()[
                -3000:
            ]
            time.sleep(0.05)

    def count(self, what: str) -> Table:
        runs = self.house.read_now(
            lambda conn: conn.execute(select(RUN.c.id, RUN.c.subscription_id, RUN.c.period_to)).all()
        )
        sent = Counter(self.house.read_now(lambda conn: conn.scalars(select(OUTBOUND.c.digest_run_id)).all()))
        made = Counter((run.subscription_id, run.period_to) for run in runs)
        doubled = sum(made.values()) - len(made) + sum(number - 1 for number in sent.values())
        more = [run for run in runs if (run.subscription_id, run.period_to) not in self.expected]
        telling = set(self.house.read_now(lambda conn: conn.scalars(select(ENTRY.c.run_id).distinct()).all()))
        doubled += sum(run.id not in telling for run in more)
        without = [run for run in runs if not sent[run.id]]
        told = self.house.read_now(lambda conn: conn.execute(select(ENTRY.c.subscription_id, ENTRY.c.event_id)).all())
        wanted = self._to_tell()
        return Table(
            what, self.kills, len(self.expected), len(more), sum(sent.values()), doubled,
            len(self.expected - set(made)) + len(without), len(wanted), len(wanted & set(map(tuple, told))),
        )  # fmt: skip

    def _to_tell(self) -> set[tuple[UUID, UUID]]:
        """Which event each subscription must have been told by now: what lies before the last end of its places."""
        now = self.clock.now
        last = {key: max(end for one, end in self.expected if one == key and end <= now) for key, _ in self.expected}
        events = self.house.read_now(lambda conn: conn.execute(select(EVENT.c.id, EVENT.c.place, EVENT.c.at)).all())
        covered = self.house.read_now(lambda conn: {row.id: row.places for row in conn.execute(select(CONTACT))})
        return {
            (row.id, event.id)
            for row in self.rows
            if row.id in last
            for event in events
            if event.at < last[row.id] and (not covered[row.contact_id] or event.place[:2] in covered[row.contact_id])
        }

    def _start(self) -> "subprocess.Popen[bytes]":
        settings = self.house.settings
        words = [str(settings.data_dir), str(self.folder / "clock"), *filter(None, [settings.database_url])]
        with (self.folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "tests.faults.digest_worker", *words]
            return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=log, stderr=log)

    def close(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


def _add_office(house: House, number: int) -> None:
    """Coordinators of one department each, every fiftieth an admin of all; a quarter want every period."""
    lines = [",".join(COLUMNS)]
    for index in range(number):
        is_admin = index % 50 == 49
        place = "" if is_admin else f"{index % 22 + 1:02}"
        role = "admin" if is_admin else "coordinator"
        lines.append(f"+50255{index:06d},c{index}@oficina.example,C{index},{role},,0101,01,es,active,{place}")

    def job(connection: Any) -> None:
        book, now, sealer = house.codebook(connection), house.clock(), house.sealer
        import_contacts(
            connection, parse_contacts("\n".join(lines) + "\n", book.places), sealer=sealer, now=now, actor="cli"
        )
        values = {"host": "127.0.0.1", "port": "9", "tls": "none", "from": "v@oficina.example"}
        registry.add(connection, sealer, kind="smtp", name="correo", values=values, at=now, actor="cli")
        for index, key in enumerate(connection.scalars(select(CONTACT.c.id).order_by(CONTACT.c.id)).all()):
            zone, hours = ZONES[index % len(ZONES)], HOURS[index % len(HOURS)]
            wish = subscriptions.make_wish(
                "email", hours, "", book.places, zone, catch_up="one" if index % 4 else "each"
            )
            subscriptions.add(connection, key, wish, now=now, actor="cli")

    house.writer.write_now(job, timeout=60)


def _ends(row: Any, after: datetime, until: datetime) -> Iterator[datetime]:
    """The moments at which a clock on the wall of the zone comes to one of the hours, found by watching it go."""
    zone = ZoneInfo(row.zone)
    seen: set[tuple[date, str]] = set()
    at = (after.astimezone(UTC) - timedelta(hours=26)).replace(minute=0)
    while at <= until:
        local = at.astimezone(zone)
        for hour in row.hours:
            if f"{local:%H:%M}" >= hour and (local.date(), hour) not in seen:
                seen.add((local.date(), hour))
                if at > after and at > row.created_at:
                    yield at
        at += timedelta(minutes=30)


def _made(connection: Any) -> set[tuple[UUID, datetime]]:
    rows = connection.execute(select(RUN.c.subscription_id, RUN.c.period_to))
    return {(row.subscription_id, row.period_to) for row in rows}


def _unsettled(connection: Any) -> bool:
    return connection.execute(select(RUN.c.id).where(RUN.c.told.is_not(None)).limit(1)).first() is not None
