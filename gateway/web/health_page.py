"""How the gateway itself is: what an operator should put right stands in red."""

import shutil
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from gateway.alerts.rulebook import alerts_urgent
from gateway.alerts.staff import uncovered
from gateway.upkeep import last_beat
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit
from outbox.queue import waiting

TICK_AGE = timedelta(minutes=2)
OUTBOX_AGE = timedelta(minutes=10)
NAMED = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page: whether it is as it should be, what is looked at, and what was found."""

    good: bool
    what: str
    found: str


async def show(visit: Visit) -> Response:
    findings, labels = await visit.house.read(lambda connection: (look(connection, visit), _labels(connection, visit)))
    return visit.render("health.html", findings=findings, labels=labels)


def look(connection: Connection, visit: Visit) -> list[Finding]:
    t, house = visit.t, visit.house
    settings, now = house.settings, house.clock()
    beat = last_beat(connection)
    ticking = beat is not None and abs(now - beat) < TICK_AGE
    free = shutil.disk_usage(settings.data_dir).free // 1_000_000
    late = [name for name, queue in waiting(connection).items() if queue.oldest and now - queue.oldest > OUTBOX_AGE]
    return [
        Finding(
            ticking,
            t("Regular work"),
            t("last done: {when}", when=f"{beat:%Y-%m-%d %H:%M} UTC" if beat else t("never")),
        ),
        Finding(
            free >= settings.disk_reserve_mb,
            t("Disk"),
            t("{free} MB free, {reserve} MB are kept in reserve", free=free, reserve=settings.disk_reserve_mb),
        ),
        Finding(
            not late,
            t("Outbox"),
            t("what waits is less than ten minutes old")
            if not late
            else t("waits for long: {names}", names=", ".join(late)),
        ),
        _key(visit),
        _wire(visit),
        _coordinators(connection, visit),
        Finding(alerts_urgent(connection), t("Alerts"), _alert_words(connection, visit)),
        Finding(True, t("Database"), t("SQLite on this machine") if settings.sqlite_path else t("Postgres")),
    ]


def _coordinators(connection: Connection, visit: Visit) -> Finding:
    """Whose alerts would reach no coordinator of their place; where monitors live first."""
    t, places = visit.t, visit.house.codebook(connection).places
    lived_in, others = uncovered(connection, places)
    if not lived_in and not others:
        return Finding(True, t("Coordinators"), t("every municipality has one"))
    named = ", ".join(f"{places[code].name} ({code})" for code in (lived_in or others)[:NAMED])
    if not lived_in:
        words = t("nobody answers for {n} municipalities where no monitor lives: {names}", n=len(others), names=named)
        return Finding(True, t("Coordinators"), words)
    words = t("nobody answers for {names}, where monitors live; nor for {n} others", names=named, n=len(others))
    return Finding(False, t("Coordinators"), words)


def _alert_words(connection: Connection, visit: Visit) -> str:
    t = visit.t
    good = alerts_urgent(connection)
    return t("every urgent report is alerted") if good else t("no rule alerts every urgent report")


def _key(visit: Visit) -> Finding:
    """The key beside the database opens it for whoever takes the disk."""
    t, settings = visit.t, visit.house.settings
    together = (
        settings.sqlite_path is not None and settings.key_path.stat().st_dev == settings.sqlite_path.stat().st_dev
    )
    words = (
        t("stands on the same disk as the database: who takes the disk can read it") if together else t("is kept apart")
    )
    return Finding(not together, t("Key file"), words)


def _wire(visit: Visit) -> Finding:
    t, cookies = visit.t, visit.web.cookies
    if cookies.secure:
        return Finding(True, t("Pages"), t("over https"))
    if cookies.allow_private:
        return Finding(False, t("Pages"), t("over plain http in the office network: passwords can be overheard"))
    return Finding(True, t("Pages"), t("over plain http, on this machine only"))


def _labels(connection: Connection, visit: Visit) -> Labels:
    return Labels(visit.house.codebook(connection), visit.t)


PAGES = (Page("GET", "/health", "health", show),)
