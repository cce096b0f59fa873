"""A scratch installation on which a day is played, and the wires around it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe

from sqlalchemy import Connection, select, text, update

from gateway import install, limits, subscriptions, users
from gateway.channels import registry
from gateway.clock import Clock
from gateway.contacts import import_contacts, require
from gateway.days.clockwork import DayClock
from gateway.days.model import HTTP, MAIL, MODEM, Day
from gateway.days.record import Record
from gateway.days.wires import Post, Provider, free_port
from gateway.db import make_engine
from gateway.digests.periods import OFFICE_HOURS, Rhythm, last_end
from gateway.errors import Conflict
from gateway.house import COUNTER, House, open_house
from gateway.settings import Settings
from gateway.wishes import Wish

ACTOR = "system"
OFFICE = "vocero@oficina.example"
LOGIN = "simulate"


@dataclass
class Stage:
    """The wires, the clock and the settings; the house is opened and closed upon it as the power comes and goes."""

    day: Day
    clock: DayClock
    settings: Settings
    record: Record
    providers: dict[str, Provider]
    post: Post
    listen: int
    token: str
    cookie: str = ""

    def wire(self, channel: str) -> Provider | Post:
        return self.post if channel == MAIL else self.providers[channel]


@contextmanager
def built(day: Day, database_url: str | None) -> Iterator[Stage]:
    """Make the installation in a folder that is thrown away; on Postgres in the empty database that is named.

    Raises Conflict when that database is not empty.
    """
    first = min([day.start, *(earlier.at for earlier in day.before)]) - timedelta(minutes=1)
    clock = DayClock(first)
    record = Record(day.start, day.start)
    with tempfile.TemporaryDirectory(prefix="vocero-day-") as folder:
        settings = _scratch_settings(day, Path(folder) / "data", database_url)
        _refuse_full(settings)
        names = [MODEM, HTTP] if "http" in day.vias else [MODEM]
        stage = Stage(
            day, clock, settings, record, {name: Provider(clock, record.sends.append) for name in names},
            Post(clock, record.sends.append), free_port(), token_urlsafe(16),
        )  # fmt: skip
        install.init(settings, clock)
        house = open_house(settings, clock)
        try:
            house.writer.write_now(lambda connection: _furnish(connection, house, stage), timeout=None)
        finally:
            house.close()
        wires: list[Provider | Post] = [*stage.providers.values(), stage.post]
        try:
            for wire in wires:
                wire.up()
            yield stage
        finally:
            for wire in wires:
                wire.down()


def _scratch_settings(day: Day, folder: Path, database_url: str | None) -> Settings:
    """Every setting is given, so that nothing is taken from the environment of whoever plays."""
    defaults = {name: found.get_default() for name, found in Settings.model_fields.items()}
    ours = {
        "data_dir": folder, "database_url": database_url, "log_level": "error", "log_format": "console",
        "disk_reserve_mb": 0, **day.settings, "ref_start": day.refs_from,
    }  # fmt: skip
    return Settings.model_validate({**defaults, **ours})


def _refuse_full(settings: Settings) -> None:
    if settings.sqlite_path is not None:
        return
    engine = make_engine(settings.url)
    try:
        if not install.is_empty(engine):
            raise Conflict("That database is not empty. A day is played in an empty one, which it fills.")
    finally:
        engine.dispose()


def _furnish(connection: Connection, house: House, stage: Stage) -> None:
    """Channels, limits, and the people of whom something is told before the day; the others come as it begins."""
    day, now = stage.day, stage.clock()
    for name, provider in stage.providers.items():
        values = {"token": stage.token, "send_url": f"http://127.0.0.1:{provider.port}/send"}
        registry.add(connection, house.sealer, kind="http", name=name, values=values, at=now, actor=ACTOR)
    mail = {
        "host": "127.0.0.1", "port": str(stage.post.port), "tls": "none", "from": OFFICE,
        "listen": f"127.0.0.1:{stage.listen}",
    }  # fmt: skip
    registry.add(connection, house.sealer, kind="smtp", name=MAIL, values=mail, at=now, actor=ACTOR)
    for name, value in day.limits.items():
        limits.change(connection, name, value, at=now, actor=ACTOR)
    heard = {address for earlier in day.before for address in earlier.text.sender.addresses}
    rows = [row for row in day.cast.rows if heard & set(row.addresses)]
    import_contacts(connection, rows, sealer=house.sealer, now=now, actor=ACTOR)


def begin(connection: Connection, house: House, stage: Stage) -> None:
    """Bring the people nothing was told of, the digests, and the number of the first report, as the day begins."""
    day, now = stage.day, stage.clock()
    heard = {address for earlier in day.before for address in earlier.text.sender.addresses}
    rows = [row for row in day.cast.rows if not heard & set(row.addresses)]
    import_contacts(connection, rows, sealer=house.sealer, now=now, actor=ACTOR)
    for wanted in day.subscriptions:
        contact = require(connection, wanted.member.addresses[0], house.sealer)
        subscriptions.add(connection, contact, wanted.wish, now=_period_before(wanted.wish, now), actor=ACTOR)
    set_next_ref(connection, day.refs_from)


def _period_before(wish: Wish, now: datetime) -> datetime:
    """When the digest before the day was due: what came before it counts as told. One that is due as the day begins
    belongs to the day."""
    hours = wish.hours or OFFICE_HOURS
    rhythm = Rhythm(hours, wish.zone, wish.every, wish.weekday, wish.month_day)
    return last_end(rhythm, now - timedelta(seconds=1))


def set_next_ref(connection: Connection, ref: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER SEQUENCE report_ref_seq RESTART WITH {int(ref)}"))
    connection.execute(update(COUNTER).where(COUNTER.c.name == "report_ref").values(value=ref - 1))


def log_in(connection: Connection, now: Clock) -> str:
    """The cookie of an admin who is logged in, so that pages can be looked at."""
    from gateway import sessions

    if users.find_user(connection, LOGIN) is None:
        users.add_user(connection, name=LOGIN, role="admin", at=now(), actor=ACTOR)
    user = connection.scalar(select(users.USER.c.id).where(users.USER.c.name == LOGIN))
    assert user is not None
    return sessions.start(connection, user, now())
