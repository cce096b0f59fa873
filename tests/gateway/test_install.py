import stat

import pytest
from sqlalchemy import inspect

from gateway.errors import KeyFileMissing, WrongKey
from gateway.house import House
from gateway.install import check, init
from gateway.sealing import KeyRing, write_key_file
from gateway.settings import Settings


def test_init_is_idempotent_and_private(settings: Settings) -> None:
    assert init(settings) is True
    assert init(settings) is False
    check(settings)
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600


def test_a_lost_key_file_is_not_replaced(settings: Settings) -> None:
    init(settings)
    settings.key_path.unlink()
    with pytest.raises(KeyFileMissing):
        init(settings)
    assert not settings.key_path.exists()


def test_another_key_is_refused(settings: Settings) -> None:
    init(settings)
    write_key_file(settings.key_path, KeyRing.new())
    with pytest.raises(WrongKey):
        init(settings)


def test_a_house_has_every_table(house: House) -> None:
    names = inspect(house.engine).get_table_names()
    assert {"message", "report", "report_event", "outbound_message"} <= set(names)
