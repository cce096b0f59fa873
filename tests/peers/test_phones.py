"""Phones and a gateway over HTTP, made of their published contracts, around a real server that is killed.

Each plays its app's own patience: what it could not bring it keeps and brings again.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.conformance.provider import HttpProvider, says_json
from tests.gateway.channels.android_phone import Phone, received, signed
from tests.outbox.outbox_http import Heard
from tests.peers.table import Table
from tests.served import TOKEN, Served

pytestmark = [pytest.mark.peers, pytest.mark.timeout(180)]

CHANNEL = "telefono"
PEOPLE = [f"+502555501{number:02}" for number in range(1, 21)]
AWAY_S = 4.0
PATIENCE_S = 40.0


class Caller(threading.Thread):
    """A phone that holds texts until they are acknowledged, and answers it was given until its news are heard."""

    def __init__(self, served: Served) -> None:
        super().__init__(daemon=True)
        self.served = served
        self.waiting: list[tuple[str, str, str]] = []
        self.given: list[str] = []
        self.news: list[str] = []
        self._ended = threading.Event()
        self.start()

    def write(self, number: str, text: str) -> None:
        self.waiting.append((uuid4().hex, number, text))

    def run(self) -> None:
        with httpx.Client(timeout=5) as client:
            while not self._ended.wait(0.2):
                try:
                    self.turn(client)
                except httpx.HTTPError:
                    continue

    def turn(self, client: httpx.Client) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self._ended.set()
        self.join()


class Aggregator(Caller):
    """Posts JSON, again and again until a 2xx; takes answers at an address of its own."""

    def __init__(self, served: Served) -> None:
        self.provider = HttpProvider(self._take, lambda number: says_json({"id": f"p-{number}"}))
        super().__init__(served)

    def _take(self, heard: Heard) -> tuple[str, str]:
        self.given.append(heard.json["id"])
        return heard.json["to"], heard.json["text"]

    def close(self) -> None:
        super().close()
        self.provider.close()

    def turn(self, client: httpx.Client) -> None:
        for one in list(self.waiting):
            body = {"id": one[0], "from": one[1], "text": one[2]}
            answer = client.post(
                f"{self.served.url}/in/{CHANNEL}", json=body, headers={"Authorization": f"Bearer {TOKEN}"}
            )
            if answer.is_success:
                self.waiting.remove(one)


class ChtPhone(Caller):
    """Brings ten texts and twenty states a call, and takes what is given, one id once."""

    def turn(self, client: httpx.Client) -> None:
        texts, news = self.waiting[:10], self.news[:20]
        body = {
            "messages": [{"id": one[0], "from": one[1], "content": one[2], "sms_sent": 1, "sms_received": 1}
                         for one in texts],
            "updates": [{"id": name, "status": "SENT"} for name in news],
        }  # fmt: skip
        login = base64.b64encode(f"phone:{TOKEN}".encode()).decode()
        answer = client.post(
            f"{self.served.url}/in/{CHANNEL}", json=body, headers={"Authorization": f"Basic {login}"}
        )  # fmt: skip
        if answer.is_success:
            self.waiting = self.waiting[len(texts) :]
            self.news = self.news[len(news) :]
            fresh = [one["id"] for one in answer.json()["messages"] if one["id"] not in self.given]
            self.given += fresh
            self.news += fresh


class SmssyncPhone(Caller):
    """Posts each text until success, asks for messages, and sends those of which the server reminds it."""

    def turn(self, client: httpx.Client) -> None:
        url = f"{self.served.url}/in/{CHANNEL}"
        for one in list(self.waiting):
            form = {"secret": TOKEN, "from": one[1], "message": one[2], "message_id": one[0], "sent_timestamp": "1"}
            if client.post(url, data=form).is_success:
                self.waiting.remove(one)
        asked = {"secret": TOKEN}
        found = client.get(url, params={"task": "send", **asked}).json()["payload"]["messages"]
        if found:
            named = {"queued_messages": [one["uuid"] for one in found]}
            self.given += client.post(url, params={"task": "sent"}, json=named).json()["message_uuids"]
        owed = client.get(url, params={"task": "result", **asked}).json()["message_uuids"]
        results = [{"uuid": one, "sent_result_code": -1, "delivered_result_code": -1} for one in owed]
        client.post(url, params={"task": "result", **asked}, json={"message_result": results})


class AndroidPhone(Caller):
    """Calls its webhook once for each text; whatever fails stays in its inbox alone."""

    def __init__(self, served: Served) -> None:
        self.phone = Phone()
        super().__init__(served)

    def write(self, number: str, text: str) -> None:
        self.phone.android.append((number, text, datetime.now(UTC).replace(microsecond=0)))
        super().write(number, text)

    def turn(self, client: httpx.Client) -> None:
        while self.waiting:
            _, number, text = self.waiting.pop(0)
            at = next(one[2] for one in self.phone.android if one[:2] == (number, text))
            body = json.dumps(received(number, text, at)).encode()
            client.post(f"{self.served.url}/in/{CHANNEL}", content=body, headers=signed(body, TOKEN, datetime.now(UTC)))
        self.given = list(self.phone.messages)

    def close(self) -> None:
        super().close()
        self.phone.close()


def settings_of(kind: str, caller: Caller) -> dict[str, str]:
    if isinstance(caller, AndroidPhone):
        return {"token": TOKEN, "send_url": caller.phone.url, "username": "sms", "password": "pass"}
    if isinstance(caller, Aggregator):
        return {"token": TOKEN, "send_url": f"{caller.provider.url}/send"}
    more = {"cht": {"username": "phone"}, "smssync": {"results": "yes"}}
    return {"token": TOKEN, **more.get(kind, {})}


KINDS: dict[str, tuple[type[Caller], str]] = {
    "http": (Aggregator, "the aggregator asked again"),
    "android": (AndroidPhone, "fetched from the phone's inbox"),
    "cht": (ChtPhone, "the phone brought them again"),
    "smssync": (SmssyncPhone, "the phone brought them again"),
}


@pytest.fixture
def callers() -> Iterator[list[Caller]]:
    made: list[Caller] = []
    yield made
    for caller in made:
        caller.close()


def heard(served: Served) -> list[dict[str, Any]]:
    return [row for row in served.export("messages") if row["channel"] == CHANNEL]


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(1)
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_wrote_while_the_gateway_was_killed_arrives_once(
    served: Served, table: Table, callers: list[Caller], kind: str
) -> None:
    make, how = KINDS[kind]
    caller = make(served)
    callers.append(caller)
    served.set_up()
    pairs = [word for name, value in settings_of(kind, caller).items() for word in ("--set", f"{name}={value}")]
    served.run("channel", "add", kind, CHANNEL, *pairs)
    served.start()
    for number in PEOPLE[:10]:
        caller.write(number, f"inc rob nebaj ayer {number[-2:]} heridos")
    assert until(lambda: len(heard(served)) == 10)
    served.kill()
    for number in PEOPLE[10:]:
        caller.write(number, f"inc rob chajul ayer {number[-2:]} heridos")
    time.sleep(AWAY_S)
    served.start()
    until(lambda: len(heard(served)) >= 20)
    rows = heard(served)
    answers = [row for row in served.export("outbox") if row["channel"] == CHANNEL]
    assert until(lambda: len(set(caller.given)) == len(answers))
    log = (served.folder / "serve.log").read_text()
    assert not [word for word in (TOKEN, *PEOPLE, "chajul") if word in log]
    peer = f"{kind}, by its published contract"
    lost, doubled = 20 - len({row["from"] for row in rows}), len(rows) - len({row["from"] for row in rows})
    doubled += len(caller.given) - len(set(caller.given))
    table.row(kind, peer=peer, texts_in=len(rows), texts_out=len(caller.given), faults=("gateway killed",), lost=lost,
              doubled=doubled)  # fmt: skip
    table.outage(kind, peer=peer, down=f"killed, {AWAY_S:.0f} s", sent=10, arrived=len(rows) - 10, how=how)
    assert (lost, doubled) == (0, 0)
