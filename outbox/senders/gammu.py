"""A modem in the hands of gammu-smsd: a message is a row of its `outbox` table or a file of its outbox folder.

Both bear our id, so that a message is looked for before it is written again; both are waited for until they moved on,
and taken back when the daemon did not touch them (see `outbox.senders.smstools`, which works the same way).
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from outbox.address import Address
from outbox.errors import Deferred, InvalidAddress, Offline, Refused, SendError, UnknownResult, Unsupported
from outbox.segments import is_gsm7, split
from outbox.senders.base import Envelope, Sent
from outbox.senders.pool import Pool
from outbox.senders.smsd_file import put
from outbox.senders.smstools import NO_SUCH_NUMBER, NOT_ALLOWED

PARALLEL = 3
LOOK_S = 0.3
WAIT_S = 40.0
BUSY_S = 10.0
CREATOR = "vocero-"
GONE = ("SendingOK", "SendingOKNoReport", "DeliveryOK", "DeliveryFailed", "DeliveryPending", "DeliveryUnknown")


class Box(Protocol):
    """Where gammu-smsd takes messages from."""

    def put(self, envelope: Envelope, number: str) -> None:
        """Leave the message there unless it lies anywhere. Raises Offline when it could not be left."""
        ...

    def ended(self, message: UUID) -> Sent | None:
        """None while it waits. Raises a SendError when the daemon gave up."""
        ...

    def take_back(self, message: UUID) -> bool:
        """Whether it lay there untouched and lies there no more."""
        ...


class GammuSender:
    """Settings: database (its SQL service), or outbox, sent and error (its files service); parallel, wait."""

    def __init__(self, config: Mapping[str, Any], _secrets: Mapping[str, str]) -> None:
        self.parallel = int(config.get("parallel") or PARALLEL)
        self._wait_s = float(config.get("wait") or WAIT_S)
        self._pool = Pool(1, "gammu")
        self._box: Box = Tables(str(config["database"])) if config.get("database") else Folders(config)

    async def send(self, envelope: Envelope) -> Sent:
        address = Address.parse(envelope.to)
        if address.kind != "tel":
            raise Unsupported
        await self._pool.run(lambda: self._box.put(envelope, address.value))
        deadline = time.monotonic() + self._wait_s
        while time.monotonic() < deadline:
            ended = await self._pool.run(lambda: self._box.ended(envelope.id))
            if ended is not None:
                return ended
            await asyncio.sleep(LOOK_S)
        if await self._pool.run(lambda: self._box.take_back(envelope.id)):
            raise Offline(detail={"modem": "away"})
        raise UnknownResult(detail={"where": "outbox"})

    async def close(self) -> None:
        self._pool.close()


def engine_of(database: str) -> Engine:
    """Connections to gammu-smsd's database: a path is SQLite. Each use opens one, for the daemon may be replaced."""
    if database.startswith("/"):
        return create_engine(f"sqlite:///{database}", poolclass=NullPool, connect_args={"timeout": BUSY_S})
    url = database.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": int(BUSY_S)})


