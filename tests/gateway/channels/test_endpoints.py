"""Webhooks over a real server: every refusal in its words, every yes after the commit."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from sqlalchemy import func, select

from gateway.channels import registry
from gateway.house import House
from gateway.running import Running
from gateway.standing import MESSAGE
from tests.gateway.at_work import BEARER, TOKEN, add_channel, at_work, until

TEXT = {"id": "1", "from": "+50255550101", "text": "inc rob nebaj ayer 2 heridos"}
JSON_TYPE = {"Content-Type": "application/json"}


def kept(house: House) -> int:
    return house.read_now(lambda conn: conn.scalar(select(func.count()).select_from(MESSAGE)) or 0)


def ask(house: House, method: str, path: str, **more: Any) -> httpx.Response:
    """One call to a gateway with the channel `telco`."""

    async def story() -> httpx.Response:
        async with at_work(house) as (_, client):
            return await client.request(method, path, **more)

    add_channel(house, "http", "telco", token=TOKEN)
    return asyncio.run(story())


class InPieces:
    """A body whose length is told to nobody."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1000


BIG = b'{"from":"1","text":"' + b"x" * 65_600 + b'"}'
REFUSED: dict[str, tuple[str, str, dict[str, Any], int, str]] = {
    "no such channel": ("POST", "/in/nobody", {"json": TEXT, "headers": BEARER}, 404, "no_such_channel"),
    "a name that is none": ("POST", "/in/%2e%2e", {"json": TEXT, "headers": BEARER}, 404, "no_such_channel"),
    "GET": ("GET", "/in/telco", {"headers": BEARER}, 405, "method_not_allowed"),
    "TRACE": ("TRACE", "/in/telco", {}, 405, "method_not_allowed"),
    "a body of 65,600 bytes": (
        "POST", "/in/telco", {"content": BIG, "headers": BEARER | JSON_TYPE}, 413, "too_large",
    ),
    "a body that grows while it comes": (
        "POST", "/in/telco", {"content": InPieces(), "headers": BEARER | JSON_TYPE}, 413, "too_large",
    ),
    "XML": (
        "POST", "/in/telco", {"content": b"<a/>", "headers": BEARER | {"Content-Type": "text/xml"}}, 415,
        "unsupported_media_type",
    ),
    "no media type": ("POST", "/in/telco", {"content": b"{}", "headers": BEARER}, 415, "unsupported_media_type"),
    "no token": ("POST", "/in/telco", {"json": TEXT}, 401, "unauthorized"),
    "the token in the address": ("POST", f"/in/telco?token={TOKEN}", {"json": TEXT}, 401, "unauthorized"),
    "malformed": ("POST", "/in/telco", {"content": b"{", "headers": BEARER | JSON_TYPE}, 400, "malformed"),
    "half a receipt": ("POST", "/in/telco/status", {"json": {"id": "x"}, "headers": BEARER}, 400, "malformed"),
    "a receipt without token": (
        "POST", "/in/telco/status", {"json": {"id": "x", "status": "sent"}}, 401, "unauthorized",
    ),
    "no such page": ("GET", "/nothing/here", {}, 404, "http_404"),
}  # fmt: skip


def test_what_is_not_taken_is_refused_in_words_and_not_kept(house: House) -> None:
    async def story() -> dict[str, httpx.Response]:
        async with at_work(house) as (_, client):
            return {
                label: await client.request(method, path, **more)
                for label, (method, path, more, _status, _code) in REFUSED.items()
            }

    add_channel(house, "http", "telco", token=TOKEN)
    responses = asyncio.run(story())
    told = {label: (one.status_code, one.json()["error"]["code"]) for label, one in responses.items()}
    assert told == {label: row[3:] for label, row in REFUSED.items()}
    assert kept(house) == 0
    assert {one.headers["x-content-type-options"] for one in responses.values()} == {"nosniff"}
    assert not any("server" in one.headers for one in responses.values())


def test_a_text_is_kept_before_it_is_acknowledged(house: House) -> None:
    response = ask(house, "POST", "/in/telco", json=TEXT, headers=BEARER)
    assert response.status_code == 202
    assert response.json()["status"] == "kept"
    assert kept(house) == 1


