"""A modem behind smsd: the rig plays the daemon, which takes files from one folder and leaves them in another."""

import shutil
import tempfile
import threading
from itertools import count
from pathlib import Path
from typing import Any

from outbox.segments import is_gsm7
from outbox.senders.smsd_file import parse, read_file
from tests.conformance.rig import Delivery, Office, Rig
from tests.gateway.at_work import until

FOLDERS = ("incoming", "outgoing", "checked", "sent", "failed", "report")
STATUS = {"delivered": "0,Ok", "failed": "70,Error"}
NOBODY = "files lie on our own disk: whoever can write there is the guard"


class Smsd:
    """Takes files as smsd does. `fail` is the reason it writes; `idle`: no modem; `mute`: taken, and no word more."""

    def __init__(self, spool: Path) -> None:
        self.spool, self.fail, self.idle, self.mute = spool, "", False, False
        self.taken: list[tuple[str, str]] = []
        self._numbers = count(1)
        self._end = threading.Event()
        for name in FOLDERS:
            (spool / name).mkdir(parents=True, exist_ok=True)
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        while not self._end.wait(0.02):
            for path in [] if self.idle else sorted((self.spool / "outgoing").iterdir()):
                self._take(path)

    def _take(self, path: Path) -> None:
        checked = self.spool / "checked" / path.name
        path.rename(checked)
        file = read_file(checked)
        head, _, body = checked.read_bytes().partition(b"\n\n")
        if self.fail:
            told, where = f"\nModem: GSM1\nFail_reason: {self.fail}", "failed"
        else:
            self.taken.append((f"tel:+{file.get('to')}", parse(head + b"\n\n" + body).text))
            told, where = f"\nModem: GSM1\nMessage_id: {next(self._numbers)}", "sent"
        if self.mute:
            return
        checked.write_bytes(head + told.encode() + b"\n\n" + body)
        checked.rename(self.spool / where / path.name)

    def close(self) -> None:
        self._end.set()
        self._thread.join()


class SmstoolsRig(Rig):
    kind = "smstools"
    cannot = {
        "stranger": NOBODY, "wrong_key": NOBODY,
        "throttled": "smsd takes what it gets; how much lies there is ours to say",
    }  # fmt: skip
    codes = {"refused": "refused"}
    looks_up = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.spool = Path(tempfile.mkdtemp(prefix="smsd"))
        self.daemon = Smsd(self.spool)
        self._numbers = count(1)

    def settings(self) -> dict[str, str]:
        return {"spool": str(self.spool), "wait": "1"}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        """smsd leaves a file; it is acknowledged when it is gone from there."""
        alphabet = "UTF-8" if is_gsm7(delivery.text) else "UCS2"
        body = delivery.text.encode("utf-8" if alphabet == "UTF-8" else "utf-16-be")
        head = f"From: {delivery.number[1:]}\nFrom_TOA: 91 international\nModem: GSM1\nAlphabet: {alphabet}\n\n"
        path = self.spool / "incoming" / f"GSM1.{delivery.id}"
        made = self.spool / delivery.id
        made.write_bytes(head.encode() + body)
        made.rename(path)

        async def gone() -> bool:
            return not path.exists()

        try:
            await until(gone, 2.5)
        except AssertionError:
            path.unlink(missing_ok=True)
            return False
        return True

    async def report(self, office: Office, message: Any, status: str) -> bool:
        if status == "sent":
            return True
        number = message.provider_id.partition(":")[2]
        path = self.spool / "report" / f"GSM1.r{next(self._numbers)}"
        words = f"SMS STATUS REPORT\nMessage_id: {number}\nDischarge_timestamp: \nStatus: {STATUS[status]}"
        path.write_text(f"From: 1\nModem: GSM1\nAlphabet: UTF-8\n\n{words}")

        async def gone() -> bool:
            return not path.exists()

        await until(gone)
        return True

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return list(self.daemon.taken)

    def set_trouble(self, trouble: str) -> None:
        self.daemon.idle = trouble == "offline"
        self.daemon.mute = trouble == "silent"
        self.daemon.fail = "+CMS ERROR: 21 (Short message transfer rejected)" if trouble == "refused" else ""

    def mend(self) -> dict[str, str]:
        self.set_trouble("")
        for path in (self.spool / "checked").iterdir():
            number = next(self._numbers)
            path.write_text(f"To: 1\nModem: GSM1\nMessage_id: {number}\n\n")
            path.rename(self.spool / "sent" / path.name)
        return {}

    def close(self) -> None:
        self.daemon.close()
        shutil.rmtree(self.spool, ignore_errors=True)


RIG = SmstoolsRig
