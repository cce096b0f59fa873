"""What is right, what deserves a look and what must be put right first, in words, with what to do."""

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select, text

from gateway import audit, outages
from gateway.alerts.rulebook import alerts_urgent
from gateway.alerts.staff import uncovered
from gateway.budgets import WARN_AT
from gateway.channel_state import ChannelState, look, read_signs_soon, without_stand_in
from gateway.channel_words import signs_words, spent_words
from gateway.contacts import ADDRESS, CONTACT, people
from gateway.disks import disk_of, is_encrypted, open_swaps
from gateway.errors import SetupError
from gateway.house import House
from gateway.install import check
from gateway.models import Message
from gateway.routes import route
from gateway.settings import Settings
from gateway.silence import silent_contacts
from gateway.subscriptions import addresses, standing
from gateway.users import USER
from outbox.queue import waiting

Level = Literal["ok", "look", "bad"]
MB = 1_000_000
OLDEST = timedelta(minutes=10)
EARLIEST = datetime(2026, 1, 1).astimezone()
NAMED = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """`look`: it works, but somebody should know. `bad`: it must be put right."""

    level: Level
    about: str
    words: str


def examine_settings(settings: Settings) -> Iterator[Finding]:
    """What can be seen without opening the database."""
    yield from _modes(settings)
    yield from _same_disk(settings)
    yield from _disk_space(settings)
    yield from _encryption(settings)
    yield from _address(settings)
    try:
        check(settings)
        yield Finding("ok", "database", "key and schema fit")
    except SetupError as error:
        yield Finding("bad", "database", str(error))


def examine_house(house: House) -> Iterator[Finding]:
    """What the database tells."""

    def look(connection: Connection) -> list[Finding]:
        return [finding for looked in LOOKS for finding in looked(connection, house)]

    yield from house.read_now(look)


def _modes(settings: Settings) -> Iterator[Finding]:
    wanted = {settings.data_dir: 0o700, settings.key_path: 0o600}
    if settings.sqlite_path is not None:
        wanted[settings.sqlite_path] = 0o600
    for path, mode in wanted.items():
        if not path.exists():
            continue
        found = stat.S_IMODE(path.stat().st_mode)
        if found & ~mode & 0o777:
            yield Finding("bad", "rights", f"others may read {path} ({found:o}); run: chmod {mode:o} {path}")
        else:
            yield Finding("ok", "rights", f"{path} is readable by its owner alone")


def _same_disk(settings: Settings) -> Iterator[Finding]:
    database, key = settings.sqlite_path, settings.key_path
    if database is None or not database.exists() or not key.exists():
        return
    if database.stat().st_dev == key.stat().st_dev:
        words = "the key lies on the disk of the database: who takes the one has both. Set VOCERO_KEY_FILE to another."
        yield Finding("look", "key", words)
    else:
        yield Finding("ok", "key", "the key lies on another disk than the database")


def _disk_space(settings: Settings) -> Iterator[Finding]:
    free, reserve = shutil.disk_usage(settings.data_dir).free // MB, settings.disk_reserve_mb
    level: Level = "bad" if free < reserve else "look" if free < 2 * reserve else "ok"
    yield Finding(level, "disk", f"{free} MB free; below {reserve} MB nothing more is accepted")


def _encryption(settings: Settings) -> Iterator[Finding]:
    encrypted = is_encrypted(disk_of(settings.data_dir))
    if encrypted is None:
        yield Finding("look", "disk", "it cannot be seen whether the disk is encrypted; use LUKS on a laptop or a Pi")
    elif encrypted:
        yield Finding("ok", "disk", "the disk is encrypted")
    else:
        yield Finding("look", "disk", "the disk is not encrypted: who takes the machine has the key. Use LUKS.")
    for swap in open_swaps():
        yield Finding("look", "swap", f"{swap} is not encrypted and may hold texts: switch swap off, or use zram")


def _address(settings: Settings) -> Iterator[Finding]:
    local = settings.host in ("127.0.0.1", "::1", "localhost")
    if settings.base_url.startswith("https://"):
        yield Finding("ok", "address", f"others reach this gateway at {settings.base_url}")
    elif settings.allow_http or (settings.public_url and not local):
        words = "pages go over plain http: passwords can be read on the way. Put a proxy with https before it."
        yield Finding("bad", "address", words)
    else:
        yield Finding(
            "ok", "address", f"reached on this machine at {settings.base_url}; providers need an https address"
        )


def _integrity(connection: Connection, _house: House) -> Iterator[Finding]:
    if connection.dialect.name != "sqlite":
        return
    found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    if found == "ok":
        yield Finding("ok", "database", "the file is sound")
    else:
        yield Finding("bad", "database", "the file is damaged. Stop the server, keep the file, restore a backup.")


def _clock(connection: Connection, house: House) -> Iterator[Finding]:
    now = house.clock()
    kept = Message.__table__.c.kept_at  # type: ignore[attr-defined]
    latest: datetime | None = connection.scalar(select(func.max(kept)))
    if now < EARLIEST or (latest is not None and latest > now + timedelta(minutes=5)):
        yield Finding("bad", "clock", f"the clock says {now:%Y-%m-%d %H:%M} UTC, which cannot be. Set it; use chrony.")
    else:
        yield Finding("ok", "clock", f"{now:%Y-%m-%d %H:%M} UTC")
    if connection.dialect.name == "postgresql":
        there = connection.scalar(text("SELECT clock_timestamp()"))
        if there is not None and abs(there - house.clock()) > timedelta(seconds=5):
            yield Finding("look", "clock", "this machine and the database server disagree about the time")


