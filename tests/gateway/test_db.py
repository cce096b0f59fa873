import threading
from concurrent.futures import Future

import pytest
from sqlalchemy import Connection, select, update

from gateway.house import COUNTER, House


def _grow(connection: Connection) -> int:
    value = connection.execute(select(COUNTER.c.value).where(COUNTER.c.name == "config")).scalar_one()
    connection.execute(update(COUNTER).where(COUNTER.c.name == "config").values(value=value + 1))
    return int(value)


def test_jobs_run_one_after_the_other_each_in_its_transaction(house: House) -> None:
    futures: list[Future[int]] = [house.writer.submit(_grow) for _ in range(20)]
    assert [future.result(10) for future in futures] == list(range(20))


def test_a_job_that_fails_leaves_nothing_and_harms_no_other(house: House) -> None:
    def fail(connection: Connection) -> None:
        _grow(connection)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        house.writer.write_now(fail)
    assert house.writer.write_now(_grow) == 0


def test_what_comes_first_goes_before_the_jobs_that_wait(house: House) -> None:
    order: list[str] = []
    started, gate = threading.Event(), threading.Event()

    class First:
        def __init__(self) -> None:
            self.left = 0

        @property
        def waiting(self) -> bool:
            return self.left > 0

        def step(self) -> bool:
            if not self.left:
                return False
            self.left -= 1
            order.append("text")
            return True

    first = First()
    house.writer.first = first
    blocked = house.writer.submit(lambda conn: (started.set(), gate.wait(10)))
    assert started.wait(10)
    jobs = [house.writer.submit(lambda conn: order.append("job")) for _ in range(2)]
    first.left = 2
    gate.set()
    blocked.result(10)
    for job in jobs:
        job.result(10)
    assert order == ["text", "job", "text", "job"]


def test_a_stopped_writer_finishes_what_waits(house: House) -> None:
    futures = [house.writer.submit(_grow) for _ in range(5)]
    house.writer.stop()
    assert all(future.done() for future in futures)
    assert not house.writer.alive
