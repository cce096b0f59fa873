"""A phone with SMSSync, its message results switched on."""

import json
from typing import Any

from tests.conformance.rig import Delivery, Office, Rig

TOKEN = "conformance-smssync-secret-8859"
CALLED = "the phone calls, nobody calls it"
CODES = {"sent": (-1, 0), "delivered": (-1, -1), "failed": (4, 0)}


class SmssyncRig(Rig):
    kind = "smssync"
    secrets = (TOKEN,)
    fetches = True
    cannot = dict.fromkeys(("throttled", "silent", "refused", "offline", "wrong_key"), CALLED)

    def settings(self) -> dict[str, str]:
        return {"token": TOKEN, "results": "yes"}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, delivery, TOKEN)

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, delivery, "a-guess")

    async def _post(self, office: Office, delivery: Delivery, secret: str) -> bool:
        form = {
            "secret": secret, "from": delivery.number, "message": delivery.text, "message_id": delivery.id,
            "sent_timestamp": "1773144600000", "sent_to": "+50255550000", "device_id": "1",
        }  # fmt: skip
        answer = await office.client.post(f"/in/{self.name}", data=form)
        return answer.is_success and answer.json() == {"payload": {"success": True, "error": None}}

    async def fetch(self, office: Office) -> list[tuple[str, str]]:
        """Asks, then has confirmed which of them it may send, as the app does."""
        answer = await office.client.get(f"/in/{self.name}", params={"task": "send", "secret": TOKEN})
        payload = answer.json()["payload"]
        assert (payload["task"], payload["secret"]) == ("send", TOKEN)
        named = [message["uuid"] for message in payload["messages"]]
        if not named:
            return []
        answer = await office.client.post(f"/in/{self.name}?task=sent", json={"queued_messages": named})
        may = answer.json()["message_uuids"]
        return [(message["uuid"], message["message"]) for message in payload["messages"] if message["uuid"] in may]

    async def report(self, office: Office, message: Any, status: str) -> bool:
        sent, delivered = CODES[status]
        result = {
            "uuid": str(message.id), "sent_result_code": sent, "sent_result_message": "no service",
            "delivered_result_code": delivered, "delivered_result_message": "",
        }  # fmt: skip
        answer = await office.client.post(
            f"/in/{self.name}", params={"task": "result", "secret": TOKEN},
            json={"message_result": json.dumps([result])},
        )  # fmt: skip
        return answer.is_success


RIG = SmssyncRig
