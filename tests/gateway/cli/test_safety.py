"""Export, keys, backup, restore, doctor, demo and reread by command, on a month of reports."""

import csv
import json
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.house import House, open_house
from gateway.sealing import read_key_file
from gateway.settings import Settings
from tests.gateway.cli.conftest import Vocero
from tests.gateway.desk import Desk

KINDS = ("messages", "reports", "outbox", "events")
FIELDS = {
    "messages": "id channel external_id from to text sent_at heard_at kept_at state reason contact codebook_revision "
    "duplicate_of reading",
    "reports": "id ref message form category place date counts urgent state verification text fields contact "
    "registered codebook_revision created_at",
    "outbox": "id kind priority channel to text subject segments encoding state attempts provider_id message ref "
    "queued_at not_before expires_at sent_at delivered_at error",
    "events": "id report ref seq type at actor data",
}


@pytest.fixture
def month(vocero: Vocero) -> Vocero:
    """Three days of the demo."""
    assert vocero("demo", "--days", "3").code == 0
    return vocero


@pytest.fixture
def opened(month: Vocero, settings: Settings) -> Iterator[House]:
    opened = open_house(settings)
    yield opened
    opened.close()


def everything(vocero: Vocero) -> dict[str, list[dict[str, object]]]:
    return {kind: vocero("export", kind).lines for kind in KINDS}


def test_the_demo_tells_a_month_through_the_real_rooms(month: Vocero, opened: House) -> None:
    found = everything(month)
    assert len(found["messages"]) > 10
    assert {"confirmation", "digest"} <= {row["kind"] for row in found["outbox"]}
    assert {row["state"] for row in found["outbox"]} <= {"sent", "delivered"}
    assert all(row["segments"] == 1 for row in found["outbox"] if row["encoding"] == "gsm7")
    assert Desk(opened, None).folds_differ() == []  # type: ignore[arg-type]
    assert all(f"{row['kept_at']}" < f"{opened.clock():%Y-%m-%dT%H:%M:%S}" for row in found["messages"])
    assert month("demo").code == 1


def test_an_export_has_the_fields_that_were_promised_and_leaves_an_audit_entry(month: Vocero, opened: House) -> None:
    found = everything(month)
    for kind, fields in FIELDS.items():
        assert set(fields.split()) <= set(found[kind][0]), kind
    message, report = found["messages"][0], found["reports"][0]
    assert str(message["from"]).startswith("+502")
    assert message["text"]
    assert str(report["created_at"]).endswith("Z")
    entries = opened.read_now(lambda conn: conn.exec_driver_sql("SELECT action, target FROM audit_entry").all())
    assert {("export", kind) for kind in KINDS} <= {tuple(row) for row in entries}


def test_an_export_as_csv_has_the_same_rows(month: Vocero, tmp_path: Path) -> None:
    target = tmp_path / "reports.csv"
    assert month("export", "reports", "--format", "csv", "--bom", "--out", str(target)).code == 0
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    rows = list(csv.DictReader(target.read_text("utf-8-sig").splitlines()))
    plain = month("export", "reports").lines
    assert [row["id"] for row in rows] == [row["id"] for row in plain]
    assert json.loads(rows[0]["counts"]) == plain[0]["counts"]
    assert month("export", "reports", "--out", str(target)).code == 2


def test_a_rotation_seals_everything_anew_and_drops_the_old_key(
    month: Vocero, settings: Settings, database: str
) -> None:
    before, old = everything(month), read_key_file(settings.key_path)
    assert month("keys", "rotate", "--drop").code == 0
    new = read_key_file(settings.key_path)
    assert new.current != old.current
    assert list(new.keys) == [new.current]
    assert everything(month) == before
    assert new.current in month("keys", "show").out


