"""Two independent short message centres: npm's `smpp`, and PyPI's `smpp34`, whose receipts have no TLV."""

import asyncio
import json
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import smpp34

from outbox.segments import split
from tests.peers.conftest import need
from tests.peers.daemon import Daemon, filled
from tests.peers.table import Table
from tests.served import Served, free_port

pytestmark = [pytest.mark.peers, pytest.mark.timeout(300)]
NODE, RUST = "node smpp 0.5.1", "smpp34 1.5"
PEOPLE = [f"502555501{number:02}" for number in range(1, 13)]
PLACES = ("nebaj", "chajul", "cotzal", "ixcan", "sacapulas", "cunen")


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The npm package, installed once in a folder of its own."""
    need("node", "npm")
    folder = tmp_path_factory.mktemp("npm")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), "smpp@0.5.1"]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return folder


class Centre:
    """The npm short message centre in a process of its own, on one port through all its deaths."""

    def __init__(self, modules: Path, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._script = shutil.copy(filled("smsc.js", folder), modules / "smsc.js")
        self._daemon: Daemon | None = None
        self.start()

    def start(self) -> None:
        self._daemon = Daemon(
            ["node", str(self._script), str(self.port), str(self.folder)], self.folder, port=self.port
        )

    def kill(self) -> None:
        assert self._daemon is not None
        self._daemon.kill()
        self._daemon.process.wait()

    def bring(self, *pdus: dict[str, Any]) -> None:
        """Have these texts delivered until they are kept."""
        path = self.folder / "mo.json"
        until(lambda: not path.exists())
        written = self.folder / "mo.part"
        written.write_text(json.dumps(pdus))
        written.rename(path)

    def told(self, word: str) -> list[dict[str, Any]]:
        path = self.folder / "smsc.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [entry for line in lines if line.endswith("}") and word in (entry := json.loads(line))]


@pytest.fixture
def centre(modules: Path, tmp_path: Path) -> Iterator[Centre]:
    one = Centre(modules, tmp_path)
    yield one
    one.kill()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def text_of(number: int) -> str:
    return f"inc rob {PLACES[number % 6]} ayer {number + 1} heridos"


def again_of(number: int) -> str:
    return f"inc ase {PLACES[number % 6]} hoy {number + 2} heridos"


def pdu(sender: str, text: str, **more: Any) -> dict[str, Any]:
    return {"source_addr": sender, "destination_addr": "1500", "data_coding": 0, "short_message": text, **more}


def parts(sender: str, text: str) -> list[dict[str, Any]]:
    """The text in as many parts as a phone makes of it, the last one first; UCS-2."""
    pieces = split(text)
    head = [f"0500032a{len(pieces):02x}{number:02x}" for number in range(1, len(pieces) + 1)]
    octets = [start + piece.encode("utf-16-be").hex() for start, piece in zip(head, pieces, strict=True)]
    return [pdu(sender, "", data_coding=8, esm_class=0x40, hex=one) for one in reversed(octets)]


def open_for(served: Served, port: int, **more: str) -> None:
    served.set_up()
    settings = {"host": "127.0.0.1", "port": port, "system_id": "vocero", "password": "secret", "from": "1500", **more}
    told = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    served.run("channel", "add", "smpp", "corto", *told)
    served.start()


def rows(served: Served, what: str) -> list[dict[str, Any]]:
    return served.export(what)


def settled(served: Served, number: int, state: str = "delivered") -> Callable[[], bool]:
    return lambda: Counter(row["state"] for row in rows(served, "outbox"))[state] >= number


def doubled(centre: Centre) -> int:
    """Submits beyond the first of the same text to the same person. Texts of one person differ in their numbers."""
    counted = Counter((entry["submit"], entry["text"]) for entry in centre.told("submit") if not entry["udh"])
    return sum(number - 1 for number in counted.values())


def test_texts_answers_and_receipts_go_both_ways_through_faults(served: Served, centre: Centre, table: Table) -> None:
    open_for(served, centre.port)
    long_text = "inc ame chajul ayer 3 heridos " + "dicen que viven con miedo ’ñ’ " * 6
    centre.bring(*(pdu(sender, text_of(number)) for number, sender in enumerate(PEOPLE)), *parts(PEOPLE[0], long_text))
    until(settled(served, 12))
    centre.kill()
    centre.start()
    until(lambda: len(centre.told("bind")) >= 2)
    centre.bring(*(pdu(sender, again_of(number)) for number, sender in enumerate(PEOPLE)))
    until(lambda: len(rows(served, "reports")) >= 25)
    served.kill()
    served.start()
    centre.bring(pdu("50255550199", "inc rob nebaj hoy 1 herido"))
    brought = 2 * len(PEOPLE) + len(split(long_text)) + 1
    until(lambda: len(rows(served, "messages")) == brought)
    until(settled(served, 24))
    messages, kept = rows(served, "messages"), Counter(entry["kept"] for entry in centre.told("kept"))
    assert sum(kept.values()) == len(messages) == brought
    assert any(entry["udh"] is None and "R3" in entry["text"] for entry in centre.told("submit"))
    assert doubled(centre) == 0
    table.row(
        "smpp", peer=NODE, texts_in=len(messages), texts_out=len(centre.told("submit")),
        receipts=Counter(row["state"] for row in rows(served, "outbox"))["delivered"],
        faults=("SMSC killed and back", "kill -9 of the gateway", "throttled", "parts in reverse, UCS-2"),
        lost=sum(kept.values()) - len(messages), doubled=doubled(centre),
    )  # fmt: skip


def test_what_was_sent_while_the_gateway_was_down_arrives_afterwards(
    served: Served, centre: Centre, table: Table
) -> None:
    open_for(served, centre.port)
    until(lambda: bool(centre.told("bind")))
    served.kill()
    centre.bring(*(pdu(sender, text_of(number)) for number, sender in enumerate(PEOPLE)))
    time.sleep(2)
    assert centre.told("kept") == []
    served.start()
    until(lambda: len(rows(served, "reports")) == len(PEOPLE))
    until(settled(served, len(PEOPLE)))
    assert doubled(centre) == 0
    table.outage(
        "smpp", peer=NODE, down="2 s; the operator keeps texts for days", sent=len(PEOPLE),
        arrived=len(rows(served, "reports")),
        how="the SMSC delivers what was not acknowledged when the session is bound again",
    )  # fmt: skip


class OtherCentre:
    """The smpp34 server in a thread: takes messages, sends receipts as text alone, brings texts until they are kept."""

    def __init__(self) -> None:
        self.port, self.submits, self.kept = free_port(), [], []  # type: ignore[var-annotated]
        self._loop = asyncio.new_event_loop()
        self._esme: Any = None
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._bound = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._serve())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        self._loop.close()

    async def _serve(self) -> None:
        server = smpp34.Server("127.0.0.1", self.port, system_id="SMSC")
        await server.start()
        self._begin(self._bring())
        try:
            while True:
                happened = await server.next()
                if isinstance(happened, smpp34.Esme):
                    self._esme = happened
                    self._bound.set()
                elif isinstance(happened, smpp34.SubmitSmEvent):
                    self.submits.append((happened.destination_addr, bytes(happened.short_message)))
                    name = f"{len(self.submits):08X}"
                    happened.accept(name)
                    self._begin(self._receipt(happened.destination_addr, name))
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.stop()

    async def _receipt(self, number: str, name: str) -> None:
        dates = "submit date:2603101930 done date:2603101930"
        words = f"id:{int(name, 16)} sub:001 dlvrd:001 {dates} stat:UNDELIV err:001 text:"
        await self._esme.deliver_sm("1500", words.encode(), source_addr=number, esm_class=4)

    async def _bring(self) -> None:
        while True:
            text = await self._waiting.get()
            await self._bound.wait()
            if not (await self._esme.deliver_sm("1500", text.encode(), source_addr=PEOPLE[0])).is_success:
                await asyncio.sleep(0.05)
                self._waiting.put_nowait(text)
                continue
            self.kept.append(text)

    def _begin(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)

    def bring(self, text: str) -> None:
        self._loop.call_soon_threadsafe(self._waiting.put_nowait, text)

    def close(self) -> None:
        if self._main is not None:
            self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(10)


def test_receipts_in_words_alone_and_ids_in_two_bases_are_understood(served: Served, table: Table) -> None:
    centre = OtherCentre()
    try:
        open_for(served, centre.port, message_ids="hex_answers")
        for number in range(6):
            centre.bring(text_of(number))
        until(lambda: len(rows(served, "reports")) == 6)
        until(settled(served, 6, "failed"))
        errors = {row["error"] for row in rows(served, "outbox")}
        assert errors == {"UNDELIV 001"}
        assert len(centre.kept) == 6 == len(centre.submits)
        table.row(
            "smpp", peer=RUST, texts_in=6, texts_out=len(centre.submits), receipts=6,
            faults=("receipts without TLV", "hexadecimal and decimal ids"),
            lost=len(centre.kept) - len(rows(served, "messages")), doubled=len(centre.submits) - 6,
        )  # fmt: skip
    finally:
        centre.close()
