"""A new data key while the house is open: nothing is lost, nothing is overwritten, the rest follows."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from gateway import rotate
from gateway.contacts import CONTACT, find, people
from gateway.errors import WrongKey
from gateway.house import House, open_house
from gateway.models import metadata
from gateway.sealing import Sealer, read_key_file, write_key_file
from gateway.settings import Settings
from tests.conftest import HandClock
from tests.gateway.rows import add_people, add_report


def sealed_with(house: House, table: str, column: str) -> set[bytes]:
    """Ids of the keys the values of a column are sealed with."""
    found = metadata.tables[table].c[column]
    values = house.read_now(lambda conn: conn.execute(select(found)).scalars().all())
    return {value[1:5] for value in values if value is not None}


def test_every_sealed_column_is_known_from_the_models() -> None:
    known = {sealed.table.name: {column for column, _ in sealed.columns} for sealed in rotate.sealed_tables()}
    assert known["node"] == {"key_proof"}
    assert {"text_sealed", "sender_sealed", "raw_sealed", "reading_sealed"} <= known["message"]
    assert {"name_sealed", "village_sealed"} == known["contact"]
    assert {"report", "report_event", "outbound_message", "contact_address", "channel", "open_question"} <= set(known)


def test_a_sealer_follows_the_key_file(settings: Settings, house: House) -> None:
    follower = Sealer(read_key_file(settings.key_path), settings.key_path)
    ring = read_key_file(settings.key_path).with_new_key()
    write_key_file(settings.key_path, ring)
    row = uuid4()
    sealed = Sealer(ring).seal("contact", "name", row, "Ana")
    assert follower.open("contact", "name", row, sealed) == "Ana"
    assert not follower.needs_reseal(follower.seal("contact", "name", row, "Eva"))
    assert follower.seal("contact", "name", row, "Eva")[1:5].hex() == ring.current


def test_a_sealer_without_a_file_opens_only_what_it_knows(settings: Settings, house: House) -> None:
    ring = read_key_file(settings.key_path)
    sealed = Sealer(ring.with_new_key()).seal("contact", "name", house.node_id, "Ana")
    with pytest.raises(WrongKey):
        Sealer(ring).open("contact", "name", house.node_id, sealed)


def test_everything_is_sealed_anew_in_pieces_and_the_other_process_goes_on(
    settings: Settings, house: House, clock: HandClock
) -> None:
    add_people(house)
    for hours in range(30):
        add_report(house, clock.now - timedelta(hours=hours))
    other = open_house(settings, clock)
    old = bytes.fromhex(read_key_file(settings.key_path).current)
    new = bytes.fromhex(rotate.begin(house).current)
    assert sealed_with(house, "report", "private_sealed") == {old}
    assert sum(rotate.reseal(house)) == rotate.count_rows(house)
    for table, column in (("report", "private_sealed"), ("contact", "name_sealed"), ("message", "text_sealed")):
        assert sealed_with(house, table, column) == {new}
    assert rotate.left_over(house) == 0
    rotate.drop_old_keys(house)
    assert other.read_now(lambda conn: people(conn, other.sealer))[0].name == "Ana Cobo"
    other.close()


def test_a_rotation_that_was_broken_off_goes_on_with_the_same_key(settings: Settings, house: House) -> None:
    add_people(house)
    first = rotate.begin(house).current
    pieces = rotate.reseal(house)
    next(pieces)
    pieces.close()
    assert rotate.begin(house).current == first
    for _ in rotate.reseal(house):
        pass
    assert rotate.left_over(house) == 0
    assert list(read_key_file(settings.key_path).keys) != [first]
    rotate.drop_old_keys(house)
    assert list(read_key_file(settings.key_path).keys) == [first]


def test_a_value_changed_meanwhile_is_not_overwritten(house: House) -> None:
    add_people(house)
    key = house.read_now(lambda conn: find(conn, "tel:+50255550101", house.sealer))
    assert key is not None
    rotate.begin(house)
    contacts = next(sealed for sealed in rotate.sealed_tables() if sealed.table.name == "contact")
    stale = house.read_now(lambda conn: rotate._rows(conn, contacts, None, 100))
    newer = house.sealer.seal("contact", "name", key, "Ana Nueva")
    house.writer.write_now(
        lambda conn: conn.execute(update(CONTACT).where(CONTACT.c.id == key).values(name_sealed=newer))
    )
    rotate._write(house, contacts, stale)
    (ana,) = house.read_now(lambda conn: people(conn, house.sealer, only=[key]))
    assert ana.name == "Ana Nueva"
