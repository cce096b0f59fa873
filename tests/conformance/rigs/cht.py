"""A phone with the CHT gateway app: it comes with what it has, and goes with what it is to send."""

import base64
from typing import Any

from tests.conformance.rig import Delivery, Office, Rig

TOKEN = "conformance-cht-password-7748"
CALLED = "the phone calls, nobody calls it"


class ChtRig(Rig):
    kind = "cht"
    secrets = (TOKEN,)
    fetches = True
    cannot = dict.fromkeys(("throttled", "silent", "refused", "offline", "wrong_key"), CALLED)

    def settings(self) -> dict[str, str]:
        return {"username": "phone", "token": TOKEN}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._round(office, TOKEN, messages=[self._message(delivery)]) is not None

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._round(office, "a-guess", messages=[self._message(delivery)]) is not None

    async def fetch(self, office: Office) -> list[tuple[str, str]]:
        given = await self._round(office, TOKEN)
        return [(message["id"], message["content"]) for message in given or ()]

    async def report(self, office: Office, message: Any, status: str) -> bool:
        update = {"id": str(message.id), "status": status.upper()}
        return await self._round(office, TOKEN, updates=[update]) is not None

    @staticmethod
    def _message(delivery: Delivery) -> dict[str, Any]:
        return {"id": delivery.id, "from": delivery.number, "content": delivery.text, "sms_sent": 1773144600000,
                "sms_received": 1773144601000}  # fmt: skip

    async def _round(self, office: Office, token: str, **brought: Any) -> list[dict[str, Any]] | None:
        login = base64.b64encode(f"phone:{token}".encode()).decode()
        answer = await office.client.post(
            f"/in/{self.name}", json={"messages": None, "updates": [], **brought},
            headers={"Authorization": f"Basic {login}", "Accept-Encoding": "gzip"},
        )  # fmt: skip
        return list(answer.json()["messages"]) if answer.is_success else None


RIG = ChtRig
