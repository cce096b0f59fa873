"""A modem in the hands of SMS Server Tools 3: smsd's folders are the queue in both directions."""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from gateway.channels import checks
from gateway.channels.base import ChannelConfig, Kind, Listener, Signs, Spec, StatusReport, Surroundings
from gateway.channels.spool import AT_ONCE, Found, SpoolListener, put_away
from gateway.incoming import Incoming
from outbox.address import parse_sender
from outbox.senders.smpp_pdu import part_of_header
from outbox.senders.smsd_file import SmsdFile, read_file
from outbox.senders.smstools import HANDED, Spool, provider_id

if TYPE_CHECKING:
    from outbox.senders.base import Sender

# A file this young may still be written.
YOUNG_S = 0.3
KEEP_DAYS = 1
CLOCKS_APART = timedelta(minutes=10)
# What was sent is looked up by its file's name until no try can be left open; its words go much earlier.
MARKERS = timedelta(days=4)
WORDS = timedelta(minutes=15)
SWEEP_S = 60.0
_STATUS = re.compile(r"^(\d{1,3})")
_REPORT = "SMS STATUS REPORT"


class Folders:
    """smsd's folders as the listener sees them: what is new, and where it goes when it is kept."""

    def __init__(self, config: ChannelConfig, clock: Callable[[], datetime]) -> None:
        self._name = config.name
        self._clock = clock
        self._spool = Spool(config.config)
        # smsd writes the local time of the machine it runs on, which is this one unless told otherwise.
        self._zone = ZoneInfo(config.get("zone")) if config.get("zone") else None
        self._index: dict[str, tuple[str, float]] = {}
        days = config.get("keep_days")
        self._keep = timedelta(days=int(days) if days else KEEP_DAYS)
        self._kept = self._spool.work / "kept" if self._keep else None
        self._swept = float("-inf")

    def check(self) -> None:
        for name in ("incoming", "outgoing"):
            next(self._spool[name].iterdir(), None)
        self._spool.work.mkdir(mode=0o700, exist_ok=True)

    def look(self) -> Sequence[Found]:
        """Texts and delivery reports, oldest first."""
        if time.monotonic() - self._swept > SWEEP_S:
            self._swept = time.monotonic()
            self._sweep()
        folders = {self._spool["incoming"], self._spool["report"]}
        paths = sorted((path for folder in folders for path in _files(folder)), key=_age)
        return [found for path in paths[:AT_ONCE] if (found := self._found(path)) is not None]

    def _found(self, path: Path) -> Found | None:
        try:
            file = read_file(path)
        except OSError:
            return None
        done = partial(put_away, path, self._kept)
        report = self._report(file)
        if report is not None:
            return Found(report, partial(put_away, path, None))
        if _is_report(file):
            put_away(path, self._kept)
            return None
        return Found(self._incoming(path, file), done)

    def _incoming(self, path: Path, file: SmsdFile) -> Incoming:
        parsed = parse_sender(_with_plus(file))
        digest = hashlib.sha256(file.body + repr(sorted(file.headers.items())).encode()).hexdigest()[:16]
        text = file.text.replace("\0", "\ufffd")
        part = part_of_header(_octets(file.get("udh-data")))
        return Incoming(
            channel=self._name, sender=str(parsed.address or f"raw:{parsed.value}"), text=text,
            heard_at=self._clock(), external_id=f"{path.name}:{digest}", to=file.get("modem") or None,
            sent_at=self._moment(file.get("sent")), raw=None if "\ufffd" not in text else file.body.hex(),
            part=part and (f"sms{part[0]}", part[1], part[2]),
        )  # fmt: skip

    def _report(self, file: SmsdFile) -> StatusReport | None:
        """None for what is no report, and for one that tells of a moment in between."""
        told = dict(line.partition(": ")[::2] for line in file.text.splitlines()) if _is_report(file) else {}
        status, name = _STATUS.match(told.get("Status", "")), provider_id(file.get("modem"), told.get("Message_id", ""))
        if status is None or name is None:
            return None
        code, at, ours = int(status[1]), self._moment(told.get("Discharge_timestamp", "")), self._sent_as(name)
        if code < 32:
            return StatusReport("delivered", ours, name, None, at)
        return StatusReport("failed", ours, name, f"status {code}", at) if code >= 64 else None

    def _sent_as(self, name: str) -> UUID | None:
        """The newest message that smsd sent under this number, also when our own record of it is yet to come."""
        there = {path.name: path for path in self._spool["sent"].glob("vocero-*")}
        for gone in self._index.keys() - there.keys():
            del self._index[gone]
        for new in there.keys() - self._index.keys():
            file = read_file(there[new])
            self._index[new] = (provider_id(file.get("modem"), file.get("message_id")) or "", _age(there[new]))
        fitting = [(age, known) for known, (found, age) in self._index.items() if found == name]
        try:
            return UUID(max(fitting)[1].removeprefix("vocero-")) if fitting else None
        except ValueError:
            return None

    def _moment(self, text: str) -> datetime | None:
        """smsd writes local times: `26-03-10 06:12:00`."""
        try:
            told = datetime.strptime(text, "%y-%m-%d %H:%M:%S").replace(tzinfo=self._zone).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return told if told < self._clock() + CLOCKS_APART else None

    def _sweep(self) -> None:
        """Words leave the disk soon after they are kept here; what tells that a message was sent, later."""
        now = self._clock().timestamp()
        for name in ("sent", "failed"):
            for path in _files(self._spool[name], "vocero-*"):
                _grow_old(path, now)
        if self._kept is not None:
            for path in _files(self._kept):
                if now - _age(path) > self._keep.total_seconds():
                    path.unlink(missing_ok=True)


