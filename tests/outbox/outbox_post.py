"""Mails to send, and a sender to send them with."""

import asyncio
import email
import email.policy
from email.message import EmailMessage
from typing import Any

from outbox_cast import NOW, envelope_of
from outbox_mail import Relay

from outbox.senders.base import Envelope, Sent
from outbox.senders.smtp import SmtpSender

FROM = "Vocero <gateway@vocero.example>"


def mail_of(**changes: Any) -> Envelope:
    values = {"to": "mailto:ana@example.org", "channel": "mail", "subject": "Informe", "text": "Dos informes"}
    return envelope_of(**(values | changes))


def send(port: int, *envelopes: Envelope, password: str = "", **config: Any) -> list[Sent]:
    settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": FROM, "timeout": 2} | config

    async def story() -> list[Sent]:
        sender = SmtpSender(settings, {"password": password}, clock=lambda: NOW)
        try:
            return [await sender.send(envelope) for envelope in envelopes or [mail_of()]]
        finally:
            await sender.close()

    return asyncio.run(story())


def received(relay: Relay, index: int = -1) -> EmailMessage:
    mail = email.message_from_bytes(relay.mails[index].content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail
