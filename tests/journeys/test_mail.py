"""The main job by e-mail: real SMTP and LMTP in, a reply over a real SMTP server out, threaded."""

import asyncio
import email.policy
import smtplib
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from servers import Relay

from gateway.house import House
from gateway.running import Running
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, mail_port, until
from tests.gateway.desk import Desk

QUOTED = """INC TIE PANZOS 12 familias

--
Candelaria Ical
Tel. 7755-0000

El mar, 10 mar 2026 a las 6:00, Oficina (<reportes@gateway.example>) escribió:
> Resumen: 4 reportes, 1 abierto
> INC HOM 2001 9 muertos ayer
> R3180 Conflicto de tierra, Ixcan
"""


def open_channel(house: House, relay: Relay) -> None:
    add_channel(
        house, "smtp", "correo", listen="127.0.0.1:0", lmtp="127.0.0.1:0", host="127.0.0.1", port=str(relay.port),
        tls="none", **{"from": "reportes@gateway.example"},
    )  # fmt: skip


def mail(sender: str = "panzos1@monitores.example", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = f"Candelaria <{sender}>"
    message["To"] = "reportes@gateway.example"
    message["Subject"] = "Reporte"
    message["Message-ID"] = "<m1@correo.example>"
    message["References"] = "<m0@gateway.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(QUOTED)
    return message


def deliver(port: int, message: EmailMessage, *, lmtp: bool) -> None:
    with (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port) as client:
        client.send_message(message, "panzos1@monitores.example", ["reportes@gateway.example"])


def hear(office: Desk, message: EmailMessage, *, lmtp: bool = False, wait_for: int = 1) -> None:
    async def story() -> None:
        async with at_work(office.house, worker=True) as (running, _):
            await asyncio.to_thread(deliver, port_of(running, lmtp=lmtp), message, lmtp=lmtp)

            async def all_sent() -> bool:
                return sum(row.state == "sent" for row in office.outbox()) >= wait_for

            await until(all_sent)

    asyncio.run(story())


def port_of(running: Running, *, lmtp: bool) -> int:
    return mail_port(running, "correo", 1 if lmtp else 0)


@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
def test_a_mail_becomes_one_report_and_a_threaded_reply(office: Desk, relay: Relay, lmtp: bool) -> None:
    open_channel(office.house, relay)
    hear(office, mail(), lmtp=lmtp)
    (report,) = office.reports()
    assert (report.category, report.place, report.fields) == ("TIE", "1607", {"families": 12})
    assert "HOM" not in office.texts(report)["text"]
    (reply,) = relay.mails
    parsed = message_from_bytes(reply.content, policy=email.policy.default)
    assert reply.recipients == ["panzos1@monitores.example"]
    assert parsed["To"] == "panzos1@monitores.example"
    assert parsed["From"].endswith("reportes@gateway.example")
    assert parsed["Subject"] == "Re: Reporte"
    assert parsed["In-Reply-To"] == "<m1@correo.example>"
    assert parsed["References"] == "<m0@gateway.example> <m1@correo.example>"
    assert parsed["Auto-Submitted"] == "auto-replied"
    assert parsed["Message-ID"]
    assert "R3000 recibido" in parsed.get_content()
    assert "12 familias" in parsed.get_content()


def test_the_same_mail_twice_is_one(office: Desk, relay: Relay) -> None:
    open_channel(office.house, relay)
    hear(office, mail())
    hear(office, mail(), lmtp=True)
    assert (len(office.messages()), len(office.reports()), len(relay.mails)) == (1, 1, 1)


def test_an_automatic_reply_is_kept_and_never_answered(office: Desk, relay: Relay, clock: HandClock) -> None:
    open_channel(office.house, relay)
    hear(office, mail(Auto_Submitted="auto-replied"), wait_for=0)
    (message,) = office.messages()
    assert message.state == "auto_reply"
    assert office.reports() == []
    assert relay.mails == []


def test_a_mail_of_a_stranger_is_flagged_and_asked_to_register(office: Desk, relay: Relay) -> None:
    open_channel(office.house, relay)
    message = mail()
    del message["From"]
    message["From"] = "vecina@correo.example"
    hear(office, message)
    (kept,) = office.messages()
    assert kept.flags == "unregistered"
    (reply,) = relay.mails
    assert reply.recipients == ["vecina@correo.example"]
    assert "REGISTRO" in reply.content.decode()
