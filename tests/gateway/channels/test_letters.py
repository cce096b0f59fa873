"""Mail by the webhooks of Mailgun and Postmark."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.channels.base import ChannelConfig, ChannelError, HttpCall, Letter, StatusReport
from gateway.channels.forms import FORM, JSON
from gateway.channels.letters import compose, read_multipart
from gateway.channels.mailgun import MULTIPART, MailgunDoor
from gateway.channels.postmark import PostmarkDoor
from gateway.house import House
from parsers.mail import read_mail
from tests.gateway.at_work import add_channel, at_work
from tests.gateway.channels.test_mailbox import kept, senders

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
KEY = "mailgun-key"
MAIL = (
    b"From: Ana <ana@example.org>\r\nMessage-ID: <1@example.org>\r\nSubject: aviso\r\n\r\ninc rob nebaj ayer \xf1\r\n"
)
MAILGUN = MailgunDoor(ChannelConfig(uuid4(), "correo", "mailgun", {}, {"signing_key": KEY}))
POSTMARK = PostmarkDoor(
    ChannelConfig(uuid4(), "correo", "postmark", {"webhook_user": "ana"}, {"webhook_password": "secreta"})
)
OURS = UUID("0198c0de-0000-7000-8000-000000000001")


def sign(*, at: datetime = NOW, token: str = "t" * 50, key: str = KEY) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    found = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    return {"timestamp": stamp, "token": token, "signature": found}


def multipart(fields: dict[str, bytes]) -> HttpCall:
    pieces = [
        b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in fields.items()
    ]
    headers = {b"content-type": b"multipart/form-data; boundary=b"}
    return HttpCall("https://x/in/correo", MULTIPART, headers, b"", b"".join(pieces) + b"--b--\r\n", at=NOW)


def form(fields: dict[str, str]) -> HttpCall:
    return HttpCall("https://x/in/correo", FORM, {}, b"", urlencode(fields).encode(), at=NOW)


def posted(document: Any, login: str = "ana:secreta") -> HttpCall:
    headers = {b"authorization": b"Basic " + base64.b64encode(login.encode())}
    return HttpCall("https://x/in/correo", JSON, headers, b"", json.dumps(document).encode(), at=NOW)


def as_bytes(fields: dict[str, str]) -> dict[str, bytes]:
    return {name: value.encode() for name, value in fields.items()}


def test_mailgun_brings_the_mail_as_it_was() -> None:
    fields = {**as_bytes({**sign(), "recipient": "vocero@x.org", "sender": "ana@example.org"}), "body-mime": MAIL}
    assert MAILGUN.hear(multipart(fields), NOW) == Letter(MAIL, "vocero@x.org", "ana@example.org", "t" * 50)


def test_mailgun_without_the_whole_mail_is_read_from_its_fields() -> None:
    listed = [["From", "Ana <ana@example.org>"], ["Message-Id", "<1@example.org>"], ["Subject", "aviso ñ"],
              ["Content-Type", "multipart/mixed"], ["Bad Name", "x"], ["X", "y\r\nBcc: z@example.org"]]  # fmt: skip
    fields = {**sign(), "from": "x", "body-plain": "inc rob nebaj\r\n", "message-headers": json.dumps(listed)}
    mail = read_mail(MAILGUN.hear(form(fields), NOW).raw)
    assert (mail.sender, mail.message_id, mail.subject) == ("ana@example.org", "<1@example.org>", "aviso ñ")
    assert mail.text == "inc rob nebaj"


def test_a_bounce_comes_from_nobody() -> None:
    fields = {**as_bytes({**sign(), "sender": ""}), "body-mime": MAIL}
    assert MAILGUN.hear(multipart(fields), NOW).mail_from == ""


REFUSED: dict[str, tuple[HttpCall, int]] = {
    "another key": (form({**sign(key="otra"), "body-mime": "x"}), 401),
    "no signature": (form({"body-mime": "x"}), 401),
    "ten hours old": (form({**sign(at=NOW - timedelta(hours=10)), "body-mime": "x"}), 401),
    "of tomorrow": (form({**sign(at=NOW + timedelta(days=1)), "body-mime": "x"}), 401),
    "no mail in it": (form(sign()), 400),
    "a time that is none": (form({**sign(), "timestamp": "soon"}), 401),
    "no boundary": (HttpCall("x", MULTIPART, {b"content-type": b"multipart/form-data"}, b"", b"--b", at=NOW), 400),
    "JSON": (HttpCall("x", JSON, {}, b"", b"{}", at=NOW), 400),
}


@pytest.mark.parametrize("label", REFUSED)
def test_mailgun_refuses_in_a_way_that_is_tried_again(label: str) -> None:
    call, status = REFUSED[label]
    with pytest.raises(ChannelError) as refused:
        MAILGUN.hear(call, NOW)
    assert refused.value.status == status


def test_eight_hours_of_trying_are_borne() -> None:
    assert MAILGUN.hear(form({**sign(at=NOW - timedelta(hours=8)), "body-mime": MAIL.decode("latin-1")}), NOW)


EVENTS: dict[str, tuple[dict[str, Any], StatusReport | None]] = {
    "delivered": ({"event": "delivered"}, StatusReport("delivered", None, "<a@x.org>")),
    "failed for good": (
        {"event": "failed", "severity": "permanent"}, StatusReport("failed", None, "<a@x.org>", "bounced")
    ),
    "failed for now": ({"event": "failed", "severity": "temporary"}, None),
    "opened": ({"event": "opened"}, None),
    "of no message": ({"event": "delivered", "message": []}, None),
}  # fmt: skip


@pytest.mark.parametrize("label", EVENTS)
def test_an_event_of_mailgun_says_what_became_of_a_mail(label: str) -> None:
    event, wanted = EVENTS[label]
    event = {"message": {"headers": {"message-id": "a@x.org"}}, **event}
    call = HttpCall("x", JSON, {}, b"", json.dumps({"signature": sign(), "event-data": event}).encode(), at=NOW)
    assert MAILGUN.receipt(call) == wanted


def test_postmark_brings_the_mail_as_it_was() -> None:
    found = POSTMARK.hear(posted({"RawEmail": MAIL.decode("latin-1"), "OriginalRecipient": "vocero@x.org"}), NOW)
    assert found == Letter(MAIL.decode("latin-1").encode(), "vocero@x.org")


def test_postmark_without_the_whole_mail_is_read_from_its_fields() -> None:
    headers = [{"Name": "Message-ID", "Value": "<1@example.org>"}, {"Name": "From", "Value": "evil@example.org"},
               {"Name": "Auto-Submitted", "Value": "auto-replied"}, "nonsense", {"Name": 7}]  # fmt: skip
    document = {"From": "Ana <ana@example.org>", "Subject": "aviso", "TextBody": "inc rob nebaj", "Headers": headers}
    mail = read_mail(POSTMARK.hear(posted(document), NOW).raw)
    assert (mail.sender, mail.message_id, mail.auto) == ("ana@example.org", "<1@example.org>", "auto_reply")
    assert mail.text == "inc rob nebaj"


def test_a_mail_of_html_alone_is_made_of_it() -> None:
    document = {"From": "ana@example.org", "HtmlBody": "<p>inc rob nebaj</p>"}
    assert read_mail(POSTMARK.hear(posted(document), NOW).raw).text == "inc rob nebaj"


@pytest.mark.parametrize("login", ["", "ana:", "ana:otra", "eva:secreta", "ana:secreta2"])
def test_postmark_without_the_login_is_refused_and_comes_again(login: str) -> None:
    with pytest.raises(ChannelError) as refused:
        POSTMARK.hear(posted({"RawEmail": "x"}, login), NOW)
    assert refused.value.status == 401


NEWS: dict[str, tuple[dict[str, Any], StatusReport | None]] = {
    "delivered": ({"RecordType": "Delivery"}, StatusReport("delivered", OURS)),
    "bounced": ({"RecordType": "Bounce", "Type": "HardBounce"}, StatusReport("failed", OURS, None, "bounced")),
    "put off": ({"RecordType": "Bounce", "Type": "Transient"}, None),
    "opened": ({"RecordType": "Open"}, None),
    "of no message of ours": ({"RecordType": "Delivery", "Metadata": {}}, None),
}


@pytest.mark.parametrize("label", NEWS)
def test_news_of_postmark_says_what_became_of_a_mail(label: str) -> None:
    document, wanted = NEWS[label]
    assert POSTMARK.receipt(posted({"Metadata": {"vocero": str(OURS)}, **document})) == wanted


def test_a_call_that_brings_another_mail_the_second_time_is_refused(house: House) -> None:
    async def story() -> list[int]:
        async with at_work(house) as (_, client):
            told = []
            for mail in (MAIL, MAIL, MAIL.replace(b"nebaj", b"chajul").replace(b"<1@", b"<2@")):
                fields = {**sign(at=house.clock()), "sender": "ana@example.org"}
                files = {name: (None, value) for name, value in fields.items()}
                answer = await client.post("/in/correo-mime", files={**files, "body-mime": (None, mail)})
                told.append(answer.status_code)
            return told

    add_channel(house, "mailgun", "correo-mime", signing_key=KEY)
    assert asyncio.run(story()) == [200, 200, 403]
    assert senders(house) == ["mailto:ana@example.org"]
    raw = house.sealer.open("message", "raw", kept(house)[0].id, kept(house)[0].raw_sealed)
    assert raw.encode("utf-8", "surrogateescape") == MAIL


def test_a_letter_of_megabytes_is_taken_and_one_beyond_the_limit_is_not(house: House) -> None:
    async def story() -> list[int]:
        async with at_work(house) as (_, client):
            told = []
            for size in (8_000_000, 16_000_000):
                raw = MAIL.decode("latin-1") + "-- \r\n" + "x" * size
                answer = await client.post("/in/pm", json={"RawEmail": raw}, auth=("ana", "secreta"))
                told.append(answer.status_code)
            return told

    add_channel(house, "postmark", "pm", webhook_user="ana", webhook_password="secreta")
    assert asyncio.run(story()) == [200, 413]
    assert len(kept(house)) == 1


@given(st.binary(max_size=400))
def test_any_multipart_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(ChannelError):
        read_multipart(b"--b\r\n" + body, "multipart/form-data; boundary=b")


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=8), st.text(max_size=40))
def test_any_fields_make_a_mail(headers: list[tuple[str, str]], text: str) -> None:
    assert read_mail(compose(headers, text)) is not None
