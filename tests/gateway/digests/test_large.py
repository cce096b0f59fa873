"""A digest after a long silence is written in small pieces, and a process that dies between them loses nothing."""

import threading
import time
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, select

from gateway.digests.collect import ENTRY
from gateway.digests.prepare import RUN, prepare, tools_of
from gateway.digests.schedule import AT_ONCE, RunInfo, keep, run_due, settle
from gateway.house import House
from outbox.rows import OUTBOUND, new_rows
from tests.conftest import HandClock
from tests.gateway.digests.office import DAY, EVENING, MORNING, messages, run_at, subscribe, told
from tests.gateway.rows import put_report

NUMBER = 2 * AT_ONCE + 50


def add_many(house: House, number: int = NUMBER) -> None:
    def job(connection: object) -> None:
        for index in range(number):
            put_report(connection, house, MORNING - timedelta(seconds=index + 1))  # type: ignore[arg-type]

    house.writer.write_now(job)


def make_and_die(house: House, key: UUID) -> RunInfo | None:
    """What a process has done that dies after its first transaction."""
    tools = house.read_now(partial(tools_of, house))
    prepared = house.read_now(partial(prepare, key=key, now=house.clock(), tools=tools))
    assert prepared is not None
    rows = new_rows(prepared.messages, seals=house.sealer, now=tools.clock_now)
    return house.writer.write_now(partial(keep, prepared=prepared, rows=rows, at=tools.clock_now))


def entries(house: House) -> int:
    return house.read_now(lambda conn: conn.scalar(select(func.count()).select_from(ENTRY))) or 0


def unsettled(house: House) -> int:
    waiting = select(func.count()).select_from(RUN).where(RUN.c.told.is_not(None))
    return house.read_now(lambda conn: conn.scalar(waiting)) or 0


def test_a_large_digest_is_made_whole_in_pieces(office: House, clock: HandClock) -> None:
    subscribe(office)
    add_many(office)
    (run,) = run_at(office, clock, MORNING)
    assert len(run.refs) == NUMBER
    assert entries(office) == NUMBER
    assert unsettled(office) == 0
    assert told(run_at(office, clock, EVENING)) == [()]


def test_one_that_died_between_the_pieces_is_finished_before_the_next(office: House, clock: HandClock) -> None:
    key = subscribe(office)
    add_many(office)
    clock.now = MORNING
    run = make_and_die(office, key)
    assert run is not None
    assert (entries(office), unsettled(office)) == (0, 1)
    assert (
        office.read_now(partial(prepare, key=key, now=MORNING + DAY, tools=office.read_now(partial(tools_of, office))))
        is None
    )
    assert told(run_at(office, clock, EVENING)) == [()]
    assert (entries(office), unsettled(office)) == (NUMBER, 0)
    assert len(messages(office, OUTBOUND)) == 2


def test_two_may_finish_it_at_once(office: House, clock: HandClock) -> None:
    key = subscribe(office)
    add_many(office)
    clock.now = MORNING
    make_and_die(office, key)
    threads = [threading.Thread(target=settle, args=(office, key)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (entries(office), unsettled(office)) == (NUMBER, 0)


def test_a_run_that_another_made_meanwhile_is_not_made_again(office: House, clock: HandClock) -> None:
    key = subscribe(office)
    clock.now = MORNING
    tools = office.read_now(partial(tools_of, office))
    late = office.read_now(partial(prepare, key=key, now=MORNING, tools=tools))
    assert late is not None
    assert len(run_due(office)) == 1
    rows = new_rows(late.messages, seals=office.sealer, now=MORNING)
    assert office.writer.write_now(partial(keep, prepared=late, rows=rows, at=MORNING)) is None
    assert len(messages(office, OUTBOUND)) == 1


def test_the_writer_serves_others_between_the_pieces(office: House, clock: HandClock) -> None:
    """Every job of the writer that a large digest brings is small: others come in between, again and again."""
    subscribe(office)
    add_many(office)
    clock.now = MORNING
    waits: list[float] = []
    making = threading.Thread(target=run_due, args=(office,))
    making.start()
    while making.is_alive():
        asked = time.perf_counter()
        office.writer.write_now(lambda connection: None)
        waits.append(time.perf_counter() - asked)
    making.join()
    assert entries(office) == NUMBER
    assert len(waits) > NUMBER // AT_ONCE
