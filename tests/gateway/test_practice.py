"""PRUEBA: full feedback, and it counts for nothing anywhere."""

import io
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from gateway import export, subscriptions, wishes
from gateway.alerts import ALERT
from gateway.contacts import require
from gateway.digests import run_due
from gateway.figures.map import map_spots
from gateway.figures.matrix import commitment_matrix
from gateway.figures.polls import poll_totals
from gateway.figures.public import public_figures
from gateway.figures.returns import return_board
from gateway.polls import POLL
from gateway.reminders import ask_again
from gateway.standing import CONTACT, OPT_OUT
from gateway.web.overview import count_reports, urgent_open
from tests.conftest import HandClock
from tests.gateway.desk import ANA, GASPAR, LUCIA, MARTA, TOMAS, Desk

MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"
# What a class of monitors tries, each line by the person named.
LESSON = (
    (ANA, "PRUEBA INC ROB NEBAJ ayer 2 heridos"),
    (TOMAS, "Prueba ALERTA tienen amarrado a un joven en el parque lo van a quemar"),
    (GASPAR, "PRUEBA AC 23 NO"),
    (ANA, "prueba RET TIERRA MAL 22 familias"),
    (ANA, "PRUEBA MESA 35 12 mujeres tema agua"),
    (LUCIA, "PRUEBA ENC SI EXT NO MIEDO"),
    (GASPAR, "PRUEBA INC"),
    (TOMAS, "PRUEBA INC ROB; AME COTZAL"),
    (ANA, "PRUEBA BAJA"),
    (GASPAR, "PRUEBA"),
)


def figures(desk: Desk) -> dict[str, Any]:
    """Every total there is."""
    now = desk.house.clock()
    since = now - timedelta(days=30)

    def read(connection: Any) -> dict[str, Any]:
        codebook = desk.house.codebook(connection)
        return {
            "overview": count_reports(connection, since, None),
            "urgent": len(urgent_open(connection, None)),
            "alerts": connection.scalar(select(func.count()).select_from(ALERT)),
            "matrix": commitment_matrix(connection),
            "returns": return_board(connection),
            "polls": poll_totals(connection),
            "poll rows": connection.scalar(select(func.count()).select_from(POLL)),
            "public": public_figures(connection, codebook, now),
            "public later": public_figures(connection, codebook, now + timedelta(days=30)),
            "map": [(spot.place, spot.reports, spot.refs) for spot in map_spots(connection, now)],
            "silent": connection.scalar(select(func.count()).select_from(OPT_OUT)),
            "poll months": list(connection.scalars(select(CONTACT.c.poll_month).distinct())),
        }

    return desk.house.read_now(read)


def subscribe(desk: Desk, by: str) -> None:
    house = desk.house

    def job(connection: Any) -> None:
        key = require(connection, MARTA, house.sealer)
        wish = wishes.make_wish(by, "06:00,18:00", "", house.codebook(connection).places)
        subscriptions.add(connection, key, wish, now=house.clock() - timedelta(days=1), actor="test")

    house.writer.write_now(job)


def test_a_lesson_leaves_every_total_alert_digest_and_reminder_as_it_was(desk: Desk, clock: HandClock) -> None:
    subscribe(desk, "email")
    subscribe(desk, "sms")
    before = figures(desk)
    for sender, text in LESSON:
        desk.say(sender, text)
    desk.say(GASPAR, "robo")
    assert figures(desk) == before
    clock.advance(timedelta(days=1))
    asked = len(desk.outbox())
    ask_again(desk.house)
    assert len(desk.outbox()) == asked
    runs = run_due(desk.house)
    assert runs
    assert {run.refs for run in runs} == {()}
    told = " ".join(desk.told(MARTA) + desk.told(MARTA_MAIL))
    assert told
    for word in ("Robo", "linchamiento", "Cotzal", "PRUEBA", "R30"):
        assert word not in told, told
    assert {report.practice for report in desk.reports()} == {True}
    assert {report.ref for report in desk.reports()} == {None}
    assert desk.folds_differ() == []


