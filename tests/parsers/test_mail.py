"""Mail down to the sender's own words: labelled tables, charsets and encodings, broken MIME."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from parsers.mail import Mail, read_mail

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


@pytest.mark.parametrize(
    ("raw", "text", "problems"),
    [
        (b"", "", ("from",)),
        (b"\n\nhola", "hola", ("from",)),
        (b"sin cabecera ninguna", "sin cabecera ninguna", ("from",)),
        (b"From juan Mon Feb  2\n" + HEAD + b"\nhola", "hola", ()),
        (b"\xef\xbb\xbf" + HEAD + b"\nhola", "hola", ()),
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
