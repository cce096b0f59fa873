"""A gateway that speaks JSON both ways."""

import json
from typing import Any

from tests.conformance.provider import HttpProvider, says_json
from tests.conformance.rig import Delivery, Office, Rig
from tests.outbox.outbox_http import Heard

TOKEN = "conformance-http-token-1187"
PASSWORD = "conformance-http-password-1298"


def read(heard: Heard) -> tuple[str, str]:
    return heard.json["to"], heard.json["text"]


class HttpRig(Rig):
    kind = "http"
    secrets = (TOKEN, PASSWORD)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.provider = HttpProvider(read, lambda number: says_json({"id": f"p-{number}"}))

    def settings(self) -> dict[str, str]:
        return {"token": TOKEN, "password": PASSWORD, "send_url": f"{self.provider.url}/send"}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, "", TOKEN, self._body(delivery))

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, "", "a-guess", self._body(delivery))

    async def report(self, office: Office, message: Any, status: str) -> bool:
        return await self._post(office, "/status", TOKEN, {"id": str(message.id), "status": status})

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return [(f"tel:{number}", text) for number, text in self.provider.taken]

    def set_trouble(self, trouble: str) -> None:
        self.provider.set_trouble(trouble)

    def mend(self) -> dict[str, str]:
        self.provider.mend()
        return {"send_url": f"{self.provider.url}/send"}

    def close(self) -> None:
        self.provider.close()

    @staticmethod
    def _body(delivery: Delivery) -> dict[str, str]:
        return {"id": delivery.id, "from": delivery.number, "text": delivery.text}

    async def _post(self, office: Office, path: str, token: str, body: dict[str, Any]) -> bool:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = await office.client.post(f"/in/{self.name}{path}", content=json.dumps(body), headers=headers)
        return answer.is_success


RIG = HttpRig
