"""A modem behind gammu-smsd: the rig plays the daemon, which moves rows from one table to another."""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outbox.segments import split
from outbox.senders.gammu import CREATOR
from tests.conformance.rig import Delivery, Office, Rig
from tests.gateway.at_work import until
from tests.outbox.outbox_gammu import make_tables

NOBODY = "the database is our own: whoever can write there is the guard"


class Daemon:
    """Moves what is in `outbox` to `sentitems`. `idle`: no modem; `mute`: locked, and no word more; `code`: refused."""

    def __init__(self, path: Path) -> None:
        self.path, self.idle, self.mute, self.code = path, False, False, 0
        self.taken: list[tuple[str, str]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def _work(self) -> None:
        while not self._end.wait(0.05):
            if not self.idle:
                with self.open() as connection:
                    query = "SELECT * FROM outbox WHERE Retries = 0 ORDER BY Priority DESC, ID"
                    for row in connection.execute(query).fetchall():
                        self._take(connection, row)

    def _take(self, connection: sqlite3.Connection, row: sqlite3.Row) -> None:
        more = connection.execute(
            "SELECT TextDecoded FROM outbox_multipart WHERE ID = ? ORDER BY SequencePosition", (row["ID"],)
        ).fetchall()
        words = [row["TextDecoded"], *(part[0] for part in more)]
        if not self.code:
            self.taken.append((f"tel:{row['DestinationNumber']}", "".join(words)))
        if self.mute:
            connection.execute(
                "UPDATE outbox SET Retries = 1, SendingTimeOut = '2999-01-01' WHERE ID = ?", (row["ID"],)
            )
            return
        self.finish(connection, row, len(words))

    def finish(self, connection: sqlite3.Connection, row: sqlite3.Row, parts: int = 1) -> None:
        status = "SendingError" if self.code else "SendingOK"
        for seq in range(1, parts + 1):
            values = (row["ID"], seq, row["CreatorID"], status, self.code or -1, "2026-03-10 06:00:00", "x", "x")
            connection.execute(
                "INSERT INTO sentitems (ID, SequencePosition, CreatorID, Status, StatusCode, SendingDateTime, Text,"
                " TextDecoded) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values
            )  # fmt: skip
        connection.execute("DELETE FROM outbox WHERE ID = ?", (row["ID"],))
        connection.execute("DELETE FROM outbox_multipart WHERE ID = ?", (row["ID"],))

    def close(self) -> None:
        self._end.set()
        self._thread.join()


class GammuRig(Rig):
    kind = "gammu"
    brings_parts = True
    looks_up = True
    cannot = {
        "stranger": NOBODY, "wrong_key": NOBODY, "again": "a row is there once, and marked in the database",
        "throttled": "the daemon takes what it gets; how much lies there is ours to say",
    }  # fmt: skip

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.folder = Path(tempfile.mkdtemp(prefix="gammu"))
        self.path = self.folder / "smsd-conformance.db"
        make_tables(self.path)
        self.daemon = Daemon(self.path)

    secrets = ("smsd-conformance.db",)

    def settings(self) -> dict[str, str]:
        return {"database": str(self.path), "wait": "1"}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        """The daemon leaves rows; they are acknowledged when they are marked."""
        parts = split(delivery.text)
        with self.daemon.open() as connection:
            for number, part in enumerate(parts, 1):
                udh = f"0500037B{len(parts):02X}{number:02X}" if len(parts) > 1 else ""
                row = (
                    "2026-03-10 06:00:00", part.encode("utf-16-be").hex(), delivery.number, udh,
                    delivery.text if number == 1 else "", "modem",
                )  # fmt: skip
                connection.execute(
                    "INSERT INTO inbox (ReceivingDateTime, Text, SenderNumber, UDH, TextDecoded, RecipientID)"
                    " VALUES (?, ?, ?, ?, ?, ?)", row
                )  # fmt: skip

        async def marked() -> bool:
            with self.daemon.open() as connection:
                return not connection.execute("SELECT 1 FROM inbox WHERE Processed = 'false'").fetchall()

        try:
            await until(marked, 2.5)
        except AssertionError:
            with self.daemon.open() as connection:
                connection.execute("DELETE FROM inbox WHERE Processed = 'false'")
            return False
        return True

    async def report(self, office: Office, message: Any, status: str) -> bool:
        if status == "sent":
            return True
        word = {"delivered": "DeliveryOK", "failed": "DeliveryFailed"}[status]
        creator = CREATOR + message.id.hex
        with self.daemon.open() as connection:
            connection.execute("UPDATE sentitems SET Status = ? WHERE CreatorID = ?", (word, creator))

        async def taken() -> bool:
            with self.daemon.open() as connection:
                return not connection.execute("SELECT 1 FROM sentitems WHERE CreatorID = ?", (creator,)).fetchall()

        await until(taken)
        return True

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return list(self.daemon.taken)

    def set_trouble(self, trouble: str) -> None:
        self.daemon.idle = trouble == "offline"
        self.daemon.mute = trouble == "silent"
        self.daemon.code = 21 if trouble == "refused" else 0

    def mend(self) -> dict[str, str]:
        self.set_trouble("")
        with self.daemon.open() as connection:
            for row in connection.execute("SELECT * FROM outbox WHERE Retries = 1").fetchall():
                self.daemon.finish(connection, row)
        return {}

    def close(self) -> None:
        self.daemon.close()
        shutil.rmtree(self.folder, ignore_errors=True)


RIG = GammuRig