def _channels(connection: Connection, house: House) -> Iterator[Finding]:
    found = look(connection, house)
    if not found:
        yield Finding("look", "channels", "there is none: nothing can be heard or sent. `vocero channel add`")
    zone = ZoneInfo(house.codebook(connection).zone)
    for one in found:
        yield from _channel(one, zone)
    lonely = without_stand_in(connection)
    if lonely:
        words = f"when one of {', '.join(lonely)} fails, none stands in for it; see `vocero route add`"
        yield Finding("look", "routes", words)


def _channel(one: ChannelState, zone: ZoneInfo) -> Iterator[Finding]:
    name, named = one.config.name, f"{one.config.name} ({one.config.kind})"
    if one.last_error is not None:
        yield Finding("bad", "channels", f"{named} cannot send: {one.last_error}")
        yield Finding("look", "channels", f"{name}: when it is mended, try it: vocero channel test {name} PHONE")
    elif one.row.state == "active":
        yield Finding("ok", "channels", f"{named} is active")
    else:
        yield Finding("look", "channels", f"{named} is {one.row.state}")
    if one.budget.is_limited:
        level: Level = "look" if one.budget.used(one.spent) >= WARN_AT else "ok"
        yield Finding(level, "channels", f"{name}: sent today {spent_words(one)}")
    signs = read_signs_soon(one.config)
    if signs is not None:
        yield Finding("ok", "channels", f"{name}: {signs_words(signs)}")
    if one.outages:
        spans = ", ".join(outages.span(outage, zone) for outage in one.outages[:NAMED])
        yield Finding("ok", "channels", f"{name}: outage {spans}")


def _queue(connection: Connection, house: House) -> Iterator[Finding]:
    for name, found in waiting(connection).items():
        if found.failed:
            yield Finding("look", "outbox", f"{found.failed} messages of {name} failed; see the page Outbox")
        if found.oldest is not None and house.clock() - found.oldest > OLDEST:
            yield Finding(
                "look", "outbox", f"{found.queued} messages wait for {name}; is a worker running, the link up?"
            )


def _people(connection: Connection, _house: House) -> Iterator[Finding]:
    able = (USER.c.role == "admin", USER.c.active, USER.c.password_hash.is_not(None))
    if connection.scalar(select(func.count()).select_from(USER).where(*able)):
        yield Finding("ok", "logins", "there is an admin")
    else:
        yield Finding("look", "logins", "nobody can open the pages yet; `vocero init` prints the link")
    pending = connection.scalar(select(func.count()).select_from(CONTACT).where(CONTACT.c.status == "pending"))
    if pending:
        yield Finding("look", "contacts", f"{pending} people asked to register and wait to be let in")


def count_unreachable(connection: Connection, house: House) -> tuple[int, int]:
    """(subscriptions that cannot be sent, for there is no address or no channel for it; all)."""
    found = standing(connection)
    who = {person.id: person for person in people(connection, house.sealer, only={row.contact_id for row in found})}
    lost = 0
    for row in found:
        lost += not any(route(connection, to) for to in addresses(who[row.contact_id], row.by))
    return lost, len(found)


def _subscriptions(connection: Connection, house: House) -> Iterator[Finding]:
    lost, number = count_unreachable(connection, house)
    if lost:
        yield Finding("look", "digests", f"{lost} subscriptions cannot be sent: no address or no channel for it")
    elif number:
        yield Finding("ok", "digests", f"{number} subscriptions")
    else:
        yield Finding("look", "digests", "nobody gets a digest; `vocero subscription add`")


def _uncovered(connection: Connection, house: House) -> Iterator[Finding]:
    """Municipalities without a coordinator: their alerts go to the sender's coordinators or to the admins."""
    places = house.codebook(connection).places
    lived_in, others = uncovered(connection, places)
    if lived_in:
        names = ", ".join(f"{places[code].name} ({code})" for code in lived_in[:NAMED])
        more = f" and {len(lived_in) - NAMED} more" if len(lived_in) > NAMED else ""
        yield Finding("look", "coordinators", f"no coordinator answers for {names}{more}, where monitors live")
    else:
        yield Finding("ok", "coordinators", "every monitor's municipality has a coordinator")
    if others:
        names = ", ".join(f"{places[code].name} ({code})" for code in others[:NAMED])
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        yield Finding("look", "coordinators", f"nor for {names}{more}, where none lives")


def _alert_rules(connection: Connection, _house: House) -> Iterator[Finding]:
    if alerts_urgent(connection):
        yield Finding("ok", "alerts", "every urgent report is alerted")
    else:
        yield Finding("bad", "alerts", "no rule alerts every urgent report; see `vocero alert-rule list`")


def _care(connection: Connection, house: House) -> Iterator[Finding]:
    """Who is silent, and which addresses nothing reaches."""
    silent = len(silent_contacts(connection, now=house.clock(), places=None))
    if silent:
        yield Finding("look", "contacts", f"{silent} people are silent for longer than expected; see the page Contacts")
    failing = connection.scalar(select(func.count()).select_from(ADDRESS).where(ADDRESS.c.failing_since.is_not(None)))
    if failing:
        yield Finding(
            "look", "contacts", f"{failing} addresses cannot be reached; correct them, then resume the digests"
        )


def _audit_log(connection: Connection, _house: House) -> Iterator[Finding]:
    broken = audit.first_broken(connection)
    if broken is None:
        yield Finding("ok", "audit log", "the chain holds")
    else:
        yield Finding("bad", "audit log", f"entry {broken} was changed, or one before it is gone")


LOOKS: tuple[Callable[[Connection, House], Iterator[Finding]], ...] = (
    _integrity, _clock, _channels, _queue, _people, _subscriptions, _uncovered, _alert_rules, _care, _audit_log,
)  # fmt: skip
