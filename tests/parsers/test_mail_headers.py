"""Header fields and files of a mail: who, when, what kind of machine, which sheets."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from parsers.mail import Mail, MailLimits, read_mail

HERE = Path(__file__).parent / "mail"
HEAD = b"From: Juan <juan@monitores.example>\nTo: reportes@gateway.example\nSubject: Aviso\n"


def table(name: str) -> list[Any]:
    rows: list[Any] = yaml.safe_load((HERE / name).read_text("utf-8"))
    return [pytest.param(row, id=row.get("name") or str(row["headers"])) for row in rows]


def mail(body: bytes, *fields: bytes) -> Mail:
    return read_mail(HEAD + b"".join(field + b"\n" for field in fields) + b"\n" + body)


def multipart(kind: bytes, *parts: bytes) -> Mail:
    body = b"".join(b"--b\n" + part + b"\n" for part in parts) + b"--b--\n"
    return mail(body, b"Content-Type: multipart/" + kind + b"; boundary=b")


PLAIN = b"Content-Type: text/plain; charset=utf-8\n\n"


@pytest.mark.parametrize("row", table("auto.yaml"))
def test_machines_are_told_from_people(row: dict[str, Any]) -> None:
    given = "\n".join(row["headers"])
    for name, value in (("From", "juan@monitores.example"), ("Subject", "Aviso")):
        if f"{name}:" not in given:
            given += f"\n{name}: {value}"
    body = row.get("body", "hola")
    if "boundary=b" in given:
        body = f"--b\nContent-Type: text/plain\n\n{body}\n--b\nContent-Type: message/delivery-status\n\nx\n--b--\n"
    assert read_mail(f"{given}\n\n{body}\n".encode()).auto == row["auto"]


@pytest.mark.parametrize(
    ("field", "sender"),
    [
        (b"From: Juan <JUAN@Monitores.Example>", "juan@monitores.example"),
        (b"From: juan@monitores.example", "juan@monitores.example"),
        ("From: José <josé@monitores.example>".encode(), "josé@monitores.example"),
        (b"From: a@b.example, c@d.example", None),
        (b"From: a@b.example\nFrom: c@d.example", None),
        (b"From: grupo: a@b.example;", None),
        (b"From:", None),
        (b"From: <>", None),
        (b"From: nadie", None),
        (b'From: "x y"@b.example', None),
        (b"From: a@b.example" + b", z@b.example" * 5000, None),
        (b"X: none", None),
    ],
)
def test_the_sender_is_one_address_or_none(field: bytes, sender: str | None) -> None:
    found = read_mail(field + b"\n\nhola")
    assert found.sender == sender
    assert ("from" in found.problems) == (sender is None)


def test_a_display_name_that_poses_as_an_address_is_flagged() -> None:
    found = read_mail(b'From: "jefe@ngo.example" <x@evil.example>\n\nhola')
    assert (found.sender, found.problems) == ("x@evil.example", ("from",))


def test_the_subject_loses_prefixes_controls_and_line_breaks() -> None:
    found = read_mail(b"From: a@b.example\nSubject: RE: RV: =?utf-8?q?Fwd:_INC=00_R=C3=93B_=0D=0ABcc:_x?=\n y\n\n.")
    assert found.subject == "INC RÓB Bcc: x y"
    assert found.subject_raw == "RE: RV: Fwd: INC RÓB Bcc: x y"


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        (b"violaci\xf3n", "violación"),
        ("violación".encode(), "violación"),
        (b"=?utf-8?q?violaci=F3n?=", "violación"),
        (b"=?iso-8859-1?q?violaci=F3n?=", "violación"),
        (b"=?utf-8?b?dmlvbGFjacM=?= =?utf-8?b?s24=?=", "violación"),
        (b"=?x-evil?q?abc?=", "abc"),
        (b"=?utf-8?b?@@@?=", ""),
        (b"ENC: SI", "ENC: SI"),
        (b"RET: mal", "RET: mal"),
    ],
)
def test_subjects_are_decoded_whatever_their_label(value: bytes, subject: str) -> None:
    assert read_mail(b"Subject: " + value + b"\n\n.").subject == subject


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Fri, 13 Feb 2026 18:29:56 -0600", datetime(2026, 2, 14, 0, 29, 56, tzinfo=UTC)),
        (b"Fri, 13 Feb 2026 18:29:56 -0000", datetime(2026, 2, 13, 18, 29, 56, tzinfo=UTC)),
        (b"Thu, 1 Jan 1970 00:00:00 +0000", datetime(1970, 1, 1, tzinfo=UTC)),
        (b"Thu, 31 Feb 2026 10:00:00 -0600", None),
        (b"Fri, 31 Dec 9999 23:59:59 -1000", None),
        (b"ayer", None),
        (b"9" * 5000, None),
    ],
)
def test_the_date_is_utc_or_none(value: bytes, moment: datetime | None) -> None:
    found = mail(b"hola", b"Date: " + value)
    assert found.date == moment
    assert ("date" in found.problems) == (moment is None)


def test_ids_are_bounded() -> None:
    many = b"".join(b" <%d@x.example>" % number for number in range(50))
    found = mail(b"hola", b"Message-ID: <a@x.example>", b"In-Reply-To: <b@x.example> (hoy)", b"References:" + many)
    assert (found.message_id, found.in_reply_to) == ("<a@x.example>", "<b@x.example>")
    assert found.references == tuple(f"<{number}@x.example>" for number in range(30, 50))
    huge = mail(b"hola", b"Message-ID: <" + b"a" * 5000 + b"@x.example>")
    assert (huge.message_id, huge.problems) == (None, ("message-id",))


def test_recipients_and_hops_are_counted() -> None:
    to = b"To: " + b", ".join(b"M <m%d@x.example>" % number for number in range(500))
    found = read_mail(b"Received: a\n b\n" * 60 + b"From: a@b.example\n" + to + b"\n\nhola")
    assert found.hops == 60
    assert len(found.to) == 20
    assert found.to[0] == "m0@x.example"


def test_only_sheets_are_kept_in_hand() -> None:
    def file(name: bytes, content: bytes, kind: bytes = b"application/octet-stream") -> bytes:
        head = b"Content-Type: " + kind + b"\nContent-Disposition: attachment; filename=" + name
        return head + b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(content)

    found = multipart(
        b"mixed",
        PLAIN + b"INC ROB 1413",
        file(b"a.csv", b"categoria;lugar\n"),
        file(b"b.xlsx", b"PK\x03\x04rest"),
        file(b"c.csv", b"MZ\x00\x00"),
        file(b"d.xlsx", b"<html>"),
        file(b"e.pdf", b"%PDF", b"application/pdf"),
        b"Content-Type: text/csv\n\na;b",
    )
    assert [bool(one.data) for one in found.attachments] == [True, True, False, False, False, True]
    assert found.attachments[0].sha256 == hashlib.sha256(b"categoria;lugar\n").hexdigest()
    assert found.attachments[4].size == 4
    assert found.text == "INC ROB 1413"


def test_a_sheet_above_the_limit_is_only_hashed() -> None:
    raw = HEAD + b"Content-Type: text/csv\n\n" + b"a;b\n" * 10
    assert read_mail(raw, limits=MailLimits(attachment=39)).attachments[0].data is None
    assert read_mail(raw, limits=MailLimits(attachment=40)).attachments[0].data == b"a;b\n" * 10


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (b'filename="../../etc/passwd"', "passwd"),
        (b'filename="C:\\\\tmp\\\\x.csv"', "x.csv"),
        (b'filename="CON.csv"', "_CON.csv"),
        (b'filename="a\x00b.csv"', "ab.csv"),
        ('filename="foto\u202egpj.exe"'.encode(), "fotogpj.exe"),
        (b'filename="' + b"a" * 300 + b'.csv"', "a" * 96 + ".csv"),
        (b'filename="..."', "file"),
        (b'filename="=?utf-8?q?informaci=C3=B3n.csv?="', "información.csv"),
        (b"filename*=utf-8''informaci%C3%B3n.csv", "información.csv"),
    ],
)
def test_attachment_names_are_safe(name: bytes, safe: str) -> None:
    found = multipart(b"mixed", b"Content-Type: image/png\nContent-Disposition: attachment; " + name + b"\n\nx")
    assert found.attachments[0].name == safe
