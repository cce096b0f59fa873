"""Twilio, played by a server whose every answer is held against Twilio's own description of its API."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from twilio.request_validator import RequestValidator

from tests.peers.table import Table
from tests.served import Served

sys.path.insert(0, str(Path(__file__).parents[1] / "outbox"))
from outbox_http import FakeTwilio

pytestmark = [pytest.mark.peers, pytest.mark.timeout(300)]
PEER = "fake held against twilio_api_v2010"
OURS, TOKEN = "+15005550006", "secret"
PEOPLE = [f"+502555501{number:02}" for number in range(1, 11)]
PLACES = ("nebaj", "chajul", "cotzal", "ixcan", "sacapulas", "cunen", "uspantan", "joyabaj", "chiche", "zacualpa")


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    fake = FakeTwilio(token=TOKEN)
    yield fake
    fake.close()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def open_for(served: Served, twilio: FakeTwilio) -> None:
    served.set_up()
    settings = {"account_sid": twilio.account, "auth_token": TOKEN, "from": OURS, "api_base": twilio.server.url}
    served.run("channel", "add", "twilio", "nube", *(w for k, v in settings.items() for w in ("--set", f"{k}={v}")))
    served.start()


def call(served: Served, path: str, form: dict[str, str]) -> int:
    """A signed webhook call; its status."""
    url = f"{served.url}{path}"
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return httpx.post(url, content=urlencode(form), headers=headers, timeout=10).status_code


def text_form(twilio: FakeTwilio, number: int) -> dict[str, str]:
    sid = f"SM{number:032x}"
    return {
        "MessageSid": sid, "AccountSid": twilio.account, "From": PEOPLE[number], "To": OURS, "NumMedia": "0",
        "Body": f"inc rob {PLACES[number]} ayer {number + 1} heridos",
    }  # fmt: skip


def settled(served: Served, number: int, state: str) -> Callable[[], bool]:
    return lambda: Counter(row["state"] for row in served.export("outbox"))[state] >= number


def test_texts_answers_and_receipts_go_both_ways_through_faults(
    served: Served, twilio: FakeTwilio, table: Table
) -> None:
    open_for(served, twilio)
    for number in range(6):
        assert [call(served, "/in/nube", text_form(twilio, number)) for _ in range(2)] == [200, 200]
    until(settled(served, 6, "sent"))
    served.kill()
    served.start()
    for number in range(6, 10):
        assert call(served, "/in/nube", text_form(twilio, number)) == 200
    until(settled(served, 10, "sent"))
    for message in twilio.messages:
        form = {
            "MessageSid": message["sid"],
            "MessageStatus": "delivered",
            "AccountSid": twilio.account,
            "To": message["to"],
        }
        assert [call(served, "/in/nube/status", form | {"MessageStatus": word}) for word in ("delivered", "sent")] == [
            200
        ] * 2
    until(settled(served, 10, "delivered"))
    sent = Counter((message["to"], message["body"]) for message in twilio.messages)
    table.row(
        "twilio", peer=PEER, texts_in=len(served.export("messages")), texts_out=len(twilio.messages), receipts=10,
        faults=("every text twice", "kill -9 of the gateway", "receipts out of order"),
        lost=10 - len(served.export("reports")), doubled=sum(sent.values()) - len(sent),
    )  # fmt: skip
    assert len(served.export("reports")) == 10 == len(sent) == len(twilio.messages)


def test_what_was_sent_while_the_gateway_was_down_is_fetched_afterwards(
    served: Served, twilio: FakeTwilio, table: Table
) -> None:
    open_for(served, twilio)
    served.kill()
    twilio.page_size = 3
    now = datetime.now(UTC).replace(microsecond=0)
    for number in range(10):
        form, at = text_form(twilio, number), now + timedelta(seconds=number // 4)
        heard = twilio.hear(number, form["Body"], at)
        twilio.stored.append(heard | {"from": form["From"], "sid": form["MessageSid"]})
    served.start()
    until(lambda: len(served.export("reports")) == 10)
    assert call(served, "/in/nube", text_form(twilio, 3)) == 200
    assert len(served.export("messages")) == 10
    table.outage(
        "twilio", peer=PEER, down="killed", sent=10,
        arrived=len(served.export("messages")), how="the list of messages is asked at the start",
    )  # fmt: skip
