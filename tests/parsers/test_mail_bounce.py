"""Bounces as servers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.mail_bounce import Bounce, read_bounce

OURS = "01940a2c-6d3e-7c11-9a2b-0123456789ab"
MAIL_ID = f"<{OURS}@vocero.example>"
ORIGINAL = f"From: vocero@vocero.example\r\nTo: marta@ong.example\r\nMessage-ID: {MAIL_ID}\r\nSubject: Informe\r\n"


def report(action: str, status: str, original: str = ORIGINAL, *, kind: str = "text/rfc822-headers") -> bytes:
    return (
        "From: MAILER-DAEMON@relay.example\r\nTo: vocero@vocero.example\r\nMessage-ID: <9@relay.example>\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you ...\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example\r\n\r\n"
        f"Final-Recipient: rfc822; marta@ong.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 no\r\n\r\n--b\r\nContent-Type: {kind}\r\n\r\n{original}\r\n--b--\r\n"
    ).encode()


def free(text: str, *headers: str, charset: str = "utf-8") -> bytes:
    head = ["From: postmaster@correo.example", "Subject: No se pudo entregar", *headers]
    return "\r\n".join([*head, f"Content-Type: text/plain; charset={charset}", "", text, ""]).encode(charset)


NAMED = {"ours": (), "message_ids": (MAIL_ID,)}
READ: dict[str, tuple[bytes, str]] = {
    "refused for good": (report("failed", "5.1.1"), "failed"),
    "given up after days": (report("failed", "4.4.1"), "gave_up"),
    "a warning that it takes longer": (report("delayed", "4.4.1"), "delayed"),
    "a receipt": (report("delivered", "2.0.0"), "delivered"),
    "handed to a server without receipts": (report("relayed", "2.0.0"), "delivered"),
    "the whole original": (report("failed", "5.2.1", ORIGINAL + "\r\ntexto\r\n", kind="message/rfc822"), "failed"),
    "Spanish, the original below": (
        free(f"No se pudo entregar su mensaje a marta@ong.example:\r\n550 5.1.1 no existe\r\n\r\n{ORIGINAL}"), "failed"
    ),
    "Spanish without a code": (free(f"No se ha podido entregar el mensaje. {MAIL_ID}"), "failed"),
    "Spanish, the mailbox is full": (free(f"No se pudo entregar: el buzón está lleno.\r\n{ORIGINAL}"), "gave_up"),
    "Spanish in Latin-1": (
        free(f"No se pudo entregar: el buzón está lleno.\r\n{ORIGINAL}", charset="iso-8859-1"), "gave_up"
    ),
    "Spanish, still trying": (free(f"El mensaje está retrasado; se seguirá intentando.\r\n{ORIGINAL}"), "delayed"),
    "qmail": (
        free(f"Hi. This is the qmail-send program.\r\n<marta@ong.example>:\r\n#5.1.1\r\n\r\n--- Below\r\n{ORIGINAL}"),
        "failed",
    ),
    "an old code alone": (free(f"452 try later\r\n{ORIGINAL}"), "gave_up"),
}  # fmt: skip


@pytest.mark.parametrize("label", READ)
def test_a_bounce_names_our_mail_and_says_what_became_of_it(label: str) -> None:
    raw, fate = READ[label]
    assert read_bounce(raw) == Bounce(fate, (), (MAIL_ID,))  # type: ignore[arg-type]


MARKS = {
    "our own header": report("failed", "5.1.1", f"X-Vocero-Message: {OURS}\r\nSubject: x\r\n"),
    "the envelope's id": report("failed", "5.1.1\r\nOriginal-Envelope-Id: " + OURS, "Subject: x\r\n"),
    "the address it came to": free("No se pudo entregar", f"To: vocero+{OURS.replace('-', '')}@vocero.example"),
    "the address the server says it came to": free(
        "No se pudo entregar", f"Delivered-To: <vocero+{OURS.replace('-', '').upper()}@vocero.example>"
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", MARKS)
def test_our_own_marks_name_the_message(label: str) -> None:
    assert read_bounce(MARKS[label]).ours == (OURS,)


def test_the_envelope_names_the_message() -> None:
    found = read_bounce(free("No se pudo entregar"), to=f"vocero+{OURS.replace('-', '')}@vocero.example")
    assert found.ours == (OURS,)


def test_of_a_thread_only_the_returned_mail_is_named() -> None:
    original = f"References: <1@vocero.example> <2@ong.example>\r\nIn-Reply-To: <2@ong.example>\r\n{ORIGINAL}"
    assert read_bounce(report("failed", "5.1.1", original)).message_ids == (MAIL_ID,)


def test_a_bounce_that_only_answers_names_what_it_answers() -> None:
    found = read_bounce(free("No se pudo entregar", f"In-Reply-To: {MAIL_ID}", "References: <1@vocero.example>"))
    assert found.message_ids == (MAIL_ID,)


def test_an_address_alone_names_no_message() -> None:
    found = read_bounce(free("No se pudo entregar su mensaje a marta@ong.example", "X-Failed-Recipients: marta@x.org"))
    assert (found.ours, found.message_ids) == ((), ())


def test_the_bounce_does_not_name_itself() -> None:
    assert read_bounce(free("no", "Message-ID: <7@correo.example>")).message_ids == ()


@given(st.binary(max_size=2000))
def test_any_bytes_give_a_bounce(raw: bytes) -> None:
    assert read_bounce(raw).fate in ("failed", "gave_up", "delayed", "delivered")
