"""A phone with SMS Gateway for Android."""

import json
from datetime import datetime, timedelta
from typing import Any

from tests.conformance.rig import Delivery, Office, Rig
from tests.gateway.channels.android_phone import Phone, event, received, signed, told

KEY = "conformance-android-key-6637"
PASSWORD = "pass"
EVENTS = {
    "sent": ("sms:sent", {"partsCount": 1, "sentAt": None}), "delivered": ("sms:delivered", {"deliveredAt": None}),
    "failed": ("sms:failed", {"failedAt": None, "reason": "RESULT_ERROR_NO_SERVICE"}),
}  # fmt: skip


class AndroidRig(Rig):
    kind = "android"
    secrets = (KEY,)
    looks_up = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.phone = Phone()
        self._seen: dict[str, datetime] = {}

    def settings(self) -> dict[str, str]:
        return {"token": KEY, "send_url": self.phone.url, "username": "sms", "password": PASSWORD}

    def _body(self, office: Office, delivery: Delivery) -> bytes:
        """The same delivery has the same moment; another one a second later."""
        at = self._seen.setdefault(delivery.id, office.house.clock() + timedelta(seconds=len(self._seen)))
        return json.dumps(received(delivery.number, delivery.text, at)).encode()

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, self._body(office, delivery), KEY)

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, self._body(office, delivery), "a-guess")

    async def report(self, office: Office, message: Any, status: str) -> bool:
        name, more = EVENTS[status]
        now = told(office.house.clock())
        payload = {"messageId": str(message.id), "sender": "", "recipient": "+50255550101", "simNumber": 1}
        payload |= {key: now if value is None else value for key, value in more.items()}
        return await self._post(office, json.dumps(event(name, payload)).encode(), KEY)

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return [(f"tel:{number}", text) for number, text in self.phone.taken]

    def set_trouble(self, trouble: str) -> None:
        self.phone.set_trouble(trouble)

    def mend(self) -> dict[str, str]:
        self.phone.mend()
        return {"send_url": self.phone.url}

    def close(self) -> None:
        self.phone.close()

    async def _post(self, office: Office, body: bytes, key: str) -> bool:
        headers = signed(body, key, office.house.clock())
        answer = await office.client.post(f"/in/{self.name}", content=body, headers=headers)
        return answer.is_success


RIG = AndroidRig
