"""Four servers on one Postgres: order, drafts and repeats hold per sender, wherever each text arrives."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.served import TOKEN, Served

SENDERS = 20
TURNS = 4


@pytest.mark.timeout(240)
def test_four_processes_keep_order_drafts_and_repeats(tmp_path: Path, postgres_url: str) -> None:
    office = Served(tmp_path, postgres_url)
    office.set_up()
    servers = [Served(tmp_path, postgres_url, command=("-m", "gateway.cli", "serve", "--no-worker")) for _ in range(4)]
    try:
        with ThreadPoolExecutor(4) as starters:
            list(starters.map(Served.start, servers))
        with ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(lambda number: converse(servers, number), range(1, SENDERS + 1)))
    finally:
        for server in servers:
            server.close()
    reports = office.export("reports")
    assert Counter(report["state"] for report in reports) == {"open": SENDERS * TURNS}
    assert {report["category"] for report in reports} == {"AME"}
    assert len({report["ref"] for report in reports}) == SENDERS * TURNS
    events: dict[str, list[str]] = {}
    for event in sorted(office.export("events"), key=lambda event: event["seq"]):
        events.setdefault(event["report"], []).append(event["type"])
    assert {tuple(found) for found in events.values()} == {("drafted", "completed")}
    states = Counter(message["state"] for message in office.export("messages"))
    assert states == {"asked": SENDERS * TURNS, "read": SENDERS * TURNS, "duplicate": SENDERS * TURNS}


def converse(servers: list[Served], number: int) -> None:
    """A question and its answer, each to another server, and the first text once more; every one acknowledged."""
    phone = f"+502555501{number:02d}"
    with httpx.Client(timeout=30, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for turn in range(TURNS):
            opening = f"INC 1413 aldea Chel{'abcdef'[turn]}"
            for step, text in enumerate((opening, "amenazas", opening)):
                server = servers[(number + turn + step) % len(servers)]
                body = {"id": f"{number}-{turn}-{step}", "from": phone, "text": text}
                answer = client.post(f"{server.url}/in/campo", json=body)
                assert answer.status_code == 202, answer.text
