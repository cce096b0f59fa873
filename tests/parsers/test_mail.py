"""Mail down to the sender's own words: labelled tables, broken and hostile MIME, headers, files."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from parsers.mail import Mail, MailLimits, read_mail

HERE = Path(__file__).parent / "mail"
OURS = frozenset({"Reportes@gateway.example"})
PHRASES = ("R4711 recibido", "Resumen diario")
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
HTML = b"Content-Type: text/html; charset=utf-8\n\n"


@pytest.mark.parametrize("row", table("words.yaml"))
def test_only_the_senders_own_words_are_read(row: dict[str, Any]) -> None:
    subject = row.get("subject", "Aviso")
    kind, body = ("html", row["html"]) if "html" in row else ("plain", row["body"])
    raw = f"From: juan@monitores.example\nSubject: {subject}\nContent-Type: text/{kind}; charset=utf-8\n\n{body}"
    for wire in (raw, raw.replace("\n", "\r\n")):
        found = read_mail(wire.encode(), own_addresses=OURS, own_quote_marks=PHRASES)
        text = "\n".join(line for line in found.text.split("\n") if line)
        assert text == row["own"]
        assert found.forwarded == row.get("forwarded", False)
        assert list(found.problems) == row.get("problems", [])
        assert row.get("said", found.subject) == found.subject
        assert found.forwarded_text == row.get("forwarded_text", row["own"] if found.forwarded else "")


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


@pytest.mark.parametrize(
    ("charset", "body", "text", "sound"),
    [
        (b"iso-8859-1", "violación “dos”".encode("cp1252"), "violación “dos”", True),
        (b"iso-8859-1", "violación".encode(), "violación", True),
        (b"utf-8", "violación".encode("cp1252"), "violación", False),
        (b"us-ascii", "violación".encode(), "violación", True),
        (b"x-evil", "violación".encode(), "violación", False),
        (b"zlib", b"hola", "hola", False),
        (b"utf-16", "violación".encode("utf-16"), "violación", True),
        (b"utf-8", "á é í ó \xff".encode("latin-1"), "á é í ó ÿ", False),
        (b"utf-8", "á é í ó ñ".encode() + b"\xff", "á é í ó ñ\ufffd", False),
        (b"utf-8", b"\xef\xbb\xbfhola\x00\x1b[31m", "hola[31m", True),
    ],
)
def test_bodies_are_decoded_whatever_their_label(charset: bytes, body: bytes, text: str, sound: bool) -> None:
    found = mail(body, b"Content-Type: text/plain; charset=" + charset)
    assert found.text == text
    assert ("charset" not in found.problems) == sound


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        (b"base64", base64.encodebytes("violación en Nebaj".encode()), "violación en Nebaj"),
        (b"BASE64 ", base64.b64encode(b"hola mundo")[:-3], "hola mund"),
        (b"base64", b"aG9s\x00!YSBtdW5kbw==", "hola mundo"),
        (b"base64", b"INC ROB 1413 ayer en la aldea", "INC ROB 1413 ayer en la aldea"),
        (b"quoted-printable", b"violaci=C3=B3n =\nen Nebaj=ZZ=", "violación en Nebaj=ZZ"),
        (b"x-uuencode", b"begin 644 a\n#0V%T\n`\nend\n", "Cat"),
        (b"x-unknown", b"hola", "hola"),
    ],
)
def test_transfer_encodings_are_read_as_far_as_they_go(encoding: bytes, body: bytes, text: str) -> None:
    found = mail(body, b"Content-Transfer-Encoding: " + encoding, b"Content-Type: text/plain; charset=utf-8")
    assert found.text == text


def test_plain_text_wins_over_html_and_a_difference_is_flagged() -> None:
    same = multipart(b"alternative", PLAIN + b"INC ROB 1413", HTML + b"<p>INC <b>ROB</b> 1413</p>")
    assert (same.text, same.problems) == ("INC ROB 1413", ())
    other = multipart(b"alternative", PLAIN + b"1 herido en Nebaj", HTML + b"<p>10 heridos en Nebaj</p>")
    assert (other.text, other.problems) == ("1 herido en Nebaj", ("differs",))
    blank = multipart(b"alternative", PLAIN + b"  ", HTML + b"<p>INC ROB 1413</p>")
    assert (blank.text, blank.problems) == ("INC ROB 1413", ())


def test_flowed_lines_are_joined() -> None:
    found = mail(b"INC ROB 1413 \nayer\nINC AME 1411\n-- \nJuan", b"Content-Type: text/plain; format=flowed")
    assert found.text == "INC ROB 1413 ayer\nINC AME 1411"


def test_text_around_a_picture_is_read_whole() -> None:
    found = multipart(b"mixed", PLAIN + b"INC ROB 1413", b"Content-Type: image/jpeg\n\nxx", PLAIN + b"INC AME 1411")
    assert found.text == "INC ROB 1413\nINC AME 1411"
    assert [file.content_type for file in found.attachments] == ["image/jpeg"]


def test_one_attached_message_is_read_when_nothing_else_was_written() -> None:
    inner = b"Content-Type: message/rfc822\n\nFrom: x@y.example\nSubject: z\n\nINC ROB 1413\n"
    found = multipart(b"mixed", PLAIN, inner)
    assert (found.text, found.forwarded) == ("INC ROB 1413", True)
    several = multipart(b"mixed", PLAIN, inner, inner)
    assert (several.text, several.problems) == ("", ("forwards",))
    ours = b"From: reportes@gateway.example\n\nINC HOM 2001"
    raw = HEAD + b"Content-Type: message/rfc822\n\n" + ours
    back = read_mail(raw, own_addresses=OURS)
    assert (back.text, back.forwarded_text, back.problems) == ("", "", ("ours",))


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


@pytest.mark.parametrize(
    ("raw", "text", "problems"),
    [
        (b"", "", ("from",)),
        (b"\n\nhola", "hola", ("from",)),
        (b"sin cabecera ninguna", "sin cabecera ninguna", ("from",)),
        (b"From juan Mon Feb  2\n" + HEAD + b"\nhola", "hola", ()),
        (HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhola", "hola", ("boundary",)),
        (HEAD + b"Content-Type: multipart/mixed\n\n--b\n\nhola\n--b--\n", "hola", ("boundary",)),
        (HEAD + b"Content-Type: multipart/mixed; boundary=x\n\nhola\n", "hola", ("boundary",)),
        (HEAD + b"Content-Type: ;;;=\n\nhola\n", "hola", ()),
        (b"X: " + b"a" * 1_000_000 + b"\n" + HEAD + b"\nhola", "hola", ("size",)),
        (b"X: a\n" * 10_000 + b"X-Y: bbbbbbbbbbbbbbbbbbbbb\n" * 5000 + HEAD + b"\nhola", "hola", ("size",)),
        (HEAD + b"Content-Type: application/pkcs7-mime\n\nxx", "", ("encrypted",)),
    ],
)
def test_broken_mail_is_read_as_far_as_it_goes(raw: bytes, text: str, problems: tuple[str, ...]) -> None:
    found = read_mail(raw)
    assert (found.text, found.problems) == (text, problems)
    assert found.sender == (None if "from" in problems else "juan@monitores.example")


def test_depth_and_number_of_parts_are_bounded() -> None:
    deep = HEAD + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n\ntexto %d\n--b%d\n' % (n, n, n, n)
        for n in range(100)
    )
    found = read_mail(deep)
    assert "depth" in found.problems
    assert found.text.startswith("texto 0\ntexto 1\n")
    assert "texto 10" not in found.text
    many = multipart(b"mixed", *[PLAIN + b"x"] * 500)
    assert many.problems == ("parts",)
    assert many.text == "\n".join("x" * 99)


def test_a_long_text_is_cut_and_flagged() -> None:
    found = mail(b"INC ROB 1413\n" * 20_000)
    assert found.problems == ("size",)
    assert 99_000 < len(found.full_text) <= 100_000


def test_everything_written_is_in_the_full_text() -> None:
    found = mail(b"heridos 3\n\n-- \nJuan\nEl 4/2/2026 9:10, X <a@b.example> escribi\xc3\xb3:\n> cita\n")
    assert found.full_text == "heridos 3\n\n-- \nJuan\nEl 4/2/2026 9:10, X <a@b.example> escribió:\n> cita"
    assert found.text == "heridos 3"