def test_an_unknown_receipt_is_parked(house: House) -> None:
    response = ask(house, "POST", "/in/telco/status", json={"id": "x-9", "status": "delivered"}, headers=BEARER)
    assert response.status_code == 202


def test_fifty_copies_at_once_are_one_message(house: House) -> None:
    async def story() -> list[httpx.Response]:
        async with at_work(house) as (_, client):
            calls = (client.post("/in/telco", json=TEXT, headers=BEARER) for _ in range(50))
            return await asyncio.gather(*calls)

    add_channel(house, "http", "telco", token=TOKEN)
    answers = [response.json() for response in asyncio.run(story())]
    assert len({answer["message"] for answer in answers}) == 1
    assert [answer["status"] for answer in answers].count("kept") == 1
    assert kept(house) == 1


def test_a_full_disk_is_told_and_costs_no_text(house: House) -> None:
    house.settings.disk_reserve_mb = 10**9
    response = ask(house, "POST", "/in/telco", json=TEXT, headers=BEARER)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["error"]["code"] == "busy"
    assert kept(house) == 0


def test_a_channel_is_heard_within_two_seconds_of_its_making_and_no_longer_than_that_after_its_end(
    house: House,
) -> None:
    async def story() -> list[float]:
        async with at_work(house) as (_, client):

            async def answers(status: int) -> bool:
                response = await client.post("/in/telco", json=TEXT, headers=BEARER)
                return response.status_code == status

            assert (await client.post("/in/first", json=TEXT, headers=BEARER)).status_code == 202
            assert await answers(404)
            add_channel(house, "http", "telco", token=TOKEN)
            waits = [await until(lambda: answers(202))]
            for state, status in (("paused", 202), ("disabled", 404)):
                house.writer.write_now(
                    lambda conn, state=state: registry.set_state(
                        conn, name="telco", state=state, at=house.clock(), actor="test"
                    )
                )
                waits.append(await until(lambda status=status: answers(status)))
            return waits

    add_channel(house, "http", "first", token=TOKEN)
    assert max(asyncio.run(story())) < 2


def test_a_caller_who_leaves_in_the_middle_leaves_nothing(house: House) -> None:
    async def story() -> None:
        async with at_work(house) as (running, client):
            host, port = running.base_url.removeprefix("http://").split(":")
            body = json.dumps(TEXT).encode()
            head = f"POST /in/telco HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(head.encode() + body[:20])
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            assert (await client.get("/healthz")).status_code == 200

    add_channel(house, "http", "telco", token=TOKEN)
    asyncio.run(story())
    assert kept(house) == 0


def test_two_hundred_callers_who_dawdle_keep_nobody_waiting(house: House) -> None:
    async def story() -> list[float]:
        async with at_work(house) as (running, client):
            host, port = running.base_url.removeprefix("http://").split(":")
            slow = [await asyncio.open_connection(host, int(port)) for _ in range(200)]
            for _, writer in slow:
                writer.write(b"POST /in/telco HTTP/1.1\r\nContent-Le")
            took = []
            for number in range(20):
                started = asyncio.get_running_loop().time()
                response = await client.post("/in/telco", json=TEXT | {"id": str(number)}, headers=BEARER)
                assert response.status_code == 202
                took.append(asyncio.get_running_loop().time() - started)
            for _, writer in slow:
                writer.close()
            return took

    add_channel(house, "http", "telco", token=TOKEN)
    house.read_now(house.codebook)
    assert sorted(asyncio.run(story()))[18] < 0.5


HEADS = {
    "a long address": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(2000)) + b"\r\n",
    "an endless header": b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000,
    "two lengths of the body": (
        b"POST /in/telco HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


def test_a_head_out_of_bounds_ends_the_connection(house: House) -> None:
    async def answer(running: Running, head: bytes) -> bytes:
        host, port = running.base_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head)
        try:
            return (await asyncio.wait_for(reader.read(), 5))[:12]
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def story() -> dict[str, bytes]:
        async with at_work(house) as (running, client):
            answers = {label: await answer(running, head) for label, head in HEADS.items()}
            assert (await client.get("/healthz")).status_code == 200
            return answers

    answers = asyncio.run(story())
    assert {label for label, one in answers.items() if one not in (b"", b"HTTP/1.1 400")} == set()