def test_a_backup_is_restored_whole_with_the_key_and_not_without(
    month: Vocero, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, file = everything(month), tmp_path / "copy.zip"
    assert month("backup", str(file)).code == 0
    assert month("backup", str(file)).code == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert month("restore", str(file)).code == 1
    monkeypatch.setenv("VOCERO_DATA_DIR", str(tmp_path / "other"))
    monkeypatch.delenv("VOCERO_DATABASE_URL", raising=False)
    assert month("restore", str(file)).code == 3
    shutil.copy(settings.key_path, tmp_path / "other" / "vocero.key")
    restored = month("restore", str(file))
    assert restored.code == 0, restored.err
    assert everything(month) == before
    assert "BAD" not in month("doctor").out


def test_a_backup_holds_no_key_and_nothing_that_a_person_wrote(
    month: Vocero, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "copy.zip"
    month("backup", str(file))
    with zipfile.ZipFile(file) as archive:
        inside = b"".join(archive.read(name) for name in archive.namelist())
    key = json.loads(settings.key_path.read_text())
    words = ["+5025555", "Ana Cobo", "don Pedro", "monitores.example", key["index"], *key["keys"].values()]
    assert not [word for word in words if word.encode() in inside]


DAMAGES = {
    "cut short": lambda data: data[: len(data) // 2],
    "one byte changed": lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
    "empty": lambda _data: b"",
    "not a backup": lambda _data: b"hello",
}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_damaged_backup_changes_nothing(
    month: Vocero, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "copy.zip"
    month("backup", str(file))
    whole = file.read_bytes()
    monkeypatch.setenv("VOCERO_DATA_DIR", str(tmp_path / "other"))
    (tmp_path / "other").mkdir()
    shutil.copy(settings.key_path, tmp_path / "other" / "vocero.key")
    for name, damage in DAMAGES.items():
        file.write_bytes(damage(whole))
        result = month("restore", str(file))
        assert (result.code, "damaged" in result.err) == (1, True), name
    file.write_bytes(whole)
    assert month("restore", str(file)).code == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_doctor_says_what_is_wrong(vocero: Vocero, settings: Settings) -> None:
    healthy = vocero("doctor")
    assert healthy.code == 0
    assert "the key lies on the disk of the database" in healthy.out
    assert "there is none: nothing can be heard or sent" in healthy.out
    settings.key_path.chmod(0o644)
    sick = vocero("doctor")
    assert sick.code == 1
    assert "others may read" in sick.out


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_doctor_names_places_without_a_coordinator(vocero: Vocero) -> None:
    vocero("contact", "add", "--name", "Ana", "--phone", "55550101", "--place", "1413")
    assert "(1413)" in vocero("doctor").out
    vocero("contact", "add", "--name", "Marta", "--phone", "55550201", "--role", "coordinator", "--places", "14")
    assert "(1413)" not in vocero("doctor").out


def test_rereading_shows_what_would_change_and_applies_it_as_events(month: Vocero, opened: House) -> None:
    words = {row["id"]: (row["category"], row["text"]) for row in month("export", "reports").lines}
    category, text = next((c, str(t)) for c, t in words.values() if c == "ROB" and "robaron" in str(t))
    assert month("reread", "--since", "2020-01-01").lines == []
    month("keyword", "add", "category", "DAN", "robaron en la tienda")
    shown = month("reread", "--since", "2020-01-01").lines
    assert {"now": "ROB", "then": "DAN"} in [line["changes"].get("category") for line in shown]
    assert not [row for row in month("export", "events").lines if row["type"] == "reread"]
    assert len(month("reread", "--since", "2020-01-01", "--apply").lines) == len(shown)
    assert len([row for row in month("export", "events").lines if row["type"] == "reread"]) == len(shown)
    assert month("reread", "--since", "2020-01-01").lines == []
    assert Desk(opened, None).folds_differ() == []  # type: ignore[arg-type]
    assert (category, text) != (None, "")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_audit_log_is_shown_and_a_change_in_it_is_found(vocero: Vocero, settings: Settings) -> None:
    vocero("contact", "add", "--name", "Ana", "--phone", "55550101")
    vocero("export", "messages")
    listed = vocero("audit", "list").out
    assert listed.index("contact.import") < listed.index("export")
    assert vocero("audit", "verify").code == 0
    opened = open_house(settings)
    opened.writer.write_now(
        lambda conn: conn.exec_driver_sql("UPDATE audit_entry SET actor = 'nobody' WHERE number = 1")
    )
    opened.close()
    found = vocero("audit", "verify")
    assert (found.code, "Entry 1" in found.err) == (1, True)
