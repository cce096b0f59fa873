"""A modem in the hands of gammu-smsd: its database, or its folders, are the queue in both directions.

gammu itself is under the GPL and stays a program of its own: only its tables and files are touched here.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gateway.channels import checks
from gateway.channels.base import (
    ChannelConfig,
    Kind,
    Listener,
    SettingError,
    Signs,
    Spec,
    Status,
    StatusReport,
    Surroundings,
)  # fmt: skip
from gateway.channels.spool import AT_ONCE, Found, SpoolListener, put_away
from gateway.incoming import Incoming
from outbox.address import parse_sender
from outbox.senders.gammu import CREATOR, engine_of, local_now
from outbox.senders.smpp_pdu import part_of_header

if TYPE_CHECKING:
    from outbox.senders.base import Sender

# A text of several files is taken when none of them is younger.
QUIET_S = 1.5
SWEEP_S = 60.0
# What was sent is looked for by its row or name until no try can be left open.
MARKERS = timedelta(days=4)
REPORTS: dict[str, Status] = {"DeliveryOK": "delivered", "DeliveryFailed": "failed"}
_NAME = re.compile(r"IN(\d{8})_(\d{6})_(\d+)_(.*)_(\d+)\.(?:txt|bin|smsbackup)")


class Tables:
    """gammu-smsd's SQL service, schema version 17."""

    def __init__(self, config: ChannelConfig, clock: Callable[[], datetime]) -> None:
        self._name, self._clock = config.name, clock
        self._engine = engine_of(config.get("database"))
        self._zone = ZoneInfo(config.get("zone")) if config.get("zone") else None
        self._swept = float("-inf")

    def check(self) -> None:
        """Raises OSError when there is no such database or not one of gammu-smsd's."""
        try:
            with self._engine.connect() as connection:
                connection.execute(text('SELECT "ID" FROM inbox LIMIT 1'))
        except SQLAlchemyError as error:
            raise OSError("gammu-smsd's database cannot be read") from error

    def look(self) -> Sequence[Found]:
        query = text('SELECT * FROM inbox WHERE "Processed" = \'false\' ORDER BY "ID" LIMIT :most')
        told = text(
            'SELECT DISTINCT "CreatorID", "Status" FROM sentitems WHERE "CreatorID" LIKE :ours'
            " AND \"Status\" IN ('DeliveryOK', 'DeliveryFailed') LIMIT :most"
        )
        with self._engine.connect() as connection:
            texts = connection.execute(query, {"most": AT_ONCE}).mappings().all()
            reports = connection.execute(told, {"ours": f"{CREATOR}%", "most": AT_ONCE}).mappings().all()
        if time.monotonic() - self._swept > SWEEP_S:
            self._swept = time.monotonic()
            self._sweep()
        found = [Found(self._incoming(row), partial(self._taken, row["ID"])) for row in texts]
        return [*found, *(made for row in reports if (made := self._report(row)) is not None)]

    def _incoming(self, row: Any) -> Incoming:
        """`Text` holds the row's own words; `TextDecoded` of the first part those of all."""
        parsed = parse_sender(str(row["SenderNumber"] or ""))
        words = _decoded(str(row["Text"] or "")) or str(row["TextDecoded"] or "")
        heard, part = str(row["ReceivingDateTime"]), part_of_header(_octets(str(row["UDH"] or "")))
        digest = hashlib.sha256(f"{heard} {words}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return Incoming(
            channel=self._name, sender=str(parsed.address or f"raw:{parsed.value}"),
            text=words.replace("\0", "\ufffd"), heard_at=self._clock(), external_id=f"{row['ID']}:{digest}",
            to=row["RecipientID"] or None, sent_at=_moment(heard[:19], "%Y-%m-%d %H:%M:%S", self._zone, self._clock()),
            part=part and (f"gammu{part[0]}", part[1], part[2]),
        )  # fmt: skip

    def _report(self, row: Any) -> Found | None:
        ours = _ours(row["CreatorID"])
        if ours is None:
            return None
        status = REPORTS[row["Status"]]
        report = StatusReport(status, ours, None, "undelivered" if status == "failed" else None)
        return Found(report, partial(self._forget, row["CreatorID"]))

    def _taken(self, number: int) -> None:
        """The words are kept sealed now; here they are blanked."""
        blank = 'UPDATE inbox SET "Processed" = \'true\', "Text" = \'\', "TextDecoded" = \'\' WHERE "ID" = :id'
        with self._engine.begin() as connection:
            connection.execute(text(blank), {"id": number})

    def _forget(self, creator: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(text('DELETE FROM sentitems WHERE "CreatorID" = :creator'), {"creator": creator})

    def _sweep(self) -> None:
        before = (local_now() - MARKERS).strftime("%Y-%m-%d %H:%M:%S")
        old = 'DELETE FROM sentitems WHERE "CreatorID" LIKE :ours AND "SendingDateTime" < :before'
        blank = (
            'UPDATE sentitems SET "Text" = \'\', "TextDecoded" = \'\' WHERE "CreatorID" LIKE :ours'
            " AND \"TextDecoded\" <> ''"
        )
        with self._engine.begin() as connection:
            connection.execute(text(old), {"ours": f"{CREATOR}%", "before": before})
            connection.execute(text(blank), {"ours": f"{CREATOR}%"})


class Folders:
    """gammu-smsd's files service."""

    def __init__(self, config: ChannelConfig, clock: Callable[[], datetime]) -> None:
        self._name, self._clock = config.name, clock
        self._inbox = Path(config.get("inbox"))
        self._done = [Path(config.get(name)) for name in ("sent", "error") if config.get(name)]
        self._zone = ZoneInfo(config.get("zone")) if config.get("zone") else None
        self._swept = float("-inf")

    def check(self) -> None:
        next(self._inbox.iterdir(), None)

    def look(self) -> Sequence[Found]:
        if time.monotonic() - self._swept > SWEEP_S:
            self._swept = time.monotonic()
            self._sweep()
        named = sorted((match, path) for path in self._inbox.iterdir() if (match := _key(path)) is not None)
        found = []
        for key, group in groupby(named, key=lambda pair: pair[0][:4]):
            paths = [path for _, path in group]
            if all(time.time() - path.stat().st_mtime > QUIET_S for path in paths):
                found.append(self._found(key, paths))
        return found[:AT_ONCE]

    def _found(self, key: tuple[str, ...], paths: list[Path]) -> Found:
        parsed = parse_sender(key[3])
        words = "".join(_words(path.read_bytes()) for path in paths)
        digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        incoming = Incoming(
            channel=self._name, sender=str(parsed.address or f"raw:{parsed.value}"),
            text=words.replace("\0", "\ufffd"), heard_at=self._clock(), external_id=f"{':'.join(key[:3])}:{digest}",
            sent_at=_moment(key[0] + key[1], "%Y%m%d%H%M%S", self._zone, self._clock()),
        )  # fmt: skip
        return Found(incoming, partial(_remove, paths))

    def _sweep(self) -> None:
        """Sent words leave the disk, the names that tell it was sent stay a while."""
        for folder in self._done:
            for path in folder.glob(f"OUT*_{CREATOR}*"):
                age = time.time() - path.stat().st_mtime
                if age > MARKERS.total_seconds():
                    path.unlink(missing_ok=True)
                elif path.stat().st_size:
                    path.write_bytes(b"")


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        put_away(path, None)


def _key(path: Path) -> tuple[str, str, str, str, int] | None:
    """Date, time, serial number, sender and part that the name of a file tells."""
    found = _NAME.fullmatch(path.name)
    return (found[1], found[2], found[3], found[4], int(found[5])) if found else None


def _words(octets: bytes) -> str:
    """What an inbox file says: UTF-16 with a mark, or the local 8-bit encoding."""
    if octets.startswith((b"\xfe\xff", b"\xff\xfe")):
        return octets.decode("utf-16", "replace")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _decoded(octets: str) -> str:
    return _octets(octets).decode("utf-16-be", "replace")


def _octets(told: str) -> bytes:
    try:
        return bytes.fromhex(told)
    except ValueError:
        return b""


def _ours(creator: str) -> UUID | None:
    try:
        return UUID(creator.removeprefix(CREATOR))
    except ValueError:
        return None


def _moment(told: str, form: str, zone: ZoneInfo | None, now: datetime) -> datetime | None:
    """A local time of the daemon's machine, which is this one unless a zone is given; None when it lies ahead."""
    try:
        moment = datetime.strptime(told, form).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment < now + timedelta(minutes=10) else None


def signs(config: ChannelConfig) -> Signs:
    """What gammu-smsd last wrote of its phone; a heartbeat that stopped is told as `away`."""
    if not config.get("database"):
        return Signs({})
    try:
        with engine_of(config.get("database")).connect() as connection:
            rows = connection.execute(text('SELECT * FROM phones ORDER BY "UpdatedInDB" DESC')).mappings().all()
            waiting = connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    except SQLAlchemyError:
        return Signs({"database": "cannot be read"})
    told, latest = {"waiting in the database": str(waiting)}, dict(rows[0]) if rows else {}
    at = _moment(str(latest.get("TimeOut"))[:19], "%Y-%m-%d %H:%M:%S", None, datetime.now(UTC) + timedelta(hours=1))
    if at is not None:
        told["modem"] = "here" if at > datetime.now(UTC) - timedelta(minutes=2) else "away"
    percent, battery = int(latest.get("Signal", -1)), int(latest.get("Battery", -1))
    dbm = -113 + round(62 * percent / 100) if percent >= 0 else None
    return Signs(told, signal_dbm=dbm, battery=battery if battery >= 0 else None, at=at)


def database(value: str) -> str:
    """The path of an SQLite file, or the address of a Postgres database."""
    if not value.strip().startswith(("/", "postgresql://")):
        raise SettingError("must be the path of an SQLite file or an address like postgresql://user@host/smsd")
    return value.strip()


def listen(config: ChannelConfig, around: Surroundings) -> list[Listener]:
    if not config.get("database") and not config.get("inbox"):
        return []
    place = Tables(config, around.clock) if config.get("database") else Folders(config, around.clock)
    return [SpoolListener(config, around, place.look, place.check)]


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    if not config.get("database") and not config.get("outbox"):
        return None
    from outbox.senders.gammu import GammuSender

    return GammuSender({**config.config, **config.secrets}, config.secrets)


def _folders() -> Iterator[Spec]:
    for name in ("inbox", "outbox", "sent", "error"):
        yield Spec(name, f"without a database: gammu-smsd's folder for {name}", check=checks.folder)


KIND = Kind(
    "gammu", "USB modem (gammu-smsd)",
    settings=(
        Spec("database", "its database: a path for SQLite, or postgresql://...", secret=True, check=database),
        *_folders(),
        Spec("zone", "the time zone gammu-smsd writes its times in, when it is not this machine's", check=checks.zone),
        Spec("parallel", "how many messages may lie before the modem at once, 1 to 20", check=checks.number(1, 20)),
        Spec("wait", "seconds after which an untouched message is taken back, 1 to 40", check=checks.number(1, 40)),
        Spec("poll", "seconds between two looks, 1 to 60", check=checks.number(1, 60)),
    ),
    listen=listen,
    make_sender=make_sender,
    signs=signs,
)  # fmt: skip
