"""The command line as a person uses it, in this process: words in, exit code and output back."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.cli import main
from gateway.settings import Settings

PEOPLE = Path(__file__).parents[2] / "data" / "contacts.csv"


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


Vocero = Callable[..., Result]


@pytest.fixture
def bare(capsys: pytest.CaptureFixture[str]) -> Vocero:
    """`vocero` with no installation: no data folder, no settings."""

    def run(*words: str) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capsys.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def empty(bare: Vocero, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Vocero:
    """`vocero` pointed at a data folder (and database) where nothing is yet."""
    monkeypatch.setenv("VOCERO_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("VOCERO_DISK_RESERVE_MB", "1")
    if settings.database_url:
        monkeypatch.setenv("VOCERO_DATABASE_URL", settings.database_url)
    return bare


@pytest.fixture
def vocero(empty: Vocero) -> Vocero:
    """`vocero` with an installation."""
    assert empty("init").code == 0
    return empty
