import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from outbox_cast import envelope_of
from outbox_mail import Relay, silent_server
from outbox_post import FROM, mail_of, received, send
from outbox_tls import certificate

from outbox import errors
from outbox.errors import SendError
from outbox.senders.base import Sent
from outbox.senders.smtp import SmtpSender


@pytest.fixture
def relay() -> Iterator[Relay]:
    server = Relay()
    yield server
    server.close()


def test_a_mail_carries_text_and_html_and_says_that_a_machine_wrote_it(relay: Relay) -> None:
    envelope = mail_of(text="Según Tomás\n", html="<p>Según Tomás</p>", subject="Informe de añ os")
    [sent] = send(relay.port, envelope)
    mail = received(relay)
    assert relay.mails[0].sender == "gateway@vocero.example"
    assert relay.mails[0].recipients == ["ana@example.org"]
    assert (mail["From"], mail["To"], mail["Subject"]) == (FROM, "ana@example.org", "Informe de añ os")
    assert mail.get_content_type() == "multipart/alternative"
    parts = [part.get_content().strip() for part in mail.iter_parts()]
    assert parts == ["Según Tomás", "<p>Según Tomás</p>"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{envelope.id}@vocero.example>" == sent.provider_id
    assert relay.mails[0].content.isascii()


def test_an_answer_names_the_mail_it_answers(relay: Relay) -> None:
    headers = {"In-Reply-To": "<q@example.org>", "References": "<p@example.org> <q@example.org>"}
    send(relay.port, mail_of(headers=headers))
    mail = received(relay)
    assert (mail["In-Reply-To"], mail["References"]) == (headers["In-Reply-To"], headers["References"])
    assert mail["Auto-Submitted"] == "auto-replied"


def test_a_second_try_has_the_same_message_id(relay: Relay) -> None:
    envelope = mail_of()
    relay.drop_after_dot = 1
    with pytest.raises(errors.UnknownResult):
        send(relay.port, envelope)
    send(relay.port, envelope)
    assert len(relay.mails) == 2
    assert received(relay, 0)["Message-ID"] == received(relay, 1)["Message-ID"]


def test_a_connection_is_kept_for_the_next_mail(relay: Relay) -> None:
    send(relay.port, mail_of(), mail_of(), mail_of())
    assert len(relay.mails) == 3
    assert len(set(relay.sessions)) == 1


def test_a_refused_recipient_does_not_spoil_the_connection(relay: Relay) -> None:
    relay.refuse["RCPT"] = ["550 5.1.1 no such user"]

    async def story() -> None:
        sender = SmtpSender({"host": "127.0.0.1", "port": relay.port, "tls": "none", "from": FROM}, {})
        with pytest.raises(errors.InvalidAddress):
            await sender.send(mail_of())
        await sender.send(mail_of(to="mailto:beatriz@example.org"))
        await sender.close()

    asyncio.run(story())
    assert relay.mails[0].recipients == ["beatriz@example.org"]
    assert len(relay.transports) == 1


def test_one_bad_address_of_many_harms_no_other_and_nobody_sees_another(relay: Relay) -> None:
    relay.refuse["RCPT"] = ["550 5.1.1 no such user"]

    async def story() -> list[Sent | BaseException]:
        sender = SmtpSender({"host": "127.0.0.1", "port": relay.port, "tls": "none", "from": FROM}, {})
        mails = [sender.send(mail_of(to=f"mailto:c{number}@example.org")) for number in range(20)]
        outcomes = await asyncio.gather(*mails, return_exceptions=True)
        await sender.close()
        return outcomes

    outcomes = asyncio.run(story())
    assert sum(isinstance(outcome, errors.InvalidAddress) for outcome in outcomes) == 1
    assert len(relay.mails) == 19
    assert all(len(mail.recipients) == 1 and mail.content.count(b"@example.org") == 1 for mail in relay.mails)


STAGES: dict[str, tuple[str, str, type[SendError]]] = {
    "greylisted": ("RCPT", "450 4.2.0 greylisted, come back", errors.Deferred),
    "mailbox busy": ("RCPT", "451 4.3.0 busy", errors.Deferred),
    "no room": ("RCPT", "452 4.2.2 full", errors.Deferred),
    "closing": ("RCPT", "421 4.3.2 closing", errors.Unavailable),
    "no such user": ("RCPT", "550 5.1.1 no such user", errors.InvalidAddress),
    "user moved": ("RCPT", "551 5.1.6 moved", errors.InvalidAddress),
    "policy": ("RCPT", "550 5.7.1 blocked by policy", errors.Refused),
    "relaying denied": ("RCPT", "554 5.7.1 relaying denied", errors.Refused),
    "log in first": ("MAIL", "530 5.7.0 authentication required", errors.AuthFailed),
    "our address refused": ("MAIL", "550 5.1.8 sender refused", errors.Misconfigured),
    "our address not now": ("MAIL", "451 4.1.8 sender not now", errors.Deferred),
    "too large": ("MAIL", "552 5.3.4 too large", errors.TooLong),
    "content refused": ("DATA", "554 5.6.0 spam", errors.Refused),
    "content not now": ("DATA", "451 4.3.0 scanner down", errors.Deferred),
    "too large after all": ("DATA", "552 5.3.4 too large", errors.TooLong),
}


@pytest.mark.parametrize(("stage", "answer", "error"), STAGES.values(), ids=STAGES)
def test_each_answer_means_what_its_stage_says(relay: Relay, stage: str, answer: str, error: type[SendError]) -> None:
    relay.refuse[stage] = [answer]
    with pytest.raises(SendError) as raised:
        send(relay.port)
    assert type(raised.value) is error
    assert relay.mails == []
    assert "ana@" not in f"{raised.value} {raised.value.detail}"


def test_a_line_lost_before_the_text_is_tried_again_and_holds_up_nobody(relay: Relay) -> None:
    relay.drop_at_rcpt = 1
    with pytest.raises(errors.Deferred):
        send(relay.port)


def test_nobody_there_is_offline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.Offline):
        send(port)