class Tables:
    """The SQL service, schema version 17."""

    def __init__(self, database: str) -> None:
        self._engine = engine_of(database)

    def put(self, envelope: Envelope, number: str) -> None:
        try:
            with self._engine.begin() as connection:
                found = self._found(connection, envelope.id)
                if found == "failed" and envelope.attempt > 1:
                    connection.execute(text('DELETE FROM sentitems WHERE "CreatorID" = :creator'), _who(envelope.id))
                elif found:
                    return
                self._insert(connection, envelope, number)
        except SQLAlchemyError as error:
            raise Offline(detail={"exception": type(error).__name__}) from None

    def _found(self, connection: Connection, message: UUID) -> str:
        """`waiting`, `gone`, `failed`, or nothing."""
        if connection.execute(text('SELECT 1 FROM outbox WHERE "CreatorID" = :creator'), _who(message)).first():
            return "waiting"
        rows = connection.execute(text('SELECT "Status" FROM sentitems WHERE "CreatorID" = :creator'), _who(message))
        states = {row[0] for row in rows}
        return "" if not states else "gone" if states <= set(GONE) else "failed"

    def _insert(self, connection: Connection, envelope: Envelope, number: str) -> None:
        parts = split(envelope.text)
        coding = "Default_No_Compression" if is_gsm7(envelope.text) else "Unicode_No_Compression"
        reference = envelope.id.bytes[-1]
        heads = [f"050003{reference:02X}{len(parts):02X}{index:02X}" for index in range(1, len(parts) + 1)]
        row = {
            "number": number, "text": parts[0], "creator": CREATOR + envelope.id.hex, "coding": coding,
            "udh": heads[0] if len(parts) > 1 else "", "multi": "true" if len(parts) > 1 else "false",
            "priority": 10 if envelope.kind == "alert" else 0, "past": _past(),
        }  # fmt: skip
        made = connection.execute(
            text(
                'INSERT INTO outbox ("DestinationNumber", "TextDecoded", "CreatorID", "Coding", "UDH", "MultiPart",'
                ' "Priority", "DeliveryReport", "SendingDateTime", "SendingTimeOut", "InsertIntoDB", "UpdatedInDB")'
                " VALUES (:number, :text, :creator, :coding, :udh, :multi, :priority, 'yes', :past, :past, :past,"
                ' :past) RETURNING "ID"'
            ),
            row,
        ).scalar_one()
        more = [
            {"id": made, "seq": seq, "udh": heads[seq - 1], "coding": coding, "text": part}
            for seq, part in enumerate(parts[1:], 2)
        ]
        if more:
            connection.execute(
                text(
                    'INSERT INTO outbox_multipart ("ID", "SequencePosition", "UDH", "Coding", "TextDecoded")'
                    " VALUES (:id, :seq, :udh, :coding, :text)"
                ),
                more,
            )

    def ended(self, message: UUID) -> Sent | None:
        query = text('SELECT "Status", "StatusCode", "SequencePosition" FROM sentitems WHERE "CreatorID" = :creator')
        try:
            with self._engine.connect() as connection:
                waits = text('SELECT 1 FROM outbox WHERE "CreatorID" = :creator')
                if connection.execute(waits, _who(message)).first():
                    return None
                rows = connection.execute(query, _who(message)).all()
        except SQLAlchemyError:
            return None
        if not rows:
            return None
        failed = [int(row[1]) for row in rows if row[0] not in GONE]
        if failed:
            raise failure(failed[0])
        return Sent(f"{CREATOR}{message.hex}", segments=len(rows))

    def take_back(self, message: UUID) -> bool:
        """The daemon locks what it sends by a time-out that lies ahead."""
        untouched = text(
            'DELETE FROM outbox WHERE "CreatorID" = :creator AND "Status" = \'Reserved\' AND "Retries" = 0'
            ' AND "SendingTimeOut" <= :now RETURNING "ID"'
        )
        who = {**_who(message), "now": f"{local_now():%Y-%m-%d %H:%M:%S}"}
        try:
            with self._engine.begin() as connection:
                gone = connection.execute(untouched, who).first()
                if gone is not None:
                    connection.execute(text('DELETE FROM outbox_multipart WHERE "ID" = :id'), {"id": gone[0]})
        except SQLAlchemyError:
            return False
        return gone is not None


class Folders:
    """The files service: `OUT...` files, whose names gammu-smsd keeps when it moves them."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._outbox, self._sent, self._error = (Path(str(config.get(name))) for name in ("outbox", "sent", "error"))

    def put(self, envelope: Envelope, number: str) -> None:
        if not self._outbox.is_dir():
            raise Offline(detail={"folder": "outbox"})
        failed = self._lying(self._error, envelope.id)
        if failed is not None and envelope.attempt > 1:
            failed.unlink(missing_ok=True)
        elif failed is not None or any(self._lying(place, envelope.id) for place in (self._outbox, self._sent)):
            return
        letter = "A" if envelope.kind == "alert" else "N"
        name = f"OUT{letter}{local_now():%Y%m%d_%H%M%S}_00_{number}_{CREATOR}{envelope.id.hex}.txtd"
        try:
            put(b"\xfe\xff" + envelope.text.encode("utf-16-be"), self._outbox / name, self._outbox.parent / "vocero")
        except OSError as error:
            raise Offline(detail={"exception": type(error).__name__}) from None

    def ended(self, message: UUID) -> Sent | None:
        if self._lying(self._outbox, message) is not None:
            return None
        if self._lying(self._error, message) is not None:
            raise Deferred(detail={"where": "error"})
        return Sent(f"{CREATOR}{message.hex}") if self._lying(self._sent, message) is not None else None

    def take_back(self, message: UUID) -> bool:
        path = self._lying(self._outbox, message)
        if path is None:
            return False
        aside = self._outbox.parent / "vocero" / path.name
        try:
            path.rename(aside)
        except OSError:
            return False
        aside.unlink(missing_ok=True)
        return True

    @staticmethod
    def _lying(folder: Path, message: UUID) -> Path | None:
        return next(iter(folder.glob(f"OUT*_{CREATOR}{message.hex}.txt*")), None)


def failure(code: int) -> SendError:
    """What a CMS error code says of the message; the daemon tells -1 when it knows none."""
    detail = {"provider_code": code} if code > 0 else {}
    if code in NO_SUCH_NUMBER:
        return InvalidAddress(detail=detail)
    return Refused(detail=detail) if code in NOT_ALLOWED else Deferred(detail=detail)


def local_now() -> datetime:
    """The daemon compares with, and names its files by, the local time of its machine."""
    return datetime.now(UTC).astimezone()


def _past() -> str:
    return f"{local_now() - timedelta(minutes=1):%Y-%m-%d %H:%M:%S}"


def _who(message: UUID) -> dict[str, str]:
    return {"creator": CREATOR + message.hex}