def _grow_old(path: Path, now: float) -> None:
    age = now - _age(path)
    if age > MARKERS.total_seconds():
        path.unlink(missing_ok=True)
    elif age > WORDS.total_seconds():
        file = read_file(path)
        if file.body or file.get("to"):
            told = {name: file.get(name) for name in ("modem", "sent", "message_id", "fail_reason") if file.get(name)}
            marker = "".join(f"{name.capitalize()}: {value}\n" for name, value in told.items()) + "\n"
            written = path.stat().st_mtime
            path.write_text(marker)
            os.utime(path, (written, written))


def _files(folder: Path, pattern: str = "*") -> Iterator[Path]:
    """Whole files: smsd marks those it is busy with by another beside them, whose name ends in .LOCK."""
    if not folder.is_dir():
        return
    now = time.time()
    for path in folder.glob(pattern):
        busy = path.suffix == ".LOCK" or path.with_name(f"{path.name}.LOCK").exists()
        if not busy and path.is_file() and now - _age(path) > YOUNG_S:
            yield path


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _is_report(file: SmsdFile) -> bool:
    return file.text.lstrip().startswith(_REPORT)


def _with_plus(file: SmsdFile) -> str:
    number = file.get("from")
    international = file.get("from_toa").startswith("91") and number[:1].isdigit() and len(number) > 7
    return f"+{number}" if international else number


def _octets(told: str) -> bytes:
    try:
        return bytes.fromhex(told)
    except ValueError:
        return b""


def signs(config: ChannelConfig) -> Signs:
    """What smsd's status file tells of the modem (its settings `stats` and `status_interval`), and what lies there."""
    spool = Spool(config.config)
    waiting = sum(1 for name in ("outgoing", "checked") for _ in _files(spool[name]))
    told = {"waiting in the folders": str(waiting)}
    path = Path(config.get("status") or spool.root / "stats" / "status")
    try:
        lines = path.read_text(errors="replace").splitlines()[1:20]
        seen = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return Signs(told)
    signal = None
    for line in lines:
        name, _, rest = line.partition(":")
        found = re.search(r"ssi: (-\d+) dBm", rest)
        signal = int(found[1]) if found else signal
        state = rest.split(",")[1].strip() if rest.count(",") > 1 else ""
        if state and name.strip():
            told[name.strip()] = state.lower()
    return Signs(told, signal_dbm=signal, at=seen)


def listen(config: ChannelConfig, around: Surroundings) -> list[Listener]:
    folders = Folders(config, around.clock)
    return [SpoolListener(config, around, folders.look, folders.check)]


def make_sender(config: ChannelConfig, around: Surroundings) -> "Sender | None":
    from outbox.senders.smstools import SmstoolsSender

    return SmstoolsSender(config.config, config.secrets, clock=around.clock)


KIND = Kind(
    "smstools", "USB modem (SMS Server Tools)",
    settings=(
        Spec("spool", "the folder that holds smsd's folders, /var/spool/sms unless set", check=checks.folder),
        *(Spec(name, f"smsd's folder {name}, when it is not in spool", check=checks.folder)
          for name in ("incoming", "report", *sorted(HANDED))),
        Spec("status", "smsd's status file, when it is not spool/stats/status", check=checks.folder),
        Spec("queue", "the name of a queue in smsd.conf, when there is one modem for each operator"),
        Spec("zone", "the time zone smsd writes its times in, when it is not this machine's", check=checks.zone),
        Spec("parallel", "how many messages may lie before the modem at once, 1 to 20", check=checks.number(1, 20)),
        Spec("wait", "seconds after which an untouched message is taken back, 1 to 40", check=checks.number(1, 40)),
        Spec("poll", "seconds between two looks, 1 to 60", check=checks.number(1, 60)),
        Spec("keep_days", "days that files stay in spool/vocero/kept after their text is kept here, 0 to 30",
             check=checks.number(0, 30)),
    ),
    listen=listen,
    make_sender=make_sender,
    signs=signs,
)  # fmt: skip
