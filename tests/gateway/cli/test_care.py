"""Limits, rhythms and announcements by command."""

import io

import pytest

from tests.gateway.cli.conftest import PEOPLE, Vocero

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ANA = "+50255550101"


def test_a_limit_is_listed_set_and_reset(vocero: Vocero) -> None:
    assert "rhythm_days" in vocero("limit", "list").out
    assert "rhythm_days is 10 now" in vocero("limit", "set", "rhythm_days", "10").err
    assert vocero("limit", "set", "rhythm_days", "many").code == 2
    assert vocero("limit", "set", "colour", "red").code == 1
    assert "rhythm_days is 7 again" in vocero("limit", "reset", "rhythm_days").err


def test_a_person_gets_a_rhythm_of_its_own(vocero: Vocero) -> None:
    vocero("contact", "import", str(PEOPLE))
    for days in ("30", "0", "usual"):
        assert vocero("contact", "rhythm", ANA, days).code == 0
    assert vocero("contact", "rhythm", ANA, "often").code == 2
    assert vocero("contact", "rhythm", "+50255559999", "3").code == 1


def test_an_announcement_is_shown_and_kept_only_with_a_yes(vocero: Vocero, monkeypatch: pytest.MonkeyPatch) -> None:
    vocero("contact", "import", str(PEOPLE))
    vocero("channel", "add", "simulator", "telefono")
    assert vocero("announce", "Reunión el viernes").code == 2
    assert vocero("announce", "Reunión el viernes", "--place", "14", "--all").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    asked = vocero("announce", "Reunión el viernes", "--place", "14")
    assert asked.code == 130
    assert "6 people, 6 segments of SMS; 0 passed over." in asked.err
    assert vocero("announce", "Reunión el viernes", "--place", "14", "--yes").code == 0
    assert vocero("announce", "Hola", "--to", ANA, "--yes").code == 0
    assert vocero("announce", "x" * 161, "--all", "--yes").code == 2
    log = vocero("audit", "list").out
    assert log.count("announcement.send") == 2
