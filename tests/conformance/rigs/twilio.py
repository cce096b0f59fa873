"""Twilio: signed posts in, its Messages resource out."""

from typing import Any
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from tests.conformance.rig import Delivery, Office, Rig
from tests.outbox.outbox_http import FakeTwilio, HttpServer, Say

ACCOUNT = "AC" + "0" * 32
TOKEN = "conformance-twilio-token-2290"
OURS = "+15005550006"
SAYS = {
    "throttled": Say(429, '{"code": 20429, "message": "Too many", "status": 429}'),
    "refused": Say(400, '{"code": 30007, "message": "no", "status": 400}'),
    "wrong_key": Say(401, '{"code": 20003, "message": "no", "status": 401}'),
    "silent": Say(cut="none"),
}


class TwilioRig(Rig):
    kind = "twilio"
    secrets = (TOKEN,)
    looks_up = True

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.twilio = FakeTwilio(ACCOUNT, TOKEN)
        self.closed = False

    def settings(self) -> dict[str, str]:
        return {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": OURS, "api_base": self.twilio.server.url}

    async def hear(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, f"/in/{self.name}", TOKEN, self._fields(delivery))

    async def hear_stranger(self, office: Office, delivery: Delivery) -> bool:
        return await self._post(office, f"/in/{self.name}", "a-guess", self._fields(delivery))

    async def report(self, office: Office, message: Any, status: str) -> bool:
        fields = {"MessageSid": message.provider_id, "AccountSid": ACCOUNT, "MessageStatus": status}
        return await self._post(office, f"/in/{self.name}/status?m={message.id}", TOKEN, fields)

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return [(f"tel:{message['to']}", message["body"]) for message in self.twilio.messages]

    def set_trouble(self, trouble: str) -> None:
        if trouble == "offline":
            self.close()
            return
        self.twilio.keep_when_saying = trouble == "silent"
        # Asked for the messages of a number it answers well: only the sending is in trouble.
        self.twilio.next = [SAYS[trouble]] * 20

    def mend(self) -> dict[str, str]:
        self.close()
        self.twilio.next = []
        self.twilio.server = HttpServer(self.twilio._answer)
        self.closed = False
        return {"api_base": self.twilio.server.url}

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.twilio.close()

    @staticmethod
    def _fields(delivery: Delivery) -> dict[str, str]:
        sid = f"SM{delivery.id}"
        return {"MessageSid": sid, "SmsSid": sid, "AccountSid": ACCOUNT, "From": delivery.number, "To": OURS,
                "Body": delivery.text, "NumMedia": "0"}  # fmt: skip

    async def _post(self, office: Office, path: str, token: str, fields: dict[str, str]) -> bool:
        signature = RequestValidator(token).compute_signature(office.running.base_url + path, fields)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await office.client.post(path, content=urlencode(fields), headers=headers)
        return answer.is_success


RIG = TwilioRig
