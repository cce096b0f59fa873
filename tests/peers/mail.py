"""Postfix and Dovecot in folders of their own, and letters to bring to them."""

import re
import shutil
import smtplib
import subprocess
import tempfile
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from tests.peers.daemon import Daemon, filled
from tests.served import free_port

GUIDE = Path(__file__).parents[2] / "docs" / "channels" / "smtp.md"
PASSWORD = "dovecot-password-of-the-test"


def open_folder() -> Path:
    """One into which the daemons' own users may look."""
    folder = Path(tempfile.mkdtemp(prefix="vocero-peer-"))
    folder.chmod(0o755)
    return folder


def letter(number: int, to: str, words: str = "inc rob nebaj ayer") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"ana{number}@ong.example", to, "aviso"
    mail["Message-ID"] = f"<letter-{number}@ong.example>"
    mail.set_content(f"{words} {number} heridos")
    return mail


@dataclass
class Postfix:
    """Takes mail for pipe.gw.test and lmtp.gw.test for the gateway, relays all other to `sink`."""

    sink: int
    smtp: int
    lmtp: int
    port: int = field(default_factory=free_port)
    folder: Path = field(default_factory=open_folder)

    def start(self) -> None:
        for name in ("queue", "data", "conf"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        script = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
        assert script is not None
        (self.folder / "to-vocero").write_text(script[1])
        ports = {"PORT": self.port, "SINK": self.sink, "SMTP": self.smtp, "LMTP": self.lmtp}
        values = {**ports, "PYTHON": "/usr/bin/python3"}
        for name in ("main.cf", "master.cf"):
            filled(f"postfix-{name}", self.folder, **values).rename(self.folder / "conf" / name)
        self._postfix("start")

    def _postfix(self, word: str) -> None:
        done = subprocess.run(
            ["postfix", "-c", str(self.folder / "conf"), word], capture_output=True, text=True, timeout=60, check=False
        )
        assert word == "stop" or done.returncode == 0, done.stderr + done.stdout

    def bring(self, mail: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            client.send_message(mail)

    def waiting(self) -> int:
        """How many mails are in the queue."""
        done = subprocess.run(
            ["postqueue", "-c", str(self.folder / "conf"), "-j"], capture_output=True, text=True, timeout=30, check=True
        )
        return len(done.stdout.splitlines())

    def run_queue(self) -> None:
        subprocess.run(["postqueue", "-c", str(self.folder / "conf"), "-f"], timeout=30, check=True)

    def close(self) -> None:
        self._postfix("stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def version() -> str:
        done = subprocess.run(["postconf", "-d", "-h", "mail_version"], capture_output=True, text=True, check=True)
        return f"Postfix {done.stdout.strip()}"


@dataclass
class Dovecot:
    """A mailbox `vocero`, brought mail by LMTP and read by IMAP."""

    imap: int = field(default_factory=free_port)
    lmtp: int = field(default_factory=free_port)
    folder: Path = field(default_factory=open_folder)
    daemon: Daemon | None = None

    def start(self) -> None:
        if not (self.folder / "mail").exists():
            (self.folder / "mail").mkdir()
            shutil.chown(self.folder / "mail", "nobody")
        conf = filled("dovecot.conf", self.folder, IMAP=self.imap, LMTP=self.lmtp, PASSWORD=PASSWORD)
        self.daemon = Daemon(["dovecot", "-F", "-c", str(conf)], self.folder, port=self.imap)

    def stop(self) -> None:
        if self.daemon is not None:
            self.daemon.stop()
            self.daemon = None

    def bring(self, mail: EmailMessage) -> None:
        with smtplib.LMTP("127.0.0.1", self.lmtp, timeout=20) as client:
            client.send_message(mail, to_addrs=["vocero"])

    def make_anew(self) -> None:
        """Forget all numbers: the mailbox gets another UIDVALIDITY, as after a restore."""
        for path in (self.folder / "mail" / "vocero").glob("dovecot*"):
            path.unlink()

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @staticmethod
    def version() -> str:
        done = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True)
        return f"Dovecot {done.stdout.split()[0]}"
