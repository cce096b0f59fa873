"""Kannel as its smsbox calls and is called: everything in the address, texts in the charset it names."""

from typing import Any
from urllib.parse import urlencode

from outbox.segments import is_gsm7
from tests.conformance.provider import HttpProvider
from tests.conformance.rig import Delivery, Office, Rig
from tests.outbox.outbox_http import Heard, Say

TOKEN = "conformance-kannel-token-4415"
PASSWORD = "conformance-kannel-password-5526"
STATUS = {"delivered": "1", "failed": "2", "sent": "8"}


def read(heard: Heard) -> tuple[str, str]:
    assert heard.query["username"] == "gw" and heard.query["password"] == PASSWORD
    assert heard.query["coding"] == ("0" if is_gsm7(heard.query["text"]) else "2")
    return heard.query["to"], heard.query["text"]


class KannelRig(Rig):
    kind = "kannel"
    secrets = (TOKEN, PASSWORD)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        yes = Say(202, "0: Accepted for delivery", kind="text/html")
        self.provider = HttpProvider(
            read, lambda _: yes,
            {"wrong_key": Say(403, "Authorization failed for sendsms", kind="text/html"),
             "refused": Say(400, "3: Malformed", kind="text/html")},
        )  # fmt: skip

    def settings(self) -> dict[str, str]:
        return {"token": TOKEN, "username": "gw", "password": PASSWORD, "from": "1500", **self._url()}

    def _url(self) -> dict[str, str]:
        return {"send_url": f"{self.provider.url}/cgi-bin/sendsms"}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._get(office, "", self._fields(delivery, TOKEN))

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._get(office, "", self._fields(delivery, "a-guess"))

    async def report(self, office: Office, message: Any, status: str) -> bool:
        fields = {"token": TOKEN, "id": str(message.id), "status": STATUS[status], "answer": "ACK/"}
        return await self._get(office, "/status", fields)

    @staticmethod
    def _fields(delivery: Delivery, token: str) -> dict[str, str | bytes]:
        plain = is_gsm7(delivery.text)
        text = delivery.text.encode() if plain else delivery.text.encode("utf-16-be")
        return {
            "token": token, "smsc": "FAKE", "id": delivery.id, "from": delivery.number.removeprefix("+"), "to": "1500",
            "text": text, "charset": "UTF-8" if plain else "UTF-16BE", "coding": "0" if plain else "2",
            "ts": "1795288757",
        }  # fmt: skip

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return [(f"tel:+{number}", text) for number, text in self.provider.taken]

    def set_trouble(self, trouble: str) -> None:
        self.provider.set_trouble(trouble)

    def mend(self) -> dict[str, str]:
        self.provider.mend()
        return self._url()

    def close(self) -> None:
        self.provider.close()

    async def _get(self, office: Office, path: str, fields: Any) -> bool:
        answer = await office.client.get(f"/in/{self.name}{path}?{urlencode(fields)}")
        # What stands in the body would go to the villager as an SMS.
        return answer.status_code == 200 and answer.content == b""


RIG = KannelRig
