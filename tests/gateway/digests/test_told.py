"""What a run tells: moved, corrected and older reports, places of nobody, alerts, polls, outages, what is usual."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import insert

from gateway.house import House
from gateway.models import Alert, AlertReport, ChannelOutage, PollAnswer
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.digests.office import (
    DAY,
    EVENING,
    HOUR,
    MORNING,
    messages,
    opened,
    run_at,
    subscribe,
    told,
)
from tests.gateway.rows import add_event, add_report, contact_of

ADMIN = "mailto:admin@oficina.example"
EULALIO = "mailto:eulalio@oficina.example"
ANA = "tel:+50255550101"


def texts(house: House) -> list[str]:
    return [opened(house, row) for row in messages(house, OUTBOUND)]


def put(house: House, table: Any, **values: Any) -> None:
    house.writer.write_now(lambda conn: conn.execute(insert(table.__table__), [{"id": uuid4(), **values}]))


def test_a_place_nobody_covers_is_told_where_the_sender_is_at_home_and_to_admins(
    office: House, clock: HandClock
) -> None:
    for reader in (ADMIN, EULALIO, "mailto:marta@oficina.example"):
        subscribe(office, reader)
    ana = contact_of(office, ANA)
    report, ref = add_report(office, MORNING - HOUR, place="1503")
    office.writer.write_now(
        lambda conn: conn.exec_driver_sql(f"UPDATE report SET contact_id = '{hexed(conn, ana)}' WHERE ref = {ref}")
    )
    assert sorted(told(run_at(office, clock, MORNING))) == [(), (ref,), (ref,)]
    shown = texts(office)
    assert ["otro departamento" in text.lower() or "other department" in text.lower() for text in shown] == [
        True, False, True,
    ]  # fmt: skip
    assert "1 reporte" in shown[0]
    assert "No se reportó nada nuevo" in shown[2]
    add_event(office, report, "closed", MORNING + HOUR)
    assert sorted(told(run_at(office, clock, EVENING))) == [(), (ref,), (ref,)]


def hexed(connection: Any, key: Any) -> str:
    return key.hex if connection.dialect.name == "sqlite" else str(key)


def test_a_report_that_moved_away_is_told_there_as_new_and_here_as_corrected(office: House, clock: HandClock) -> None:
    subscribe(office)
    subscribe(office, EULALIO)
    report, ref = add_report(office, MORNING - HOUR)
    run_at(office, clock, MORNING)
    add_event(office, report, "corrected", MORNING + HOUR, place="1301", old={"place": "1413"})
    assert told(run_at(office, clock, EVENING)) == [(ref,), (ref,)]
    here, there = texts(office)[2:]
    assert "lugar Santa María Nebaj → Huehuetenango" in here
    assert "1 report," in there
    assert told(run_at(office, clock, EVENING + 12 * HOUR)) == [(), ()]


def test_a_report_older_than_the_subscription_is_never_new(office: House, clock: HandClock) -> None:
    report, ref = add_report(office, MORNING - 3 * DAY)
    subscribe(office)
    add_event(office, report, "corrected", MORNING - HOUR, fields={"injured": 3}, old={"injured": 2})
    assert told(run_at(office, clock, MORNING)) == [(ref,)]
    assert "heridos 2 → 3" in texts(office)[0]
    assert "No se reportó nada nuevo" in texts(office)[0]


def test_the_alert_of_the_same_event_says_who_saw_it(office: House, clock: HandClock) -> None:
    subscribe(office)
    first, _ = add_report(office, MORNING - 3 * HOUR, category="LIN", urgent=True)
    second, ref = add_report(office, MORNING - 2 * HOUR, category="LIN", urgent=True)
    key, seen = uuid4(), MORNING - HOUR
    alert = {"id": key, "report_id": first, "state": "seen", "opened_at": MORNING - 3 * HOUR, "seen_at": seen}
    put(office, Alert, **{**alert, "seen_by": contact_of(office, EULALIO)})
    office.writer.write_now(
        lambda conn: conn.execute(
            insert(AlertReport.__table__), [{"report_id": second, "alert_id": key, "added_at": seen}]  # type: ignore[attr-defined]
        )
    )  # fmt: skip
    run_at(office, clock, MORNING)
    assert texts(office)[0].count("vista 05:00 por Eulalio") == 2
    assert f"R{ref}" in texts(office)[0]


def test_older_open_reports_are_counted_without_those_told_now(office: House, clock: HandClock) -> None:
    subscribe(office)
    _, open_one = add_report(office, MORNING - 4 * DAY)
    closed, _ = add_report(office, MORNING - 3 * DAY)
    add_event(office, closed, "closed", MORNING - 2 * DAY)
    add_report(office, MORNING - DAY - timedelta(minutes=10))
    _, new = add_report(office, MORNING - HOUR)
    (run,) = run_at(office, clock, MORNING)
    assert new in run.refs
    assert f"1 abierto (R{open_one})" in texts(office)[0]


def test_polls_are_told_by_whole_weeks_of_five_answers_and_more(office: House, clock: HandClock) -> None:
    subscribe(office)
    for number in range(11):
        answers = {"victim": number < 6, **({"reported": False} if number < 6 else {}), "trust": 2}
        put(office, PollAnswer, week=date(2026, 3, 2), place="14", answers=answers)
    for _ in range(4):
        put(office, PollAnswer, week=date(2026, 3, 2), place="07", answers={"victim": False})
        put(office, PollAnswer, week=date(2026, 3, 2), place="13", answers={"victim": True})
        put(office, PollAnswer, week=date(2026, 3, 9), place="14", answers={"victim": True})
    run_at(office, clock, MORNING)
    assert "Encuesta" not in texts(office)[0], "the week of 9 March is not over"
    run_at(office, clock, MORNING + 6 * DAY)
    assert "Encuesta" not in texts(office)[1], "four answers are too few"


def test_the_week_before_is_told_by_the_first_run_after_it(office: House, clock: HandClock) -> None:
    clock.now = datetime(2026, 3, 8, 12, tzinfo=UTC)
    subscribe(office)
    for number in range(11):
        answers = {"victim": number < 6, **({"reported": number < 1} if number < 6 else {}), "trust": 2}
        put(office, PollAnswer, week=date(2026, 3, 2), place="14", answers=answers)
    run_at(office, clock, datetime(2026, 3, 9, 12, tzinfo=UTC))
    run_at(office, clock, datetime(2026, 3, 10, 0, tzinfo=UTC))
    first, second = texts(office)
    assert "Encuesta, semana del 02/03: 11 respuestas, 6 fueron víctimas, confianza en la justicia 2.0 de 5" in first
    assert "Encuesta" not in second


def test_outages_of_the_period_are_told(office: House, clock: HandClock) -> None:
    subscribe(office)
    outage = {"channel": "correo", "reason": "offline", "began_at": MORNING - 5 * HOUR, "ended_at": MORNING - 2 * HOUR}
    put(office, ChannelOutage, **outage)
    run_at(office, clock, MORNING)
    run_at(office, clock, EVENING)
    assert ["sin conexión de 01:00 a 04:00" in text for text in texts(office)] == [True, False]


def test_counts_are_compared_with_the_stretches_before(office: House, clock: HandClock) -> None:
    clock.now = MORNING
    subscribe(office, at="06:00")
    for day in range(1, 9):
        for _ in range(2):
            add_report(office, MORNING - day * DAY + HOUR)
    for _ in range(5):
        add_report(office, MORNING + HOUR)
    run_at(office, clock, MORNING + DAY)
    assert "Robo o asalto: 5 (+3 sobre lo usual)" in texts(office)[0]
