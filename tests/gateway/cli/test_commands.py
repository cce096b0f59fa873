"""Every command: its help, its exit code, its errors in plain words."""

import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from gateway.cli.commands import app
from gateway.house import open_house
from gateway.sealing import KeyRing, write_key_file
from gateway.settings import Settings
from tests.gateway.cli.conftest import PEOPLE, Vocero

TREE = typer.main.get_command(app)
FIXED = (
    "init", "migrate", "serve", "worker", "read", "channel", "contact", "user", "subscription", "keyword", "digest",
    "export", "reread", "keys", "backup", "restore", "doctor", "demo",
)  # fmt: skip


def all_commands() -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in TREE.commands.items():  # type: ignore[attr-defined]
        found.append((name,))
        found += [(name, inner) for inner in getattr(command, "commands", {})]
    return found


def test_the_commands_that_others_rely_on_are_there() -> None:
    assert set(FIXED) <= {words[0] for words in all_commands()}


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_each_command_explains_itself(bare: Vocero, words: tuple[str, ...]) -> None:
    result = bare(*words, "--help")
    assert result.code == 0
    assert f"Usage: vocero {' '.join(words)}" in result.out
    assert len(result.out.splitlines()) > 4


WRONG_USE = {
    "no such command": ("fly",),
    "no such option": ("init", "--fast"),
    "argument missing": ("contact", "import"),
    "neither text nor file": ("read",),
    "both text and file": ("read", "hola", "--in", "x.jsonl"),
    "no such file": ("read", "--in", "nowhere.jsonl"),
    "no such pack": ("read", "hola", "--pack", "../../etc"),
    "no such time": ("read", "hola", "--at", "yesterday"),
}


@pytest.mark.parametrize("words", WRONG_USE.values(), ids=WRONG_USE.keys())
def test_wrong_use_is_exit_code_2_and_no_trace(bare: Vocero, words: tuple[str, ...]) -> None:
    result = bare(*words)
    assert result.code == 2
    assert result.err.strip()
    assert "Traceback" not in result.err


MARTA = ("subscription", "add", "marta.coordinadora@oficina.example")
WRONG_HERE = {
    "kind of channel": ("channel", "add", "pigeon", "paloma"),
    "setting of a channel": ("channel", "add", "twilio", "t", "--set", "acount_sid=AC1"),
    "setting without value": ("channel", "add", "twilio", "t", "--set", "account_sid"),
    "role": ("user", "add", "ana", "--role", "boss"),
    "address": ("subscription", "add", "Nebaj", "--by", "email", "--at", "06:00"),
    "hour": (*MARTA, "--by", "email", "--at", "25:00"),
    "way": (*MARTA, "--by", "pigeon", "--at", "06:00"),
    "place": (*MARTA, "--by", "sms", "--at", "06:00", "--places", "99"),
    "zone": (*MARTA, "--by", "sms", "--at", "06:00", "--zone", "Mars"),
    "export": ("export", "secrets"),
    "format": ("export", "messages", "--format", "xml"),
    "time": ("digest", "run", "--at", "soon"),
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_wrong_values_are_exit_code_2_and_say_what_is_right(vocero: Vocero) -> None:
    assert vocero("contact", "import", str(PEOPLE)).code == 0
    for words in WRONG_HERE.values():
        result = vocero(*words)
        assert (result.code, bool(result.err.strip())) == (2, True), words
        assert "Traceback" not in result.err


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_not_there_is_exit_code_1(vocero: Vocero) -> None:
    for words in (
        ("subscription", "add", "nobody@oficina.example", "--by", "email", "--at", "06:00"),
        ("subscription", "remove", "0000"),
        ("contact", "suspend", "+50255550101"),
        ("channel", "remove", "nothing"),
        ("keyword", "list", "nothing"),
        ("keyword", "add", "category", "XXX", "word"),
        ("keyword", "try", "inc rob", "--place", "9999"),
    ):
        assert vocero(*words).code == 1, words


def test_init_makes_what_is_missing_and_may_be_run_again(empty: Vocero, settings: Settings) -> None:
    first = empty("init")
    key = settings.key_path.read_bytes()
    again = empty("init")
    assert (first.code, again.code) == (0, 0)
    assert first.out.startswith("http://127.0.0.1:8000/setup/")
    assert again.out == first.out
    assert settings.key_path.read_bytes() == key
    assert stat.S_IMODE(settings.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.key_path.stat().st_mode) == 0o600


def test_without_an_installation_every_command_says_init(empty: Vocero, settings: Settings) -> None:
    for words in (("contact", "list"), ("export", "messages"), ("digest", "run"), ("migrate",), ("backup", "x.zip")):
        result = empty(*words)
        assert result.code == 3, words
    assert not settings.key_path.exists()


def test_a_lost_key_is_exit_code_3_and_nothing_is_made(vocero: Vocero, settings: Settings) -> None:
    settings.key_path.unlink()
    for words in (
        ("init",),
        ("contact", "list"),
        ("export", "messages"),
        ("digest", "run"),
        ("keys", "rotate"),
        ("migrate",),
    ):
        result = vocero(*words)
        assert result.code == 3, words
        assert "key" in result.err
    assert not settings.key_path.exists()


def test_another_key_is_exit_code_3(vocero: Vocero, settings: Settings) -> None:
    write_key_file(settings.key_path, KeyRing.new())
    for words in (("init",), ("contact", "list"), ("export", "messages"), ("doctor",)):
        result = vocero(*words)
        assert result.code == (1 if words == ("doctor",) else 3), words
        assert "another key" in result.err + result.out


def test_a_database_of_a_newer_version_is_exit_code_3_and_stays_as_it_is(vocero: Vocero, settings: Settings) -> None:
    house = open_house(settings)
    house.writer.write_now(lambda conn: conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    house.close()
    for words in (("init",), ("migrate",), ("contact", "list"), ("digest", "run"), ("backup", "x.zip")):
        result = vocero(*words)
        assert (result.code, "newer version" in result.err) == (3, True), words


def test_a_database_that_stands_at_this_version_needs_no_migration(vocero: Vocero) -> None:
    result = vocero("migrate")
    assert result.code == 0
    assert "stands at" in result.err


def test_a_setting_that_cannot_stand_is_named(bare: Vocero, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOCERO_PORT", "many")
    result = bare("contact", "list")
    assert result.code == 2
    assert "VOCERO_PORT" in result.err


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_damaged_database_is_named_and_shows_neither_trace_nor_values(vocero: Vocero, settings: Settings) -> None:
    assert settings.sqlite_path is not None
    settings.sqlite_path.write_bytes(b"SQLite format 3\0" + b"+50255550101" * 500)
    result = vocero("contact", "list")
    assert result.code == 3
    assert "vocero.db" in result.err
    assert "Traceback" not in result.err
    assert "5555" not in result.err


def test_help_and_reading_start_without_the_libraries_of_the_server() -> None:
    code = "import sys; import gateway.cli.commands; from gateway.cli.reading import _reader; _reader(None, 'gt'); "
    code += "print([m for m in ('sqlalchemy', 'fastapi', 'alembic', 'twilio', 'pydantic') if m in sys.modules])"
    root = Path(__file__).parents[3]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
    assert time.monotonic() - started < 30
