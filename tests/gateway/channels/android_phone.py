"""A phone with SMS Gateway for Android, as far as its app's local server and webhooks go.

Its contract is checked against the official Python client in test_android.py.
"""

import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from tests.conformance.provider import HttpProvider, says_json
from tests.outbox.outbox_http import Heard, Say

GUATEMALA = timezone(timedelta(hours=-6))
LOGIN = "Basic c21zOnBhc3M="  # sms:pass
_ids = itertools.count(1)


def told(at: datetime) -> str:
    """As the app writes moments: 2026-11-21T13:00:00.000-06:00."""
    return at.astimezone(GUATEMALA).isoformat(timespec="milliseconds")


class Phone(HttpProvider):
    """`android` is what Android's inbox holds, `inbox` what the app has taken, `messages` what it was given to send."""

    def __init__(self) -> None:
        super().__init__(self._read, lambda _: Say(202))
        self.messages: dict[str, dict[str, Any]] = {}
        self.android: list[tuple[str, str, datetime]] = []
        self.inbox: list[tuple[str, str, datetime]] = []
        self.asked: list[Heard] = []

    @staticmethod
    def _read(heard: Heard) -> tuple[str, str]:
        return heard.json["phoneNumbers"][0], heard.json["textMessage"]["text"]

    def _answer(self, heard: Heard) -> Say:
        self.asked.append(heard)
        if heard.headers.get("authorization") != LOGIN:
            return Say(401, '{"message":"Unauthorized"}')
        if self.trouble and self.trouble != "silent":
            return self._says[self.trouble]
        parts = urlsplit(heard.path)
        answer = {
            ("POST", "/messages"): self._send, ("POST", "/inbox/refresh"): self._refresh, ("GET", "/inbox"): self._list,
            ("GET", "/health"): self._health,
        }.get((heard.method, parts.path), self._state)  # fmt: skip
        said = answer(heard)
        return self._says["silent"] if self.trouble == "silent" else said

    def _send(self, heard: Heard) -> Say:
        body = heard.json
        if body["id"] in self.messages:
            return says_json({"message": "Message with the same id already exists"}, 409)
        self.taken.append(self._read(heard))
        self.messages[body["id"]] = {
            "id": body["id"], "deviceId": "phone", "state": "Pending", "isHashed": False, "isEncrypted": False,
            "recipients": [{"phoneNumber": one, "state": "Pending", "error": None} for one in body["phoneNumbers"]],
            "states": {"Pending": told(datetime.now(UTC))},
        }  # fmt: skip
        return says_json(self.messages[body["id"]], 202)

    def _state(self, heard: Heard) -> Say:
        found = self.messages.get(urlsplit(heard.path).path.rpartition("/")[2])
        return says_json(found) if found else Say(404)

    def _refresh(self, heard: Heard) -> Say:
        since, until = (datetime.fromisoformat(heard.json[name]) for name in ("since", "until"))
        self.inbox += [one for one in self.android if since <= one[2] <= until and one not in self.inbox]
        return Say(202, "")

    def _list(self, heard: Heard) -> Say:
        query = heard.query
        since, until = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        found = [one for one in self.inbox if since <= one[2] <= until]
        start = int(query["offset"])
        page = found[start : start + int(query["limit"])]
        rows = [
            {"id": f"text:{index}", "type": "SMS", "sender": number, "recipient": None, "simNumber": 1,
             "contentPreview": text, "createdAt": told(at), "attachments": []}
            for index, (number, text, at) in enumerate(page, start)
        ]  # fmt: skip
        return Say(200, json.dumps(rows), headers={"X-Total-Count": str(len(found))})

    @staticmethod
    def _health(_heard: Heard) -> Say:
        return says_json({"status": "pass", "version": "1.50", "releaseId": 1, "checks": {}})


def received(number: str, text: str, at: datetime) -> dict[str, Any]:
    """The webhook of a text; each is delivered under an id of its own."""
    payload = {
        "messageId": f"{abs(hash((number, text))) % 2**32:x}", "sender": number, "recipient": None, "simNumber": 1,
        "phoneNumber": number, "message": text, "receivedAt": told(at),
    }  # fmt: skip
    return event("sms:received", payload)


def event(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    number = next(_ids)
    return {"id": f"nanoid{number:015}", "webhookId": "w1", "deviceId": "phone", "event": name, "payload": payload}


def signed(body: bytes, key: str, at: datetime) -> dict[str, str]:
    """Headers of a webhook that leaves the phone at `at`."""
    stamp = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    return {
        "X-Signature": signature, "X-Timestamp": stamp, "Content-Type": "application/json",
        "User-Agent": "me.capcom.smsgateway/1.50",
    }  # fmt: skip
