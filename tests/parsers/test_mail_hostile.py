"""Any bytes give a mail, soon: fuzz from nothing and from valid mails, and texts made to stall a reader."""

import base64
import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.mail import Mail, read_mail

CORPUS = Path(__file__).parent.parent / "corpus" / "dev.jsonl"
LINES = [line for line in map(json.loads, CORPUS.read_text("utf-8").splitlines()) if line["channel"] == "email"]
OURS = frozenset({"reportes@gateway.example"})
SIZE = 10_000_000
SECONDS = 3.0

HEAD = b"From: a@b.example\nTo: c@d.example\nSubject: hola\n"
TEXT = HEAD + b"Content-Type: text/plain; charset=utf-8\n\n"
HTML = HEAD + b"Content-Type: text/html\n\n"
PARTS = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"

PIECES = [
    *(b"From: a@b\n", b"Subject: =?utf-8?q?=F3?=\n", b"Content-Type: multipart/mixed; boundary=b\n", b"\n", b"--b\n"),
    *(b"--b--\n", b"Content-Type: multipart/alternative; boundary=b\n", b"Content-Type: text/html\n", b"\r\n", b"\r"),
    *(b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: base64\n", b"Content-Disposition: attachment;"),
    *(b" filename*0*=utf-8'x'%ff\n", b"Content-Type: text/plain; charset=utf-16; format=flowed\n", b"Date: 31 Feb\n"),
    *(b"De: a@b\n", b"Enviado: 9:10\n", b"Asunto: x\n", b"> ", b"El 4/2/2026 9:10, a@b escribi\xc3\xb3:\n", b"-- \n"),
    *(b"--\n", b"Atentamente,\n", b"Juan\n", b"---- Mensaje reenviado ----\n", b"AVISO confidencial destinatario\n"),
    *(b"<div class=gmail_quote>", b"</div>", b"<p hidden>", b"<!--", b"<style>", b"&#99999999;", b"begin 644 a\n"),
    *(b"end\n", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"hola ", b"R4711 ", b"_" * 30 + b"\n", b"From: g: a@b;\n"),
]


def check(found: Mail) -> None:
    for text in (found.subject, found.subject_raw, found.sender_name or "", *(file.name for file in found.attachments)):
        assert "\n" not in text
        assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in text)
    for text in (found.text, found.full_text, found.forwarded_text):
        text.encode("utf-8")
        assert "\0" not in text
        assert len(text) <= 100_000


@pytest.mark.parametrize("line", LINES, ids=[line["id"] for line in LINES])
def test_labelled_mails_keep_their_words_and_lose_the_rest(line: dict[str, object]) -> None:
    found = read_mail(str(line["email_raw"]).encode(), own_addresses=OURS)
    said = fold(f"{found.subject} {found.text}")
    expected: dict[str, object] = line["expect"]  # type: ignore[assignment]
    reports: list[dict[str, list[str]]] = expected["reports"]  # type: ignore[assignment]
    assert all(fold(word) in said for report in reports for word in report.get("text_has", []))
    assert (found.auto == "auto_reply") == (expected["reason"] == "auto_reply")
    assert found.problems == ()
    for foreign in (
        "pastoral",
        "atentamente",
        "retornados",
        "aviso: este",
        "enviado desde",
        "4711 recibido",
        "20019",
        "comite",
    ):
        assert foreign not in said
    assert ">" not in found.text


def fold(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(char))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_give_a_mail(raw: bytes) -> None:
    check(read_mail(raw, own_addresses=OURS, own_quote_marks=("R4711",)))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=60))
def test_any_sequence_of_mail_pieces_gives_a_mail(pieces: list[bytes]) -> None:
    check(read_mail(b"".join(pieces), own_addresses=OURS, own_quote_marks=("R4711",)))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(LINES),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 40), st.binary(max_size=6)), max_size=8),
)
def test_a_mutated_mail_gives_a_mail(line: dict[str, str], edits: list[tuple[int, int, bytes]]) -> None:
    raw = line["email_raw"].encode()
    for at, length, new in edits:
        raw = raw[:at] + new + raw[at + length :]
    check(read_mail(raw, own_addresses=OURS))


