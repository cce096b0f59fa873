"""A modem in the hands of SMS Server Tools 3 (smsd): its folders are the queue, and where a file lies says what became.

A message is one file under a name of ours, written elsewhere and renamed into `outgoing`; it is never written again
while a file of that name lies anywhere. At most `parallel` lie there at once, so that an alert does not wait behind a
digest, and what nobody took within a while is taken back: the modem is away, and nothing was handed over.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from outbox.address import Address
from outbox.errors import Deferred, InvalidAddress, Offline, Refused, SendError, UnknownResult, Unsupported
from outbox.senders.base import Envelope, Sent
from outbox.senders.pool import Pool
from outbox.senders.smsd_file import SmsdFile, compose, put, read_file, sync

PARALLEL = 3
LOOK_S = 0.3
WAIT_S = 40.0
SPOOL = "/var/spool/sms"
WORK = "vocero"
# +CMS ERROR codes of GSM 04.11 E-2 that say the number, not the moment, is wrong; and those that refuse the message.
NO_SUCH_NUMBER = {1, 28}
NOT_ALLOWED = {8, 10, 21, 29, 50, 69, 97}
_CODE = re.compile(r"CMS ERROR: ?(\d{1,3})")
HANDED = ("sent", "failed", "checked", "outgoing")


class Spool:
    """smsd's folders below one folder, or each where its setting says."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.root = Path(str(config.get("spool") or SPOOL))
        names = ("incoming", "outgoing", "checked", "sent", "failed", "report")
        self.folders = {name: Path(str(config.get(name) or self.root / name)) for name in names}
        self.work = self.root / WORK

    def __getitem__(self, name: str) -> Path:
        return self.folders[name]

    def find(self, name: str) -> tuple[str, Path] | None:
        """In which of its folders the file lies. Looked for against the way it goes, so that it is not missed."""
        for where in ("outgoing", "checked", "sent", "failed", "sent"):
            path = self.folders[where] / name
            if path.exists():
                return where, path
        return None


def file_name(message: UUID) -> str:
    return f"vocero-{message.hex}"


class SmstoolsSender:
    """Settings: spool (and incoming, outgoing, checked, sent, failed), modem, parallel, wait (seconds). No secrets."""

    def __init__(
        self, config: Mapping[str, Any], _secrets: Mapping[str, str], *, wait_s: float = WAIT_S,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.parallel = int(config.get("parallel") or PARALLEL)
        self._spool = Spool(config)
        self._queue = str(config.get("queue") or "")
        self._wait_s = float(config.get("wait") or wait_s)
        self._clock = clock
        self._pool = Pool(1, "smstools")

    async def send(self, envelope: Envelope) -> Sent:
        address = Address.parse(envelope.to)
        if address.kind != "tel":
            raise Unsupported
        name = file_name(envelope.id)
        await self._pool.run(lambda: self._hand_over(envelope, name, address.value))
        deadline = time.monotonic() + self._wait_s
        while time.monotonic() < deadline:
            ended = await self._pool.run(lambda: self._ended(name))
            if ended is not None:
                return ended
            await asyncio.sleep(LOOK_S)
        await self._pool.run(lambda: self._take_back(name))
        raise UnknownResult(detail={"where": "checked"})

    async def close(self) -> None:
        self._pool.close()

    def _hand_over(self, envelope: Envelope, name: str, number: str) -> None:
        outgoing = self._spool["outgoing"]
        if not outgoing.is_dir():
            raise Offline(detail={"folder": "outgoing"})
        lying = self._spool.find(name)
        if lying is not None and (lying[0] != "failed" or envelope.attempt == 1):
            return
        if lying is not None:
            lying[1].unlink(missing_ok=True)
        try:
            put(compose(self._headers(envelope, number), envelope.text), outgoing / name, self._spool.work)
        except OSError as error:
            raise Offline(detail={"exception": type(error).__name__}) from None

    def _headers(self, envelope: Envelope, number: str) -> dict[str, str]:
        headers = {
            "To": number.removeprefix("+"), "Alphabet": "UTF-8", "Report": "yes", "X-Outbox-Id": envelope.id.hex,
        }  # fmt: skip
        if envelope.kind == "alert":
            headers["Priority"] = "High"
        if self._queue:
            headers["Queue"] = self._queue
        if envelope.expires_at is not None:
            hours = max(1, int((envelope.expires_at - self._clock()).total_seconds() // 3600))
            headers["Validity"] = f"{hours} hour"
        return headers

    def _ended(self, name: str) -> Sent | None:
        """None while it lies before the modem. Raises a SendError when smsd gave up."""
        lying = self._spool.find(name)
        if lying is None or lying[0] in ("outgoing", "checked"):
            return None
        where, path = lying
        file = read_file(path)
        if where == "sent":
            return Sent(provider_id(file.get("modem"), file.get("message_id")))
        raise failure(file)

    def _take_back(self, name: str) -> None:
        """Raises Offline when it lay there untouched: then nothing was handed over."""
        path = self._spool["outgoing"] / name
        try:
            path.rename(self._spool.work / name)
        except OSError:
            return
        (self._spool.work / name).unlink(missing_ok=True)
        sync(path.parent)
        raise Offline(detail={"modem": "away"})


def failure(file: SmsdFile) -> SendError:
    """What a file in `failed` says: the reason smsd wrote there."""
    found = _CODE.search(file.get("fail_reason"))
    code = int(found[1]) if found else 0
    if code in NO_SUCH_NUMBER:
        return InvalidAddress(detail={"provider_code": code})
    if code in NOT_ALLOWED:
        return Refused(detail={"provider_code": code})
    return Deferred(detail={"provider_code": code} if code else {})


def provider_id(modem: str, reference: str) -> str | None:
    """By what a delivery report finds its message: the modem and its running number, 0 to 255, of which the newest
    counts."""
    return f"{modem or '-'}:{reference}" if reference else None
