"""One alert per event; strangers; what becomes of it when more is known."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import update

from gateway.alerts import ALERT
from gateway.health import Health
from gateway.house import open_house
from gateway.intake import Intake
from gateway.metrics import Metrics
from tests.conftest import HandClock
from tests.gateway.alerts.crew import (
    EULALIO_MAIL,
    JULIO,
    MARTA_MAIL,
    PETRONA,
    SEBASTIAN,
    TURBA,
    alerts,
    joined,
    later,
    receivers_of,
    set_contact,
)
from tests.gateway.desk import ANA, EULALIO, GASPAR, MARTA, STRANGER, TOMAS, Desk

LYNCHING = "ALERTA LIN 1416 turba en el parque"


def test_a_further_text_of_the_event_is_added_and_told_of(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    later(desk, clock, 3)
    desk.say(ANA, "URGENTE linchamiento en sacapulas, ya hay mucha gente")
    (alert,) = alerts(desk)
    assert (alert.reports, alert.reports_told, len(joined(desk))) == (2, 2, 1)
    assert desk.told(MARTA)[1:] == ["R3000: otro aviso del mismo lugar (2 en total). El detalle esta en el panel."]
    assert len(desk.told(MARTA_MAIL)) == 1
    assert "R3001" in desk.told(ANA)[0]


def test_of_many_texts_the_receivers_hear_every_ten_minutes(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    for minute in range(6):
        later(desk, clock, 1)
        desk.say(ANA, f"ALERTA LIN 1416 llegan mas personas {minute}")
    assert [text for text in desk.told(MARTA)[1:] if "(2 en total)" in text] == desk.told(MARTA)[1:]
    later(desk, clock, 4)
    assert len(desk.told(MARTA)) == 2
    later(desk, clock, 1)
    assert "(7 en total)" in desk.told(MARTA)[2]
    later(desk, clock, 10)
    assert len(desk.told(MARTA)) == 3


def test_texts_of_one_batch_are_one_alert(desk: Desk) -> None:
    desk.say_all([desk.incoming(TOMAS, LYNCHING), desk.incoming(ANA, LYNCHING), desk.incoming(GASPAR, LYNCHING)])
    (alert,) = alerts(desk)
    assert alert.reports == 3
    assert len(desk.told(MARTA)) == 2


def test_texts_heard_by_several_processes_at_once_are_one_alert(desk: Desk, clock: HandClock) -> None:
    houses = [open_house(desk.house.settings, clock) for _ in range(3)]
    takers = [Intake(house) for house in houses]
    for number, place in enumerate(("1416", "1413", "1405", "1411")):
        texts = [[desk.incoming(who, f"ALERTA LIN {place} {number}")] for who in (TOMAS, ANA, GASPAR)]
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda pair: pair[0].keep_now(pair[1]), zip(takers, texts, strict=True)))
    for house in houses:
        house.close()
    assert [alert.reports for alert in alerts(desk)] == [3, 3, 3, 3]


def test_another_place_day_or_kind_is_another_alert(desk: Desk) -> None:
    for text in (LYNCHING, "ALERTA LIN 1413 turba", "ALERTA BAL 1416 disparos", "ALERTA LIN 1416 ayer turba"):
        desk.say(TOMAS, text)
    assert len(alerts(desk)) == 4


def test_after_it_was_handled_or_closed_a_new_text_is_a_new_alert(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(MARTA, "VISTO 3000")
    desk.say(ANA, LYNCHING)
    assert len(alerts(desk)) == 1
    desk.say(MARTA, "CERRAR 3000")
    desk.say(GASPAR, LYNCHING)
    assert [(alert.state, alert.reports) for alert in alerts(desk)] == [("closed", 2), ("open", 1)]
    desk.house.writer.write_now(lambda conn: conn.execute(update(ALERT).values(state="handled")))
    desk.say(SEBASTIAN, LYNCHING)
    assert len(alerts(desk)) == 3


def test_who_saw_it_is_told_to_every_monitor_but_the_discreet(desk: Desk) -> None:
    for who in (TOMAS, ANA, GASPAR):
        desk.say(who, LYNCHING)
    set_contact(desk, GASPAR, discreet=True)
    desk.say(ANA, "BAJA")
    desk.say(MARTA, "VISTO 3000")
    assert desk.told(TOMAS)[-1].startswith("R3000: su alerta fue vista por un coordinador a las 06:12")
    assert len(desk.told(GASPAR)) == 1
    assert desk.told(ANA)[-1].startswith("Listo")
    assert "Marta" not in " ".join(desk.told(TOMAS))


def test_what_an_alert_said_too_little_of_is_told_when_it_is_known(desk: Desk) -> None:
    desk.say(TOMAS, "SOS")
    assert desk.told(MARTA)[0].startswith("ALERTA R3000: otro hecho, Sacapulas") or "Sacapulas" in desk.told(MARTA)[0]
    desk.say(TOMAS, "balacera en todos santos")
    assert desk.report(3000).place == "1315"
    assert "Todos Santos" in desk.told(MARTA)[-1]
    assert desk.told(EULALIO)[0].startswith("ALERTA R3000: Balacera, Todos Santos")
    assert len(desk.told(EULALIO_MAIL)) == 1
    assert len(alerts(desk)) == 1
    desk.say(EULALIO, "VISTO")
    assert alerts(desk)[0].state == "seen"


def test_a_corrected_place_alerts_the_coordinators_there(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(TOMAS, "CORREGIR 3000 LUGAR NENTON")
    assert desk.told(EULALIO)[0].startswith("ALERTA R3000: Linchamiento, Nenton")
    assert desk.told(MARTA)[-1].startswith("ALERTA R3000: Linchamiento, Nenton")


def test_a_withdrawn_alert_is_told_and_stays(desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(TOMAS, "ANULAR 3000")
    assert desk.told(MARTA)[-1].startswith("R3000: el monitor avisa que termino. Ahora es: anulado, Sacapulas.")
    assert alerts(desk)[0].state == "open"


def test_a_report_that_turns_out_to_be_a_lynching_becomes_an_alert(desk: Desk) -> None:
    desk.say(TOMAS, "INC ROB 1416")
    assert alerts(desk) == []
    desk.say(TOMAS, "CORREGIR 3000 TIPO LIN")
    assert desk.report(3000).urgent
    assert desk.told(MARTA)[0].startswith("ALERTA R3000: Linchamiento, Sacapulas")


def test_practice_alerts_nobody(desk: Desk) -> None:
    desk.say(TOMAS, "PRUEBA " + TURBA)
    assert alerts(desk) == []
    assert desk.told(MARTA) == []


def test_a_strangers_alert_is_marked_and_bounded(desk: Desk, clock: HandClock) -> None:
    desk.say(STRANGER, "ALERTA LIN 1416 turba")
    assert "(sin registro)" in desk.told(MARTA)[0]
    desk.say(STRANGER, "ALERTA BAL 1413 disparos")
    assert len(desk.told(MARTA)) == 1
    assert "(sin registro)" in desk.told(JULIO)[0]
    assert [alert.held_back for alert in alerts(desk)] == [False, True]
    later(desk, clock, 61)
    desk.say(STRANGER, "ALERTA BAL 1411 disparos")
    assert desk.told(MARTA)[-1].startswith("ALERTA R3002: Balacera (sin registro), San Juan Cotzal")


def test_strangers_together_alert_coordinators_five_times_an_hour(desk: Desk, clock: HandClock) -> None:
    for number in range(13):
        desk.say(f"tel:+5025555{9100 + number}", f"ALERTA LIN {1401 + number} turba")
    told = [alert.held_back for alert in alerts(desk)]
    assert told == [False] * 5 + [True] * 8
    assert len(desk.told(MARTA)) == 5
    assert len(desk.told(JULIO)) == 5
    assert len(desk.told("mailto:admin@oficina.example")) == 8
    later(desk, clock, 31)
    assert {name for name, step in receivers_of(desk) if step} == {"Eulalio", "Julio"}
    assert len(desk.told(EULALIO)) == 5


def test_a_registered_monitor_is_heard_above_strangers(desk: Desk) -> None:
    for number in range(7):
        desk.say(f"tel:+5025555{9100 + number}", f"ALERTA LIN {1401 + number} turba")
    assert alerts(desk)[6].held_back
    desk.say(TOMAS, "ALERTA LIN 1407 turba")
    assert not alerts(desk)[7].held_back
    assert desk.told(MARTA)[-1].startswith("ALERTA R3007: Linchamiento, ")
    assert desk.told(PETRONA) == []


def test_how_many_alerts_nobody_has_seen_stands_in_the_figures(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    desk.say(ANA, "ALERTA BAL 1413 disparos")
    desk.say(MARTA, "VISTO 3001")
    clock.advance(timedelta(minutes=7))
    told = asyncio.run(Health(desk.house, Metrics()).figures()).decode()
    assert "vocero_alerts_open 1.0" in told
    assert "vocero_alerts_oldest_seconds 420.0" in told
