"""Kannel's two boxes and its fake SMSC, around a gateway."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.daemon import Daemon, filled
from tests.served import free_port

FAKESMSC = "/usr/lib/kannel/test/fakesmsc"
PASSWORD = "kannel-password"


@dataclass
class Kannel:
    """`retries` times, every `delay` seconds, its smsbox asks a gateway that does not answer."""

    folder: Path
    gateway: str
    token: str
    retries: int = 3
    delay: int = 1
    ports: dict[str, int] = field(default_factory=lambda: {
        name: free_port() for name in ("ADMIN", "SMSBOX", "SMSC", "SENDSMS")
    })  # fmt: skip
    boxes: list[Daemon] = field(default_factory=list)
    phones: list[Daemon] = field(default_factory=list)

    @property
    def send_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['SENDSMS']}/cgi-bin/sendsms"

    def start(self) -> None:
        (self.folder / "spool").mkdir(parents=True, exist_ok=True)
        conf = filled(
            "kannel.conf", self.folder, RETRY=self.retries, DELAY=self.delay, GATEWAY=self.gateway, TOKEN=self.token,
            **self.ports,
        )  # fmt: skip
        self.boxes.append(Daemon(["bearerbox", str(conf)], self.folder, port=self.ports["SMSC"]))
        self.boxes.append(Daemon(["smsbox", str(conf)], self.folder, port=self.ports["SENDSMS"]))

    def say(self, lines: Sequence[str], number: int) -> None:
        """Phones at the SMSC send `number` messages picked from `lines` (FROM TO KIND WORDS), and stay to take answers.

        bearerbox serves one connection of its fake SMSC at a time.
        """
        where = ["-H", "127.0.0.1", "-r", str(self.ports["SMSC"])]
        command = [FAKESMSC, *where, "-i", "0.05", "-m", str(number), *lines]
        self.phones.append(Daemon(command, self.folder, name=f"fakesmsc{len(self.phones)}"))

    def taken(self) -> list[str]:
        """What the phones were sent: the lines in which fakesmsc tells of messages that came."""
        lines = [line for phone in self.phones for line in phone.log.read_text(errors="replace").splitlines()]
        return [line for line in lines if "got message" in line.lower()]

    def stored(self) -> int:
        """How many texts bearerbox holds on its disk."""
        return sum(path.is_file() for path in (self.folder / "spool").rglob("*"))

    def answered(self) -> int:
        """How many calls of smsbox, texts and receipts, the gateway has taken."""
        return self.log().count("Status line: <HTTP/1.1 200")

    def log(self) -> str:
        return (self.folder / "smsbox-core.log").read_text(errors="replace")

    def close(self) -> None:
        for daemon in (*self.phones, *reversed(self.boxes)):
            daemon.stop()


def version() -> str:
    told = subprocess.run(["bearerbox", "--version"], capture_output=True, text=True, check=False)
    first = (told.stdout + told.stderr).partition("\n")[0]
    return first.split("`")[-1].strip("'. ")
