"""Journey 6: at the end of the period a digest goes to each coordinator, once, whoever makes it."""

import asyncio
import email.policy
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from servers import Relay
from sqlalchemy import func, select, text, update

from gateway import subscriptions
from gateway.digests import run_due
from gateway.digests.collect import ENTRY
from gateway.digests.schedule import RUN
from gateway.house import House, open_house
from gateway.settings import Settings
from gateway.standing import CONTACT
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.at_work import BEARER, TOKEN, add_channel, at_work, until
from tests.gateway.desk import Desk
from tests.gateway.rows import contact_of
from tests.served import Served

MARTA = "mailto:marta.coordinadora@oficina.example"
EVENING = datetime(2026, 3, 11, 0, 0, tzinfo=UTC)
TEXTS = {
    "+50255550101": "INC ROB NEBAJ ayer 2 heridos camino a la escuela",
    "+50255550103": "inc rob san juan",
    "+50255550105": "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar",
    "+50255550104": "inc vif ixcan golpeo a dona Rosa",
    "+50255559044": "INC AME NEBAJ",
    "+50255550106": "inc rob todos santos",
}
NEVER_TOLD = ("5555", "escuela", "amarrado", "Rosa", "Ana Cobo", "Maria Toma", "Tomas Lux", "Ixc")


def subscribe(house: House, address: str) -> None:
    key = contact_of(house, address)
    wish = subscriptions.make_wish("email", "06:00,18:00", "", house.read_now(house.codebook).places)
    house.writer.write_now(lambda conn: subscriptions.add(conn, key, wish, now=house.clock(), actor="cli"))


def open_wires(house: House, relay: Relay) -> None:
    add_channel(house, "http", "campo", token=TOKEN)
    out = {"host": "127.0.0.1", "port": str(relay.port), "tls": "none", "from": "reportes@gateway.example"}
    add_channel(house, "smtp", "correo", **out)


def digests(relay: Relay) -> list[Any]:
    mails = [message_from_bytes(mail.content, policy=email.policy.default) for mail in relay.mails]
    return [mail for mail in mails if "Resumen" in str(mail["Subject"])]


def test_a_digest_goes_out_at_the_end_of_the_period_once(office: Desk, clock: HandClock, relay: Relay) -> None:
    house = office.house
    open_wires(house, relay)
    subscribe(house, MARTA)

    async def story() -> None:
        async with at_work(house, worker=True) as (_, client):
            for sender, words in TEXTS.items():
                answer = await client.post("/in/campo", json={"from": sender, "text": words}, headers=BEARER)
                assert answer.status_code == 202
            clock.now = EVENING + timedelta(seconds=2)

            async def gone(number: int) -> bool:
                return len(digests(relay)) >= number

            await until(lambda: gone(1), 30)
            clock.advance(timedelta(days=3))
            await until(lambda: gone(2), 30)
            await asyncio.to_thread(run_due, house)
        assert len(digests(relay)) == 2

    asyncio.run(story())
    first, second = digests(relay)
    check_first(office, first)
    assert "No se reportó nada nuevo" in second.get_body(("plain",)).get_content()
    assert first["Message-ID"] != second["Message-ID"]


def check_first(office: Desk, mail: Any) -> None:
    """Text and HTML say the same, and nothing that a digest may not say."""
    plain = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    refs = {row.ref: (row.category, row.registered) for row in office.reports() if row.place != "1315"}
    urgent = next(ref for ref, (category, _) in refs.items() if category == "ALN")
    stranger = next(ref for ref, (_, registered) in refs.items() if not registered)
    for body in (plain, html):
        assert not [word for word in NEVER_TOLD if word in body]
        assert "4 reportes" in body
        assert "Caso reservado, Quiché" in body
        assert f"R{urgent}" in body
        assert body.index(f"R{urgent}") < body.index("Robo")
        assert body.index("sin registro") < body.index(f"R{stranger}")
    assert str(mail["Subject"]) == "Resumen 10/03 18:00: 4 reportes, 1 urgente"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert len(mail.as_bytes()) < 30_000


