"""alert_latency: from the call that brings an urgent text to the call that hands its alert to the SMS provider, with
10,000 digests waiting for the same channel; outbox_overtaking: how long an alert waits behind 100,000."""

import asyncio
import json
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select
from uuid_utils.compat import uuid7

from benchmarks.intake import TOKEN, free_port, served
from benchmarks.texts import phone_of
from gateway.channels import registry
from gateway.house import House, open_house
from gateway.install import init
from gateway.settings import Settings
from gateway.standing import ADDRESS, CONTACT
from outbox.dispatcher import Dispatcher, SendingChannel
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope, Sent
from outbox.senders.null import NullSender

ALERTS = 200
EVERY_S = 0.15
QUEUED, OVERTAKEN = 10_000, 100_000
RATE, SLOW_RATE = 40.0, 5.0
COORDINATOR = "+50257770001"
PIECE = 5000


def latency() -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder, Provider() as provider:
        settings = Settings(_env_file=None, data_dir=Path(folder) / "office", disk_reserve_mb=1)
        init(settings)
        places = prepare(settings, provider.port)
        port = free_port()
        with served(settings, port):
            provider.wait_for_some()
            sent = {}
            for number, (code, name) in enumerate(places.items()):
                sent[name] = time.perf_counter()
                post(port, phone_of(number), f"ALERTA LIN {code} turba")
                time.sleep(max(0.0, EVERY_S - (time.perf_counter() - sent[name])))
            found = provider.wait_for(sent)
        left = waiting(settings)
    if found is None:
        return None
    times = sorted(found)
    return {
        "name": "alert_latency", "value": round(times[int(len(times) * 0.99) - 1], 3), "unit": "s p99", "limit": 2,
        "p50_ms": round(times[len(times) // 2] * 1000, 1), "most_ms": round(times[-1] * 1000, 1), "alerts": len(times),
        "still_queued": left,
    }  # fmt: skip


class Provider:
    """An SMS provider on loopback that notes when it was handed which alert."""

    def __init__(self) -> None:
        heard = self.heard = dict[str, float]()
        counted = self.counted = Counter[str]()

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                at = time.perf_counter()
                body = self.rfile.read(int(self.headers["content-length"] or 0))
                told = json.loads(body) if body else {"to": ""}
                counted["all"] += 1
                if told["to"] == COORDINATOR and told["text"].startswith("ALERTA"):
                    heard[told["text"].split(", ")[1]] = at
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing is said."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> "Provider":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for_some(self) -> None:
        """Until digests are going out."""
        deadline = time.monotonic() + 30
        while self.counted["all"] < RATE and time.monotonic() < deadline:
            time.sleep(0.05)

    def wait_for(self, sent: dict[str, float]) -> list[float] | None:
        """Seconds from each call to its alert; None when one never came."""
        deadline = time.monotonic() + 30
        while len(self.heard) < len(sent) and time.monotonic() < deadline:
            time.sleep(0.05)
        return [self.heard[name] - at for name, at in sent.items()] if len(self.heard) == len(sent) else None


def post(port: int, sender: str, text: str) -> None:
    body = json.dumps({"from": sender, "text": text, "id": uuid7().hex}).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    call = urllib.request.Request(f"http://127.0.0.1:{port}/in/campo", body, headers)
    with urllib.request.urlopen(call, timeout=30) as answer:
        answer.read()


def prepare(settings: Settings, provider: int) -> dict[str, str]:
    """A channel that sends 40 a second, monitors, one coordinator for the country, and the digests that wait.

    Returns the places to alert from, by code, with the name that stands in the alert."""
    house = open_house(settings)
    try:
        codebook = house.read_now(house.codebook)
        names = Counter(place.short for place in codebook.places.values())
        fit = [one for one in codebook.places.values() if one.level != "department" and names[one.short] == 1]
        house.writer.write_now(lambda conn: furnish(conn, house, provider), 60)
        queue_digests(house, "campo", QUEUED)
        return {place.code: place.short for place in fit[:ALERTS]}
    finally:
        house.close()


def furnish(conn: Connection, house: House, provider: int) -> None:
    now, seal = house.clock(), house.sealer.seal
    values = {"token": TOKEN, "send_url": f"http://127.0.0.1:{provider}/"}
    registry.add(conn, house.sealer, kind="http", name="campo", values=values, rate=RATE, at=now, actor="bench")
    people: list[tuple[str, str, list[str]]] = [(phone_of(number), "monitor", []) for number in range(ALERTS)]
    people.append((COORDINATOR, "coordinator", [f"{number:02}" for number in range(1, 23)]))
    contacts, addresses = [], []
    for phone, role, places in people:
        key, address_id, to = uuid7(), uuid7(), f"tel:{phone}"
        contacts.append({
            "id": key, "role": role, "status": "active", "language": "es", "discreet": False, "places": places,
            "name_sealed": seal("contact", "name", key, "Ana Cobo"), "village_sealed": None, "home_place": "1413",
            "created_at": now, "changed_at": now,
        })  # fmt: skip
        addresses.append({
            "id": address_id, "contact_id": key, "kind": "tel", "address_hash": house.sealer.hash("address", to),
            "address_sealed": seal("contact_address", "address", address_id, to), "preferred": True, "created_at": now,
        })  # fmt: skip
    conn.execute(insert(CONTACT), contacts)
    conn.execute(insert(ADDRESS), addresses)


def queue_digests(house: House, channel: str, number: int) -> None:
    for start in range(0, number, PIECE):
        digests = [
            NewMessage(uuid7(), "digest", channel, f"tel:+502588{one:05d}", f"Resumen: {one} reportes")
            for one in range(start, min(number, start + PIECE))
        ]
        house.writer.write_now(partial(_queue, house=house, messages=digests), timeout=None)


def _queue(conn: Connection, house: House, messages: list[NewMessage]) -> None:
    enqueue(conn, messages, seals=house.sealer, now=house.clock())


def waiting(settings: Settings) -> int:
    house = open_house(settings)
    try:
        queued = select(func.count()).select_from(OUTBOUND).where(OUTBOUND.c.state == "queued")
        return int(house.read_now(lambda conn: conn.scalar(queued)) or 0)
    finally:
        house.close()


def overtaking() -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder) / "office")
        init(settings)
        house = open_house(settings)
        try:
            queue_digests(house, "null", OVERTAKEN)
            return asyncio.run(overtake(house))
        finally:
            house.close()


