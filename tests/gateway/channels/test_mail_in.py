"""What a mail becomes before it is kept."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.channels.mail_in import incoming_of, unread

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
OWN = "vocero@example.org"


def mail(*headers: str, body: str = "inc rob nebaj ayer 2 heridos") -> bytes:
    return ("\r\n".join(headers) + "\r\n\r\n" + body + "\r\n").encode()


def read(raw: bytes, mail_from: str = "ana@example.org") -> Any:
    return incoming_of(raw, channel="correo", own=OWN, mail_from=mail_from, to=OWN, now=NOW)


ANA = "From: Ana <Ana@Example.org>"
ID = "Message-ID: <1@example.org>"

HEARD: dict[str, tuple[bytes, dict[str, Any]]] = {
    "plain": (
        mail(ANA, ID, "Subject: Re: =?utf-8?q?viol=C3=B3?=", "Date: Tue, 10 Mar 2026 06:10:00 -0600"),
        {
            "sender": "mailto:ana@example.org", "text": "inc rob nebaj ayer 2 heridos", "subject": "violó",
            "external_id": "<1@example.org>", "auto": None, "answerable": True,
            "sent_at": datetime(2026, 3, 10, 12, 10, tzinfo=UTC),
        },
    ),
    "a date of 1970": (mail(ANA, ID, "Date: Thu, 1 Jan 1970 00:00:00 +0000"), {"sent_at": None}),
    "a date of 2099": (mail(ANA, ID, "Date: Thu, 1 Jan 2099 00:00:00 +0000"), {"sent_at": None}),
    "an automatic answer": (mail(ANA, ID, "Auto-Submitted: auto-replied"), {"auto": "auto_reply", "answerable": False}),
    "a list": (mail(ANA, ID, "List-Id: <x.example.org>"), {"auto": "list", "answerable": False}),
    "our own address": (mail(f"From: {OWN}", ID), {"auto": "loop", "answerable": False}),
    "our own address in capitals": (mail("From: VOCERO@EXAMPLE.ORG", ID), {"auto": "loop", "answerable": False}),
    "51 hops": (mail(*["Received: from a by b"] * 51, ANA, ID), {"auto": "loop", "answerable": False}),
    "50 hops": (mail(*["Received: from a by b"] * 50, ANA, ID), {"auto": None, "answerable": True}),
    "two authors": (mail("From: ana@example.org, eva@example.org", ID), {"sender": "raw:", "answerable": False}),
    "no author": (mail(ID), {"sender": "raw:", "answerable": False}),
    "a reply address of somebody else": (
        mail(ANA, ID, "Reply-To: victim@example.com"), {"sender": "mailto:ana@example.org", "answerable": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("label", HEARD)
def test_a_mail_is_heard(label: str) -> None:
    raw, wanted = HEARD[label]
    incoming = read(raw)
    assert {name: getattr(incoming, name) for name in wanted} == wanted


def test_an_empty_envelope_sender_is_a_bounce() -> None:
    incoming = read(mail(ANA, ID), mail_from="")
    assert (incoming.auto, incoming.answerable) == ("bounce", False)


def test_the_raw_mail_can_be_had_back_byte_for_byte() -> None:
    raw = mail(ANA, ID).replace(b"nebaj", b"neb\xe1\x00\xffj \xf0\x9f\x98\x80")
    incoming = read(raw)
    assert incoming.raw is not None
    assert incoming.raw.encode("utf-8", "surrogateescape") == raw


def test_the_thread_can_be_continued() -> None:
    incoming = read(mail(ANA, ID, "References: <a@x> <b@x>", "In-Reply-To: <b@x>", "Subject: RV: Re: inc"))
    assert incoming.thread == {
        "message_id": "<1@example.org>", "references": "<a@x> <b@x>", "in_reply_to": "<b@x>", "subject": "RV: Re: inc",
    }  # fmt: skip


def test_without_a_message_id_a_second_delivery_is_known_again() -> None:
    first, second = mail(ANA, "Subject: inc"), mail("Received: from c by d", ANA, "Subject: inc")
    assert read(first).external_id == read(second).external_id
    assert read(first).external_id != read(mail(ANA, "Subject: inc 2")).external_id


def test_a_mail_that_cannot_be_read_is_kept_whole() -> None:
    raw = mail(ANA, ID, body="x" * 5000)
    incoming = unread(raw, channel="correo", to=None, now=NOW)
    assert incoming.raw == raw.decode()
    assert len(incoming.text) == 2000
    assert not incoming.answerable