def filled(start: bytes, pattern: bytes, size: int = SIZE) -> bytes:
    return start + (pattern * (size // len(pattern) + 1))[: size - len(start)]


STALLS = {
    "newlines": filled(b"", b"\n"),
    "empty headers": filled(b"", b"a:\n"),
    "one folded header": filled(b"Subject: x\n", b" y\n"),
    "From of a megabyte": filled(b"From: ", b"a@b.c, ", 1_000_000) + b"\n\nx",
    "From of open quotes": filled(b"From: ", b'"a', 100_000) + b"\n\nx",
    "From of encoded words": filled(b"From: ", b"=?utf-8?q?a?= ", 100_000) + b"\n\nx",
    "Subject of encoded words": filled(b"Subject: ", b"=?utf-8?q?a?= ", 100_000) + b"\n\nx",
    "Content-Type of quotes": filled(b"Content-Type: text/plain; ", b'a="b;', 100_000) + b"\n\nx",
    "Content-Disposition of pieces": filled(b"Content-Disposition: attachment; ", b"filename*0*=a; ", 100_000)
    + b"\n\nx",
    "three million parts": filled(PARTS, b"--b\n"),
    "same boundary nested": filled(PARTS, b"--b\nContent-Type: multipart/mixed; boundary=b\n\n"),
    "depth": HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(99_999)),
    "no boundary": filled(HEAD + b"Content-Type: multipart/mixed\n\n", b"--\n"),
    "base64 file": filled(
        HEAD + b"Content-Type: a/b\nContent-Transfer-Encoding: base64\n\n", base64.encodebytes(b"x" * 5700)
    ),
    "base64 garbage": filled(HEAD + b"Content-Transfer-Encoding: base64\n\n", b"==\xff\xfe=a"),
    "quoted-printable": filled(HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n", b"="),
    "uuencode": filled(HEAD + b"Content-Transfer-Encoding: x-uuencode\n\n", b"begin 644 a\nM\n"),
    "unended files": filled(TEXT, b"=ybegin a\n"),
    "one word": filled(TEXT, b"a"),
    "at signs": filled(TEXT, b"On <@@@@@@@@@@"),
    "answer lines": filled(TEXT, b"a@b 9:10 2026:\n"),
    "names with colons": filled(TEXT, b"Juan:\n"),
    "header lines": filled(TEXT, b"De: a\nEnviado: b\n"),
    "forward lines": filled(TEXT, b"> Mensaje reenviado\n"),
    "rules": filled(TEXT, b"--\n1\n"),
    "farewells": filled(TEXT, b"hola\nSaludos\n"),
    "disclaimers": filled(TEXT, b"AVISO\n"),
    "advertisements": filled(TEXT, b"Enviado desde mi a a a a a a a\n"),
    "open divs": filled(HTML, b"<div class=gmail_quote>"),
    "open tags": filled(HTML, b'<a b="'),
    "open comments": filled(HTML, b"<!--"),
    "open styles": filled(HTML, b"<style>"),
    "open drawings": filled(HTML, b"<svg>"),
    "open declarations": filled(HTML, b"<!a"),
    "breaks": filled(HTML, b"<br>"),
    "entities": filled(HTML, b"&#"),
    "a tag name of a megabyte": filled(HTML, b"<" + b"a" * 1_000_000),
    "huge style sheet": filled(HTML + b"<style>", b"p{a:b}", 900_000) + b"</style><p>hola",
    "messages in messages": filled(HEAD, b"Content-Type: message/rfc822\n\n"),
}


@pytest.mark.parametrize("raw", STALLS.values(), ids=STALLS.keys())
def test_ten_megabytes_are_read_in_bounded_time(raw: bytes) -> None:
    """About 0.5 s at worst on a small server's core; the bound leaves room for a busy one."""
    started = time.process_time()
    check(read_mail(raw, own_quote_marks=("R4711",)))
    assert time.process_time() - started < SECONDS


def test_a_style_sheet_before_the_text_does_not_hide_it() -> None:
    assert read_mail(STALLS["huge style sheet"]).text == "hola"
