"""A backup while others write: one moment of the whole database; between the two kinds of database."""

import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway.backup import BadBackup, back_up, opened_backup, restore
from gateway.errors import Conflict, KeyFileMissing, VoceroError, WrongKey
from gateway.house import House, open_house
from gateway.keeping import take_numbers
from gateway.reports import EVENT, REPORT
from gateway.sealing import KeyRing, write_key_file
from gateway.settings import Settings
from tests.conftest import HandClock
from tests.gateway.rows import add_people, add_report


@pytest.fixture
def other(tmp_path: Path, settings: Settings) -> Settings:
    """A second data folder with a copy of the key and a SQLite database that is not there yet."""
    folder = tmp_path / "other"
    folder.mkdir(mode=0o700)
    return Settings(_env_file=None, data_dir=folder, key_file=settings.key_path, disk_reserve_mb=1)


@pytest.fixture
def writing(house: House, clock: HandClock) -> Iterator[threading.Event]:
    """Somebody who stores reports all the time; the event says that some are in."""
    stop, some = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            add_report(house, clock.now + timedelta(seconds=number))
            number += 1
            if number == 20:
                some.set()

    thread = threading.Thread(target=write)
    thread.start()
    yield some
    stop.set()
    thread.join()


def test_a_backup_made_while_others_write_holds_together(
    house: House, writing: threading.Event, other: Settings, tmp_path: Path, clock: HandClock
) -> None:
    add_people(house)
    assert writing.wait(30)
    file = tmp_path / "copy.zip"
    total = back_up(house, file)
    assert restore(other, file) == total
    opened = open_house(other, clock)
    reports, events = (
        opened.read_now(lambda conn, table=table: conn.scalar(select(func.count()).select_from(table)))
        for table in (REPORT, EVENT)
    )
    opened.close()
    assert reports == events
    assert reports >= 20


def test_numbers_are_not_given_again_after_a_restore(
    house: House, other: Settings, tmp_path: Path, clock: HandClock
) -> None:
    taken = house.writer.write_now(lambda conn: list(take_numbers(conn, 5)))
    back_up(house, tmp_path / "copy.zip")
    restore(other, tmp_path / "copy.zip")
    opened = open_house(other, clock)
    assert next(iter(opened.writer.write_now(lambda conn: list(take_numbers(conn, 1))))) == max(taken) + 1
    opened.close()


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_backup_of_sqlite_is_restored_into_postgres(
    other: Settings, settings: Settings, tmp_path: Path, clock: HandClock
) -> None:
    from gateway.install import init

    settings.data_dir.mkdir(mode=0o700)
    init(other, clock)
    small = open_house(other, clock)
    _, ref = add_report(small, clock.now, fields={"injured": 2})
    small.writer.write_now(lambda conn: list(take_numbers(conn, 7)))
    total = back_up(small, tmp_path / "copy.zip")
    small.close()
    assert restore(settings, tmp_path / "copy.zip") == total
    hub = open_house(settings, clock)
    (row,) = hub.read_now(lambda conn: conn.execute(select(REPORT)).all())
    assert (row.ref, row.fields, row.created_at) == (ref, {"injured": 2}, clock.now)
    assert hub.writer.write_now(lambda conn: list(take_numbers(conn, 1))) == [3007]
    hub.close()


def test_a_restore_is_refused_without_the_key_with_another_and_into_what_is_not_empty(
    house: House, other: Settings, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "copy.zip"
    back_up(house, file)
    with pytest.raises(Conflict):
        restore(settings, file)
    lost = other.model_copy(update={"key_file": None})
    with pytest.raises(KeyFileMissing):
        restore(lost, file)
    write_key_file(lost.key_path, KeyRing.new())
    with pytest.raises(WrongKey):
        restore(lost, file)
    assert not (other.data_dir / "vocero.db").exists()
    restore(other, file)


def test_a_backup_that_cannot_be_written_leaves_nothing_behind(house: House, tmp_path: Path) -> None:
    with pytest.raises(VoceroError):
        back_up(house, tmp_path / "nowhere" / "copy.zip")
    there = tmp_path / "copy.zip"
    there.write_text("mine")
    with pytest.raises(Conflict):
        back_up(house, there)
    assert there.read_text() == "mine"
    assert list(tmp_path.glob("*.partial")) == []


def test_a_backup_that_lacks_a_row_is_refused(house: House, other: Settings, tmp_path: Path, clock: HandClock) -> None:
    add_report(house, clock.now)
    back_up(house, tmp_path / "copy.zip")
    with zipfile.ZipFile(tmp_path / "copy.zip") as whole, zipfile.ZipFile(tmp_path / "less.zip", "w") as less:
        for name in whole.namelist():
            less.writestr(name, b"" if name == "tables/report_event.jsonl" else whole.read(name))
    with pytest.raises(BadBackup, match="report_event"):
        restore(other, tmp_path / "less.zip")
    assert not (other.data_dir / "vocero.db").exists()


def test_the_manifest_says_what_is_inside(house: House, tmp_path: Path) -> None:
    back_up(house, tmp_path / "copy.zip")
    with opened_backup(tmp_path / "copy.zip") as (_, manifest):
        assert manifest["tables"]["node"]["rows"] == 1
        assert manifest["node"] == str(house.node_id)
        assert json.dumps(manifest)
