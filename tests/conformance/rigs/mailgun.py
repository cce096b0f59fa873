"""Mailgun: mail by signed forms, its SMTP server, and events that tell what became of ours."""

import hashlib
import hmac
from typing import Any

from uuid_utils.compat import uuid7

from tests.conformance.rig import Delivery, Office
from tests.conformance.rigs.smtp import OURS, SmtpRig, letter

KEY = "conformance-mailgun-key-5540"
EVENTS = {"delivered": {"event": "delivered"}, "failed": {"event": "failed", "severity": "permanent"}}


def signature(office: Office, key: str) -> dict[str, str]:
    stamp, token = str(int(office.house.clock().timestamp())), uuid7().hex
    return {
        "timestamp": stamp, "token": token,
        "signature": hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest(),
    }  # fmt: skip


class MailgunRig(SmtpRig):
    kind = "mailgun"
    secrets = (KEY,)
    cannot = {"wrong_key": "the server of this rig asks for no login; its own test does"}

    def settings(self) -> dict[str, str]:
        return {"signing_key": KEY, "from": OURS, **self._out()}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._bring(office, delivery, KEY)

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._bring(office, delivery, "a-guess")

    async def _bring(self, office: Office, delivery: Delivery, key: str) -> bool:
        fields = {**signature(office, key), "recipient": OURS, "sender": "ana@example.org"}
        form = {name: (None, value) for name, value in fields.items()}
        answer = await office.client.post(
            f"/in/{self.name}", files={**form, "body-mime": (None, letter(delivery).as_bytes())}
        )
        return answer.is_success

    async def report(self, office: Office, message: Any, status: str) -> bool:
        """There is no word for `sent`: Mailgun says `accepted`, which settles nothing."""
        event = EVENTS.get(status, {"event": "accepted"})
        headers = {"message-id": str(message.provider_id).strip("<>")}
        body = {"signature": signature(office, KEY), "event-data": {**event, "message": {"headers": headers}}}
        answer = await office.client.post(f"/in/{self.name}/status", json=body)
        return answer.is_success


RIG = MailgunRig