class Watched(NullSender):
    """Notes when it was handed an alert."""

    alerted: asyncio.Event

    async def send(self, envelope: Envelope) -> Sent:
        if envelope.kind == "alert":
            self.alerted.set()
        return await super().send(envelope)


async def overtake(house: House) -> dict[str, Any]:
    """An alert is queued while a channel of five a second works on the digests."""
    sender = Watched({}, {})
    sender.alerted = asyncio.Event()
    channel = SendingChannel(sender, rate=SLOW_RATE)
    dispatcher = Dispatcher(
        write=house.write, seals=house.sealer, clock=house.clock, channels=lambda: {"null": channel}, owner=uuid7().hex
    )
    stop = asyncio.Event()
    running = asyncio.create_task(dispatcher.run(stop))
    async with asyncio.timeout(60):
        while sender.taken < 2 * SLOW_RATE:  # noqa: ASYNC110 - the sender counts, nobody is told
            await asyncio.sleep(0.05)
        alert = NewMessage(uuid7(), "alert", "null", f"tel:{COORDINATOR}", "ALERTA R3000")
        started = time.perf_counter()
        await house.write(lambda conn: _queue(conn, house, [alert]))
        dispatcher.wake()
        await sender.alerted.wait()
    took = time.perf_counter() - started
    stop.set()
    await running
    return {"name": "outbox_overtaking", "value": round(took, 3), "unit": "s", "limit": 5, "waiting": OVERTAKEN}
