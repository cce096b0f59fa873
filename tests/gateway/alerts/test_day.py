"""The alert lines of the day that must play out."""

from datetime import UTC, datetime, timedelta

from gateway.alerts import escalate_due
from outbox.segments import count
from tests.conftest import HandClock
from tests.gateway.alerts.crew import (
    DIEGO,
    EULALIO_MAIL,
    JULIO,
    MARTA_MAIL,
    PETRONA,
    SEBASTIAN,
    TURBA,
    acts,
    alerts,
    later,
    receivers_of,
)
from tests.gateway.desk import EULALIO, MARTA, TOMAS, Desk

MORNING = datetime(2026, 3, 10, 15, 47, tzinfo=UTC)


def morning(desk: Desk, clock: HandClock) -> None:
    """09:47 to 10:05: Tomas alerts, Marta does not answer, Eulalio does."""
    clock.now = MORNING
    desk.say(TOMAS, TURBA)
    clock.now = MORNING + timedelta(minutes=15)
    escalate_due(desk.house)
    clock.now = MORNING + timedelta(minutes=18)
    desk.say(EULALIO, "VISTO 3000")


def test_a_lynching_is_alerted_once_and_escalated_after_a_quarter_of_an_hour(desk: Desk, clock: HandClock) -> None:
    clock.now = MORNING
    desk.say(TOMAS, TURBA)
    assert desk.told(TOMAS)[0].startswith("ALERTA R3000 enviada desde Sacapulas.")
    assert desk.told(MARTA)[0].startswith("ALERTA R3000: Amenaza linchamiento, Sacapulas, 10/03 09:47. Responda VISTO")
    assert len(desk.told(MARTA_MAIL)) == 1
    assert desk.told(EULALIO) == []
    clock.now = MORNING + timedelta(minutes=2)
    desk.say(TOMAS, TURBA)
    assert (len(alerts(desk)), len(desk.told(MARTA))) == (1, 1)
    clock.now = MORNING + timedelta(minutes=11)
    desk.say(DIEGO, "que paso con mi reporte 3000")
    assert desk.told(DIEGO)[0].startswith("No hallamos un reporte suyo con el numero 3000")
    clock.now = MORNING + timedelta(minutes=14, seconds=50)
    assert escalate_due(desk.house) == 0
    clock.now = MORNING + timedelta(minutes=15)
    assert [escalate_due(desk.house), escalate_due(desk.house)] == [2, 0]
    (escalated,) = desk.told(EULALIO)
    assert "escalada 1" in escalated
    assert escalated.startswith("ALERTA R3000: Amenaza linchamiento, Sacapulas, 10/03 09:47.")
    assert len(desk.told(EULALIO_MAIL)) == 1


def test_who_saw_it_is_told_and_the_ladder_ends(desk: Desk, clock: HandClock) -> None:
    morning(desk, clock)
    assert desk.told(EULALIO)[-1] == "R3000: queda anotado que usted la atiende. Para cerrar mande CERRAR 3000."
    assert desk.told(MARTA)[-1].startswith("R3000 la atiende Eulalio desde las 10:05")
    assert desk.told(TOMAS)[-1].startswith("R3000: su alerta fue vista por un coordinador a las 10:05")
    later(desk, clock, 13)
    assert desk.told(JULIO) == []
    clock.now = MORNING + timedelta(minutes=33)
    desk.say(MARTA, "VISTO 3000")
    assert desk.told(MARTA)[-1] == "R3000: queda anotado su VISTO. La atiende Eulalio desde las 10:05."
    assert [act.type for act in acts(desk)] == ["seen", "seen"]
    (alert,) = alerts(desk)
    assert (alert.state, alert.seen_at, alert.step) == ("seen", MORNING + timedelta(minutes=18), 1)


def test_when_it_is_over_the_receivers_hear_it_and_the_alert_stays(desk: Desk, clock: HandClock) -> None:
    morning(desk, clock)
    clock.now = MORNING + timedelta(minutes=44)
    desk.say(TOMAS, "ya llego la pnc y el cocode, lo entregaron a la pnc, corregir 3000 tipo lev")
    assert desk.report(3000).category == "LEV"
    over = "R3000: el monitor avisa que termino. Ahora es: Linchamiento evitado, Sacapulas."
    assert desk.told(MARTA)[-1].startswith(over)
    assert desk.told(EULALIO)[-1].startswith(over)
    (alert,) = alerts(desk)
    assert (alert.state, alert.ended_at) == ("seen", clock.now)
    assert len(desk.told(MARTA_MAIL)) == len(desk.told(EULALIO_MAIL)) == 1
    assert receivers_of(desk) == [("Marta", 0), ("Eulalio", 1)]
    assert desk.folds_differ() == []
    for person in (TOMAS, MARTA, EULALIO):
        assert [count(text).segments for text in desk.told(person)] == [1] * len(desk.told(person))


def test_an_eviction_in_two_parts_is_seen_in_six_minutes(desk: Desk, clock: HandClock) -> None:
    clock.now = datetime(2026, 3, 10, 17, 20, tzinfo=UTC)
    desk.say(SEBASTIAN, "desalojando a 18 familias hoy en la finca", part=("77", 2, 2))
    assert alerts(desk) == []
    desk.say(SEBASTIAN, "INC DSJ CHISEC los estan ", part=("77", 1, 2))
    (report,) = desk.reports()
    assert (report.category, report.place, report.urgent) == ("DSJ", "1613", True)
    assert desk.told(PETRONA)[0].startswith("ALERTA R3000: ")
    clock.advance(timedelta(minutes=6))
    desk.say(PETRONA, "VISTO 3000")
    later(desk, clock, 60)
    assert receivers_of(desk) == [("Petrona", 0)]
    assert desk.told(EULALIO) == desk.told(MARTA) == desk.told(JULIO) == []
