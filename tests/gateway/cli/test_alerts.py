"""Alerts and their rules by command."""

import pytest

from gateway.alerts import escalate_due
from tests.conftest import HandClock
from tests.gateway.alerts.crew import TURBA, later
from tests.gateway.cli.conftest import Vocero
from tests.gateway.desk import ANA, EULALIO, MARTA, TOMAS, Desk


@pytest.fixture
def vocero(desk: Desk, empty: Vocero) -> Vocero:
    """`vocero` in the office of the desk."""
    return empty


def test_the_story_of_an_alert_is_one_line_of_time(desk: Desk, clock: HandClock, vocero: Vocero) -> None:
    desk.say(TOMAS, TURBA)
    later(desk, clock, 15)
    later(desk, clock, 3)
    desk.say(EULALIO, "VISTO 3000")
    later(desk, clock, 15)
    desk.say(MARTA, "VISTO 3000")
    later(desk, clock, 11)
    desk.say(TOMAS, "corregir 3000 tipo lev")
    assert "R3000   seen   LEV       1416" in vocero("alert", "list").out
    shown = vocero("alert", "show", "R3000").out
    what = [line.split("  ")[1].strip() for line in shown.splitlines()[1:]]
    assert what == [
        "heard", "report accepted", "alert", "told", "escalated 1", "seen", "seen", "report corrected", "ended",
    ]  # fmt: skip
    assert "Eulalio Mendez" in shown
    assert "category ALN -> LEV" in shown
    assert "Tomas" not in shown
    assert "quemar" not in shown
    assert vocero("alert", "show", "4999").code == 1


def test_rules_are_kept_by_command_and_obeyed_at_once(desk: Desk, vocero: Vocero) -> None:
    assert "urgente" in vocero("alert-rule", "list").out
    made = vocero("alert-rule", "add", "robos", "--categories", "ROB", "--places", "1413")
    assert made.code == 0
    desk.say(ANA, "INC ROB NEBAJ")
    assert len(desk.told(MARTA)) == 1
    assert vocero("alert-rule", "pause", "robos").code == 0
    assert "paused" in vocero("alert-rule", "list").out
    assert vocero("alert-rule", "resume", made.out.strip()[-6:]).code == 0
    assert vocero("alert-rule", "remove", "robos").code == 0
    assert vocero("alert-rule", "remove", "robos").code == 1
    assert vocero("alert-rule", "add", "todo").code == 2
    desk.say(ANA, "INC ROB NEBAJ ayer")
    assert len(desk.told(MARTA)) == 1
    assert escalate_due(desk.house) == 0
    assert "alert_rule.remove" in vocero("audit", "list").out


def test_doctor_tells_when_urgent_reports_would_not_be_alerted(desk: Desk, vocero: Vocero) -> None:
    assert "every urgent report is alerted" in vocero("doctor").out
    assert "no coordinator answers" not in vocero("doctor").out
    assert "where none lives" in vocero("doctor").out
    vocero("alert-rule", "pause", "urgente")
    looked = vocero("doctor")
    assert looked.code == 1
    assert "no rule alerts every urgent report" in looked.out