def test_a_name_that_does_not_resolve_is_offline() -> None:
    with pytest.raises(errors.Offline):
        send(587, tls="starttls", host="no-such-host.invalid")


def test_a_server_that_says_nothing_is_offline() -> None:
    with silent_server() as port, pytest.raises(errors.Offline):
        send(port, timeout=0.2)


def test_a_server_that_is_full_is_unavailable() -> None:
    with silent_server(b"421 4.3.2 too many connections\r\n") as port, pytest.raises(errors.Unavailable):
        send(port)


def test_mail_goes_over_starttls(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    relay = Relay(tls=context, starttls=True)
    send(relay.port, tls="starttls", ca_file=authority)
    relay.close()
    assert len(relay.mails) == 1


def test_mail_goes_over_tls(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    relay = Relay(tls=context)
    send(relay.port, tls="tls", ca_file=authority)
    relay.close()
    assert len(relay.mails) == 1


def test_a_stripped_starttls_sends_nothing(relay: Relay) -> None:
    with pytest.raises(errors.Insecure):
        send(relay.port, tls="starttls")
    assert relay.mails == []


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted_sends_nothing(tmp_path: Path, tls: str) -> None:
    context, _ = certificate(tmp_path)
    relay = Relay(tls=context, starttls=tls == "starttls")
    with pytest.raises(errors.Insecure):
        send(relay.port, tls=tls)
    relay.close()
    assert relay.mails == []


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_for_another_host_sends_nothing(tmp_path: Path, tls: str) -> None:
    context, authority = certificate(tmp_path, "elsewhere.example")
    relay = Relay(tls=context, starttls=tls == "starttls")
    with pytest.raises(errors.Insecure):
        send(relay.port, tls=tls, ca_file=authority)
    relay.close()
    assert relay.mails == []


def test_a_password_opens_the_relay(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    relay = Relay(tls=context, starttls=True, login="secreto")
    send(relay.port, tls="starttls", ca_file=authority, username="vocero", password="secreto")
    relay.close()
    assert len(relay.mails) == 1


def test_a_wrong_password_stops_the_channel(tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    relay = Relay(tls=context, starttls=True, login="secreto")
    with pytest.raises(errors.AuthFailed):
        send(relay.port, tls="starttls", ca_file=authority, username="vocero", password="otro")
    relay.close()
    assert relay.mails == []


@pytest.mark.parametrize("host", ["smtp.example.org", "192.168.1.5"])
def test_nothing_travels_bare_off_this_machine(host: str) -> None:
    for login in ({"username": "vocero", "password": "secreto"}, {}):
        with pytest.raises(errors.Misconfigured):
            send(25, host=host, **login)


def test_a_mail_larger_than_the_relay_takes_never_crosses_the_line(relay: Relay) -> None:
    with pytest.raises(errors.TooLong):
        send(relay.port, mail_of(text="x" * 34_000_000))
    assert relay.mails == []
    send(relay.port)
    assert len(relay.mails) == 1


def test_who_is_greylisted_comes_back_when_the_list_lets_him_in(relay: Relay) -> None:
    relay.refuse["RCPT"] = ["450 4.2.0 greylisted"]
    with pytest.raises(errors.Deferred) as raised:
        send(relay.port)
    assert raised.value.retry_after == timedelta(minutes=5)


def test_bounces_can_name_the_message_by_the_address_they_come_to(relay: Relay) -> None:
    envelope = mail_of()
    send(relay.port, envelope, return_path="tagged")
    assert relay.mails[0].sender == f"gateway+{envelope.id.hex}@vocero.example"
    assert received(relay)["From"] == FROM


def test_a_mail_names_the_message_it_is_for_those_who_send_it_back(relay: Relay) -> None:
    envelope = mail_of()
    send(relay.port, envelope)
    assert received(relay)["X-Vocero-Message"] == str(envelope.id)


@pytest.mark.parametrize("wrong", [{"from": ""}, {"from": "nobody"}, {"tls": "perhaps"}], ids=str)
def test_a_wrong_setting_is_said(relay: Relay, wrong: dict[str, str]) -> None:
    with pytest.raises(errors.Misconfigured):
        send(relay.port, **wrong)


def test_a_phone_cannot_be_reached_by_mail(relay: Relay) -> None:
    with pytest.raises(errors.Unsupported):
        send(relay.port, envelope_of())


def test_a_kept_connection_that_the_relay_closed_is_replaced(relay: Relay) -> None:
    async def story() -> None:
        sender = SmtpSender({"host": "127.0.0.1", "port": relay.port, "tls": "none", "from": FROM}, {})
        await sender.send(mail_of())
        [(_, client)] = sender._idle
        assert client.transport is not None
        client.transport.abort()
        await asyncio.sleep(0)
        await sender.send(mail_of())
        await sender.close()

    asyncio.run(story())
    assert len(relay.mails) == 2
