"""Alive, ready, and figures, from a gateway at work."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from uuid_utils.compat import uuid7

from gateway.health import is_near
from gateway.house import House
from gateway.upkeep import beat
from outbox.queue import NewMessage, enqueue
from tests.conftest import HandClock
from tests.gateway.at_work import BEARER, TOKEN, add_channel, at_work


def ask(house: House, *paths: str, **parts: Any) -> list[httpx.Response]:
    async def story() -> list[httpx.Response]:
        async with at_work(house, **parts) as (_, client):
            return [await client.get(path) for path in paths]

    return asyncio.run(story())


def failing(response: httpx.Response) -> list[str]:
    return [name for name, check in response.json()["checks"].items() if not check["ok"]]


def test_a_gateway_at_work_is_alive_and_ready(house: House) -> None:
    beat(house)
    alive, ready = ask(house, "/healthz", "/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert (ready.status_code, failing(ready)) == (200, [])
    assert all(check["says"] for check in ready.json()["checks"].values())


def test_without_a_worker_it_is_not_ready(house: House) -> None:
    (ready,) = ask(house, "/readyz")
    assert (ready.status_code, failing(ready)) == (503, ["last_tick"])


def test_a_tick_long_ago_is_told(house: House, clock: HandClock) -> None:
    beat(house)
    clock.advance(timedelta(minutes=3))
    (ready,) = ask(house, "/readyz")
    assert failing(ready) == ["last_tick"]


def test_a_disk_below_its_reserve_is_told(house: House) -> None:
    beat(house)
    house.settings.disk_reserve_mb = 10**9
    (ready,) = ask(house, "/readyz")
    assert (ready.status_code, failing(ready)) == (503, ["disk"])


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC)])
def test_a_clock_that_cannot_be_right_is_told(house: House, clock: HandClock, at: datetime) -> None:
    clock.now = at
    beat(house)
    (ready,) = ask(house, "/readyz")
    assert failing(ready) == ["clock"]


def test_a_port_that_is_taken_is_told_and_the_rest_works(house: House) -> None:
    import socket

    beat(house)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        add_channel(house, "smtp", "correo", listen=f"127.0.0.1:{taken.getsockname()[1]}")
        (ready,) = ask(house, "/readyz")
    assert failing(ready) == ["channels"]


def wait_in_outbox(house: House, clock: HandClock) -> None:
    message = NewMessage(id=uuid7(), kind="notice", channel="telco", to="tel:+50255550101", text="hola")
    house.writer.write_now(lambda conn: enqueue(conn, [message], seals=house.sealer, now=clock.now))


def test_an_answer_that_waits_too_long_is_told_unless_its_channel_is_offline(house: House, clock: HandClock) -> None:
    async def story() -> list[list[str]]:
        async with at_work(house) as (running, client):
            first = failing(await client.get("/readyz"))
            running.activity.on_state("telco", "offline", "offline")
            return [first, failing(await client.get("/readyz"))]

    add_channel(house, "http", "telco", token=TOKEN, send_url="http://127.0.0.1:9/")
    wait_in_outbox(house, clock)
    clock.advance(timedelta(minutes=11))
    beat(house)
    assert asyncio.run(story()) == [["outbox"], []]


def test_figures_hold_no_number_and_no_text(house: House, clock: HandClock) -> None:
    async def story() -> str:
        async with at_work(house) as (_, client):
            body = {"id": "1", "from": "+50255550101", "text": "inc rob nebaj ayer 2 heridos"}
            await client.post("/in/telco", json=body, headers=BEARER)
            return (await client.get("/metrics")).text

    add_channel(house, "http", "telco", token=TOKEN)
    wait_in_outbox(house, clock)
    text = asyncio.run(story())
    assert 'vocero_heard_total{channel="telco",result="kept"} 1.0' in text
    assert 'vocero_outbox_queued{channel="telco"}' in text
    assert "5550101" not in text
    assert "nebaj" not in text


NEAR = {
    "this machine": (("127.0.0.1", 1), [], True),
    "a private network": (("10.1.2.3", 1), [], True),
    "the internet": (("8.8.8.8", 1), [], False),
    "through a proxy": (("127.0.0.1", 1), [(b"x-forwarded-for", b"10.0.0.1")], False),
    "nowhere": (None, [], False),
}


@pytest.mark.parametrize("label", NEAR)
def test_figures_are_for_who_is_near(label: str) -> None:
    client, headers, wanted = NEAR[label]
    assert is_near({"client": client, "headers": headers}) is wanted


def test_log_lines_are_json_without_what_people_said(capfd: pytest.CaptureFixture[str]) -> None:
    import logging

    from gateway import logs
    from gateway.errors import Busy

    kept = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure()
        logging.getLogger("vocero.test").info("texts %s", 5, extra={"count": 5})
        logging.getLogger("library").warning("cannot reach %s at /x?token=abc", "+50255550101")
        logging.getLogger("library").warning("from ana@example.org or +502 5555 0101")
        logging.getLogger("library").info("too quiet")
        for error in (ValueError("inc rob nebaj"), Busy("the disk is nearly full")):
            try:
                raise error
            except Exception:
                logging.getLogger("vocero.test").exception("it failed")
    finally:
        logging.getLogger().handlers[:], logging.getLogger().level = kept
        logging.captureWarnings(capture=False)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == [
        "texts 5", "cannot reach %s at /x#", "from # or #", "it failed", "it failed",
    ]  # fmt: skip
    assert lines[0]["count"] == 5
    assert lines[3]["exception"][0]["type"] == "ValueError"
    assert "nebaj" not in json.dumps(lines)
    assert lines[4]["exception"][0]["words"] == "the disk is nearly full"
