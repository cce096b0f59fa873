"""E-mail: a letter handed over by SMTP, and a provider's server that takes ours."""

import asyncio
import smtplib
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from tests.conformance.rig import Delivery, Office, Rig
from tests.gateway.at_work import mail_port
from tests.outbox.outbox_mail import Relay

PASSWORD = "conformance-smtp-password-3304"
OURS = "vocero@example.org"
SAYS = {
    "throttled": ("MAIL", "421 4.7.0 too many"), "refused": ("DATA", "554 5.7.1 no"),
    "wrong_key": ("MAIL", "535 5.7.8 no"),
}  # fmt: skip


class SmtpRig(Rig):
    kind = "smtp"
    secrets = (PASSWORD,)
    to = "mailto:marta@example.org"
    cannot = {
        "stranger": "it listens on the loopback alone, where the mail server is the guard",
        "receipt": "receipts of mail come as letters",
        "wrong_key": "the server of this rig asks for no login; its own test does",
    }
    codes = {"throttled": "unavailable"}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.relay: Relay | None = self.new_relay()
        self.taken: list[tuple[str, str]] = []

    def new_relay(self) -> Relay:
        return Relay()

    def settings(self) -> dict[str, str]:
        return {"listen": "127.0.0.1:0", "from": OURS, "password": PASSWORD, **self._out()}

    def _out(self) -> dict[str, str]:
        assert self.relay is not None
        return {"host": "127.0.0.1", "port": str(self.relay.port), "tls": "none"}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await asyncio.to_thread(self._send, mail_port(office.running, self.name), delivery)

    @staticmethod
    def _send(port: int, delivery: Delivery) -> bool:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            try:
                client.send_message(letter(delivery))
            except smtplib.SMTPResponseException:
                return False
        return True

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return self._all()

    def _all(self) -> list[tuple[str, str]]:
        mails = self.relay.mails if self.relay is not None else []
        return [*self.taken, *((f"mailto:{mail.recipients[0]}", words(mail.content)) for mail in mails)]

    def set_trouble(self, trouble: str) -> None:
        assert self.relay is not None
        if trouble == "offline":
            self._end_relay()
        elif trouble == "silent":
            self.relay.drop_after_dot = 20
        else:
            stage, answer = SAYS[trouble]
            self.relay.refuse = {stage: [answer] * 20}

    def mend(self) -> dict[str, str]:
        self._end_relay()
        self.relay = self.new_relay()
        return self._out()

    def close(self) -> None:
        self._end_relay()

    def _end_relay(self) -> None:
        if self.relay is not None:
            self.taken = self._all()
            self.relay.close()
            self.relay = None


def letter(delivery: Delivery) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "ana@example.org", OURS, f"<{delivery.id}@example.org>"
    mail.set_content(delivery.text)
    return mail


def words(content: bytes) -> str:
    body = message_from_bytes(content, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content()).strip()


RIG = SmtpRig
