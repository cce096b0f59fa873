"""A provider that hangs holds up nobody but itself."""

import asyncio
import threading
import time

from servers import Say, http_server

from tests.gateway.at_work import BEARER, TOKEN, add_channel, at_work, until
from tests.gateway.desk import Desk


def test_texts_are_taken_as_fast_while_the_provider_hangs(office: Desk) -> None:
    release = threading.Event()

    async def story(url: str) -> list[float]:
        add_channel(office.house, "http", "campo", token=TOKEN, send_url=url)
        async with at_work(office.house, worker=True) as (_, client):
            took = []
            for number in range(40):
                if number == 10:
                    await until(lambda: asyncio.sleep(0, bool(server.heard)))
                started = time.perf_counter()
                body = {
                    "id": str(number),
                    "from": f"+502555501{1 + number % 20:02d}",
                    "text": f"inc rob 1413 x{number}y",
                }
                answer = await client.post("/in/campo", json=body, headers=BEARER)
                assert answer.status_code == 202
                took.append(time.perf_counter() - started)
            assert (await client.get("/healthz")).status_code == 200
            release.set()
            return took

    with http_server(Say(200, '{"id": "p"}', hold=release)) as server:
        took = asyncio.run(story(server.url))
    assert max(took) < 5
    assert len(office.messages()) == 40
