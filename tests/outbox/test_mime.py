import email
import email.message
import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outbox_cast import NOW
from outbox_mail import Relay
from outbox_post import FROM, mail_of, received, send

from outbox.senders.base import Attachment, Envelope
from outbox.senders.mime import build_mail


@pytest.fixture
def relay() -> Iterator[Relay]:
    server = Relay()
    yield server
    server.close()


HOSTILE = "x\r\nBcc: eve@example.org\r\n\r\nbody"


def evil(name: str) -> Envelope:
    if name == "subject":
        return mail_of(subject=HOSTILE)
    if name == "header name":
        return mail_of(headers={"List-Id\r\nBcc": "eve@example.org", "Bcc": "eve@example.org", "To": "eve@example.org"})
    if name == "text":
        return mail_of(text="hola\r\n.\r\nMAIL FROM:<eve@example.org>\r\n.\n")
    return mail_of(headers={name: HOSTILE})


@pytest.mark.parametrize(
    "name", ["subject", "In-Reply-To", "References", "List-Id", "Message-ID", "header name", "text"]
)
def test_no_header_and_no_mail_can_be_slipped_in(relay: Relay, name: str) -> None:
    send(relay.port, evil(name))
    assert len(relay.mails) == 1
    mail = received(relay)
    assert relay.mails[0].recipients == ["ana@example.org"]
    assert mail.get_all("To") == ["ana@example.org"]
    assert mail["Bcc"] is None


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=200), max_size=4), st.text(max_size=200), st.text())
def test_whatever_is_put_in_a_mail_can_be_built_and_read(headers: dict[str, str], subject: str, text: str) -> None:
    built = build_mail(mail_of(headers=headers, subject=subject, text=text), FROM, now=NOW).as_bytes()
    mail = email.message_from_bytes(built, policy=email.policy.default)
    assert mail.get_all("To") == ["ana@example.org"]
    assert built.isascii()
    assert all(len(line) <= 998 for line in built.splitlines())


def test_the_date_is_the_one_of_the_clock(relay: Relay) -> None:
    send(relay.port)
    assert email.utils.parsedate_to_datetime(received(relay)["Date"]) == datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_file_goes_with_both_parts_of_the_text() -> None:
    table = Attachment("informe\r\nBcc: eve@example.org.csv", "text/csv", b"\xef\xbb\xbfa,b\r\n")
    sheet = Attachment(
        "informe.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK\x03\x04"
    )
    envelope = mail_of(html="<p>Dos informes</p>", attachments=(table, sheet))
    mail = email.message_from_bytes(build_mail(envelope, FROM, now=NOW).as_bytes(), policy=email.policy.default)
    assert isinstance(mail, email.message.EmailMessage)
    assert [part.get_content_type() for part in mail.iter_parts()][:1] == ["multipart/alternative"]
    files = list(mail.iter_attachments())
    assert [part.get_content_type() for part in files] == ["text/csv", sheet.media_type]
    assert [part.get_payload(decode=True) for part in files] == [table.data, sheet.data]
    assert mail["Bcc"] is None
    assert files[1].get_filename() == "informe.xlsx"