@pytest.fixture
def served(tmp_path: Path, database_url: str | None) -> Iterator[Served]:
    installed = Served(tmp_path, database_url)
    yield installed
    installed.close()


HOURS = 24


def subscribe_hourly(house: House) -> None:
    """A subscription for each hour of the day."""
    key = contact_of(house, MARTA)
    places = house.read_now(house.codebook).places
    for hour in range(HOURS):
        wish = subscriptions.make_wish("email", f"{hour:02}:00", "", places)
        add = partial(subscriptions.add, contact_id=key, wish=wish, now=house.clock(), actor="cli")
        house.writer.write_now(add)


def make_due(house: House) -> None:
    """Let every subscription look two days old, at one moment, so that all processes find it due together."""
    then = datetime.now(UTC) - timedelta(days=2)
    house.writer.write_now(lambda conn: conn.execute(update(subscriptions.SUBSCRIPTION).values(created_at=then)))


def test_two_processes_make_each_digest_once(served: Served, database: str) -> None:
    served.set_up()
    url = served.database_url
    house = open_house(Settings(_env_file=None, data_dir=served.folder / "data", database_url=url))
    add_channel(house, "smtp", "correo", host="127.0.0.1", port="9", tls="none", **{"from": "v@gateway.example"})
    subscribe_hourly(house)
    served.start()
    workers = [start_worker(served) for _ in range(2)] if database == "postgres" else []
    try:
        make_due(house)
        with ThreadPoolExecutor(2) as pool:
            printed = list(pool.map(lambda _: served.lines("digest", "run"), range(2)))
        house.read_now(lambda conn: wait_for_runs(conn, HOURS))
        made = house.read_now(lambda conn: conn.execute(select(RUN.c.subscription_id)).scalars().all())
        waiting = house.read_now(lambda conn: conn.execute(select(OUTBOUND.c.digest_run_id)).scalars().all())
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
        house.close()
    assert len(made) == len(set(made)) == HOURS
    assert len(waiting) == len(set(waiting)) == HOURS
    told = [line["subscription"] for lines in printed for line in lines]
    assert len(told) == len(set(told))
    assert served.lines("digest", "run") == []


def start_worker(served: Served) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "gateway.cli", "worker"]
    with (served.folder / "worker.log").open("ab") as log:
        return subprocess.Popen(command, cwd=served.folder, env=served.environment, stdout=log, stderr=log)


def wait_for_runs(connection: Any, number: int) -> None:
    deadline = time.monotonic() + 40
    while connection.scalar(select(func.count()).select_from(RUN)) < number:
        assert time.monotonic() < deadline, "the runs were not made"
        connection.rollback()
        time.sleep(0.1)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_an_intake_transaction_held_open_across_a_digest_is_told_in_the_next(
    office: Desk, clock: HandClock, relay: Relay, settings: Settings
) -> None:
    house = office.house
    open_wires(house, relay)
    subscribe(house, MARTA)
    clock.now = EVENING - timedelta(seconds=5)
    other = open_house(settings, clock)
    ana = contact_of(house, "tel:+50255550101")

    async def story() -> None:
        async with at_work(house) as (_, client):
            with other.engine.connect() as holder:
                holder.execute(select(CONTACT.c.id).where(CONTACT.c.id == ana).with_for_update())
                body = {"from": "+50255550101", "text": "inc rob nebaj"}
                waiting = asyncio.create_task(client.post("/in/campo", json=body, headers=BEARER))
                await until(lambda: asyncio.to_thread(somebody_waits, other))
                clock.now = EVENING + timedelta(seconds=5)
                (run,) = await asyncio.to_thread(run_due, other)
                assert run.refs == ()
                holder.rollback()
            assert (await waiting).status_code == 202

    asyncio.run(story())
    (report,) = office.reports()
    assert report.created_at < EVENING
    clock.advance(timedelta(hours=12))
    assert [run.refs for run in run_due(other)] == [(report.ref,)]
    assert other.read_now(lambda conn: conn.scalar(select(func.count()).select_from(ENTRY))) == 1
    other.close()


def somebody_waits(house: House) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    return bool(house.read_now(lambda conn: conn.scalar(query)))