def test_everything_that_is_exported_says_that_it_was_practice(desk: Desk) -> None:
    for sender, text in LESSON:
        desk.say(sender, text)
    found = desk.house.read_now(lambda conn: list(export.rows(conn, "reports", desk.house.sealer)))
    assert len(found) == 8
    assert all(row["practice"] is True and row["ref"] is None for row in found)
    texts = desk.house.read_now(lambda conn: list(export.rows(conn, "messages", desk.house.sealer)))
    assert all(row["practice"] is True for row in texts)
    out = io.StringIO()
    export.write_csv(iter(found), out)
    assert out.getvalue().count(",true,") >= len(found)


def test_every_try_is_answered_with_what_was_understood(desk: Desk) -> None:
    for sender, text in LESSON:
        desk.say(sender, text)
    answers = [text for sender in (ANA, TOMAS, GASPAR, LUCIA) for text in desk.told(sender)]
    assert len(answers) == len(LESSON)
    assert all(text.startswith("PRUEBA") for text in answers)
    assert desk.told(ANA)[0] == "PRUEBA, no cuenta. Se entendio: Robo o asalto, Santa Maria Nebaj, 09/03."
    assert desk.told(ANA)[1].startswith("PRUEBA, no cuenta. Se entendio: Retorno y reasentamiento, tierra, mal")
    assert desk.told(GASPAR)[0].startswith("PRUEBA, no cuenta. Se entendio: Acuerdo de paz, C23")
    assert desk.told(GASPAR)[1].startswith("PRUEBA: ¿Que paso?")
    assert desk.told(GASPAR)[2].startswith("PRUEBA: mande PRUEBA y su reporte")
    assert desk.told(LUCIA) == ["PRUEBA, no cuenta. Se entendio: Encuesta de victimizacion."]


def test_a_draft_begun_in_practice_stays_practice_through_its_answers(desk: Desk) -> None:
    desk.say(GASPAR, "PRUEBA INC")
    desk.say(GASPAR, "robo")
    (report,) = desk.reports()
    assert (report.state, report.practice, report.ref) == ("open", True, None)
    assert desk.told(GASPAR)[1].startswith("PRUEBA, no cuenta. Se entendio: Robo")
    desk.say(LUCIA, "PRUEBA ENC")
    desk.say(LUCIA, "no")
    assert figures(desk)["poll rows"] == 0
    desk.say(LUCIA, "ENC NO")
    assert figures(desk)["poll rows"] == 1


def test_a_command_in_practice_does_nothing(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ")
    for sender, text in (
        (ANA, "PRUEBA ANULAR 3000"),
        (MARTA, "PRUEBA CERRAR 3000"),
        (MARTA, "PRUEBA CERRAR"),
        (MARTA, "3000"),
        (ANA, "PRUEBA BAJA"),
        (ANA, "PRUEBA IDIOMA MAM"),
    ):
        desk.say(sender, text)
    assert desk.report(3000).state == "open"
    assert figures(desk)["silent"] == 0
    assert desk.told(ANA)[-1] == "PRUEBA, no cuenta. Se entendio: Idioma."


def test_practice_is_a_sign_of_life(desk: Desk, clock: HandClock) -> None:
    clock.advance(timedelta(days=2))
    desk.say(ANA, "PRUEBA INC ROB NEBAJ")
    heard = desk.house.read_now(
        lambda conn: conn.scalar(
            select(CONTACT.c.last_heard_at).where(CONTACT.c.id == require(conn, ANA, desk.house.sealer))
        )
    )
    assert heard == clock.now


def test_a_text_in_practice_that_was_read_by_hand_stays_practice(desk: Desk) -> None:
    from gateway.by_hand import make_report
    from parsers import FieldValue, ReportReading

    kept = desk.say(ANA, "PRUEBA xyzzy qwerty")
    reading = ReportReading("incident", {"category": FieldValue("LIN"), "place": FieldValue("1413")}, True, "x")
    desk.house.writer.write_now(
        lambda conn: make_report(conn, desk.house, kept.message_id, reading, at=desk.house.clock(), actor="user:eva")
    )
    (report,) = desk.reports()
    assert (report.practice, report.ref) == (True, None)
    assert figures(desk)["alerts"] == 0
    assert desk.told(ANA)[-1].startswith("PRUEBA, no cuenta.")
