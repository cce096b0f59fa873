"""A mailbox at a provider: letters arrive there and are fetched, and the provider's server takes ours."""

import asyncio

from gateway.channels import mailbox
from gateway.channels.marks import Marks
from tests.conformance.rig import Delivery, Office
from tests.conformance.rigs.smtp import OURS, SmtpRig, letter
from tests.gateway.at_work import until
from tests.gateway.channels.imap_server import ImapServer
from tests.outbox.outbox_mail import Relay

PASSWORD = "conformance-imap-password-7713"


class ImapRig(SmtpRig):
    kind = "imap"
    secrets = (PASSWORD,)
    cannot = {
        "stranger": "we call the provider: nobody calls us",
        "receipt": "receipts of mail come as letters",
    }

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.server = ImapServer(password=PASSWORD)

    def new_relay(self) -> Relay:
        return Relay(login=PASSWORD)

    def set_trouble(self, trouble: str) -> None:
        if trouble == "wrong_key":
            assert self.relay is not None
            self.relay.password = "another"
        else:
            super().set_trouble(trouble)

    def settings(self) -> dict[str, str]:
        box = {"imap_host": "127.0.0.1", "imap_port": str(self.server.port), "imap_tls": "none", "first": "all"}
        return {**box, "username": "vocero", "password": PASSWORD, "from": OURS, **self._out()}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        """Acknowledged is what the gateway has noted as read; that it fetched a letter and went away is a no."""
        uid = self.server.deliver(letter(delivery).as_bytes())
        marks = Marks(office.house, "rig")
        said: list[bool] = []

        async def told() -> bool:
            mark = await asyncio.to_thread(marks.get, self.name, mailbox.MARK)
            if mark is not None and mark["uid"] >= uid:
                said.append(True)
            elif uid in self.server.fetched and self.server.commands[-1] == "LOGOUT":
                said.append(False)
            return bool(said)

        await until(told, 20)
        if not said[0]:
            self.server.inbox.mails = [one for one in self.server.inbox.mails if one.uid != uid]
        return said[0]

    def close(self) -> None:
        super().close()
        self.server.close()


RIG = ImapRig
