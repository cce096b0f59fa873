"""Mail that is opened in a process of its own, which may die of it."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.channels.mail_opening import INLINE_BYTES, MailOpener, MailTooHard
from parsers.mail import read_mail
from parsers.mail_tables import open_mail

HEAD = b"From: ana@example.org\r\nSubject: x\r\n"
TABLE = (
    HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhola\r\n--b\r\n"
    b"Content-Type: text/csv\r\nContent-Disposition: attachment; filename=a.csv\r\n\r\n"
    b"tipo;lugar\r\nrobo;Nebaj\r\n--b--\r\n"
)
LARGE = HEAD + b"\r\ninc rob nebaj\r\n" + b"palabra " * 20_000


@pytest.fixture
def opener() -> Iterator[MailOpener]:
    found = MailOpener()
    yield found
    found.close()


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def until_gone(pid: int) -> None:
    limit = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_small_mail_needs_no_process(opener: MailOpener) -> None:
    assert opener.open(HEAD + b"\r\ninc rob nebaj\r\n", "").mail.text == "inc rob nebaj"
    assert opener.pid is None


@pytest.mark.parametrize("raw", [TABLE, LARGE], ids=["a table", "a large one"])
def test_what_another_process_opens_reads_as_it_would_here(opener: MailOpener, raw: bytes) -> None:
    here = open_mail(raw, "")
    there = opener.open(raw, "")
    assert opener.pid is not None
    assert there.tables == here.tables
    without_bytes = [(one.name, one.size, one.sha256) for one in here.mail.attachments]
    assert [(one.name, one.size, one.sha256) for one in there.mail.attachments] == without_bytes
    assert (there.mail.text, there.mail.sender) == (here.mail.text, here.mail.sender)


def test_one_process_serves_many_and_ends_when_idle() -> None:
    opener = MailOpener(idle_s=0.3)
    opener.open(TABLE, "")
    pid = opener.pid
    opener.open(TABLE, "")
    assert opener.pid == pid
    assert pid is not None
    until_gone(pid)
    assert opener.pid is None
    assert opener.open(TABLE, "").tables
    opener.close()


def test_it_holds_no_key_and_little_memory(opener: MailOpener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOCERO_DATABASE_URL", "postgresql://secret")
    opener.open(TABLE, "")
    folder = Path(f"/proc/{opener.pid}")
    assert b"VOCERO" not in (folder / "environ").read_bytes()
    limits = (folder / "limits").read_text()
    assert str(512 * 1024 * 1024) in limits
    resident = int((folder / "status").read_text().partition("VmRSS:")[2].split()[0])
    assert resident < 60_000


def test_a_mail_its_process_dies_of_is_told_and_the_next_is_opened(opener: MailOpener) -> None:
    opener.open(TABLE, "")
    assert opener.pid is not None
    os.kill(opener.pid, 9)
    until = time.monotonic() + 5
    while opener.pid is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert opener.open(TABLE, "").tables


def test_who_takes_too_long_is_ended() -> None:
    hasty = MailOpener(wall_s=0.001)
    with pytest.raises(MailTooHard):
        hasty.open(LARGE, "")
    assert hasty.pid is None
    hasty.close()


PARTS = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
HTML = HEAD + b"Content-Type: text/html\r\n\r\n"
ROOM = INLINE_BYTES - 200
WORST = {
    "newlines": HEAD + b"\r\n" + b"\n" * ROOM,
    "empty parts": PARTS + b"--b\r\n\r\n" * (ROOM // 7),
    "header fields": b"A: b\r\n" * (ROOM // 6) + HEAD + b"\r\nx",
    "one long field": b"Subject: " + b"=?utf-8?q?=F3?= " * (ROOM // 16) + b"\r\n\r\nx",
    "open tags": HTML + b"<div>" * (ROOM // 5),
    "closed tags": HTML + b"<b></b>" * (ROOM // 7),
    "comments": HTML + b"<!--" * (ROOM // 4),
    "entities": HTML + b"&amp;&#99999;" * (ROOM // 13),
    "quotes": HEAD + b"\r\n" + b"> " * (ROOM // 2),
    "quoted-printable": HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=3D" * (ROOM // 3),
    "boundaries in boundaries": PARTS + b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * (ROOM // 52),
    "forwards": PARTS + b"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\n\r\nx\r\n" * (ROOM // 55),
    "dashes": HEAD + b"\r\n" + b"-- \n" * (ROOM // 4),
    "wrote lines": HEAD + b"\r\n" + "El 4/2/2026 9:10, a@b escribió:\n".encode() * (ROOM // 34),
}


@pytest.mark.parametrize("raw", WORST.values(), ids=WORST.keys())
def test_the_worst_small_mail_is_soon_read_in_our_own_process(raw: bytes) -> None:
    assert len(raw) <= INLINE_BYTES
    started = time.thread_time()
    read_mail(raw)
    assert time.thread_time() - started < 0.5
