"""Postmark: mail as JSON with a login in the address, its SMTP server, and news that carries our id."""

import base64
from email import message_from_bytes
from typing import Any

from tests.conformance.rig import Delivery, Office
from tests.conformance.rigs.smtp import OURS, SmtpRig, letter

PASSWORD = "conformance-postmark-password-9034"
NEWS = {"delivered": {"RecordType": "Delivery"}, "failed": {"RecordType": "Bounce", "Type": "HardBounce"}}


class PostmarkRig(SmtpRig):
    kind = "postmark"
    secrets = (PASSWORD,)
    cannot = {"wrong_key": "the server of this rig asks for no login; its own test does"}

    def settings(self) -> dict[str, str]:
        return {"webhook_user": "postmark", "webhook_password": PASSWORD, "from": OURS, **self._out()}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._bring(office, delivery, PASSWORD)

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._bring(office, delivery, "a-guess")

    async def _bring(self, office: Office, delivery: Delivery, password: str) -> bool:
        body = {"OriginalRecipient": OURS, "RawEmail": letter(delivery).as_bytes().decode()}
        return await self._post(office, "", password, body)

    async def report(self, office: Office, message: Any, status: str) -> bool:
        """There is no word for `sent`."""
        mine = [mail.content for mail in self.relay.mails] if self.relay is not None else []
        ids = [str(message_from_bytes(content)["X-PM-Metadata-vocero"]) for content in mine]
        assert str(message.id) in ids
        body = {**NEWS.get(status, {"RecordType": "Open"}), "Metadata": {"vocero": str(message.id)}}
        return await self._post(office, "/status", PASSWORD, body)

    async def _post(self, office: Office, path: str, password: str, body: dict[str, Any]) -> bool:
        login = base64.b64encode(f"postmark:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        answer = await office.client.post(f"/in/{self.name}{path}", json=body, headers=headers)
        return answer.is_success


RIG = PostmarkRig
