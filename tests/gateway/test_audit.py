from sqlalchemy import delete, update

from gateway.audit import AUDIT, first_broken, record
from gateway.house import House


def _write(house: House, number: int) -> None:
    for index in range(number):
        house.writer.write_now(
            lambda conn, index=index: record(conn, at=house.clock(), actor="user:ana", action="test", data={"n": index})
        )


def test_the_chain_of_an_untouched_log_holds(house: House) -> None:
    _write(house, 4)
    assert house.read_now(first_broken) is None


def test_a_changed_entry_shows(house: House) -> None:
    _write(house, 4)
    house.writer.write_now(lambda conn: conn.execute(update(AUDIT).where(AUDIT.c.number == 2).values(actor="user:eve")))
    assert house.read_now(first_broken) == 2


def test_a_removed_entry_shows(house: House) -> None:
    _write(house, 4)
    house.writer.write_now(lambda conn: conn.execute(delete(AUDIT).where(AUDIT.c.number == 2)))
    assert house.read_now(first_broken) == 3
