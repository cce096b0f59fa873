"""Figures that pages show, out of texts that were kept."""

from datetime import date, timedelta

from gateway.casework import act
from gateway.figures.map import map_spots
from gateway.figures.matrix import commitment_matrix
from gateway.figures.polls import poll_totals
from gateway.figures.public import public_figures
from gateway.figures.returns import return_board
from gateway.reports import Event
from tests.conftest import HandClock
from tests.gateway.desk import ANA, GASPAR, LUCIA, MARCOS, MARIA, STRANGER, TOMAS, Desk

PASCUAL = "tel:+50255550108"


def matrix(desk: Desk) -> dict[tuple[str, str], tuple[str, str, int]]:
    cells = desk.house.read_now(commitment_matrix)
    return {(cell.commitment, cell.place): (cell.state, cell.colour, cell.reports) for cell in cells}


def spots(desk: Desk) -> dict[str, tuple[str, tuple[int, ...]]]:
    now = desk.house.clock()
    return {spot.place: (spot.colour, spot.refs) for spot in desk.house.read_now(lambda conn: map_spots(conn, now))}


def public(desk: Desk) -> dict[str, int | None]:
    now, book = desk.house.clock(), desk.house.read_now(desk.house.codebook)
    found = desk.house.read_now(lambda conn: public_figures(conn, book, now))
    return {f"{cell.department} {cell.what}": cell.number for cell in (*found.reports, *found.polls)}


def test_the_latest_report_of_a_commitment_colours_its_cell(desk: Desk, clock: HandClock) -> None:
    desk.say(GASPAR, "AC 23 NO")
    assert matrix(desk) == {("C23", "1405"): ("no", "red", 1)}
    clock.advance(timedelta(days=1))
    desk.say(GASPAR, "AC 23 SI")
    desk.say(ANA, "AC 5 MEDIO")
    assert matrix(desk) == {("C05", "1413"): ("parcial", "yellow", 1), ("C23", "1405"): ("si", "green", 2)}


def test_an_older_event_told_later_does_not_override_a_newer_one(desk: Desk) -> None:
    desk.say(GASPAR, "AC 23 NO")
    desk.say(GASPAR, "AC 23 SI ayer")
    assert matrix(desk)[("C23", "1405")] == ("no", "red", 2)


def test_practice_strangers_and_what_was_withdrawn_are_in_no_figure(desk: Desk) -> None:
    desk.say(GASPAR, "PRUEBA AC 23 NO")
    desk.say(STRANGER, "AC 23 NO 1405")
    desk.say(GASPAR, "AC 24 NO")
    event = Event("withdrawn", desk.house.clock(), "user:admin")
    report = next(row for row in desk.reports() if row.registered and not row.practice)
    desk.house.writer.write_now(lambda conn: act(conn, report.id, event, sealer=desk.house.sealer))
    assert matrix(desk) == {}
    assert spots(desk)["1405"] == ("green", ())


def test_the_return_board_keeps_each_topic_of_a_place(desk: Desk) -> None:
    desk.say(PASCUAL, "RET 1305 AGUA MAL 22 familias")
    desk.say(PASCUAL, "RET 1305 ESCUELA BIEN")
    lines = desk.house.read_now(return_board)
    assert [(line.place, line.topic, line.state, line.colour, line.families) for line in lines] == [
        ("1305", "agua", "mal", "red", 22), ("1305", "escuela", "bien", "green", None),
    ]  # fmt: skip


def test_the_map_is_grey_where_nobody_was_heard_and_shows_what_others_say(desk: Desk, clock: HandClock) -> None:
    assert spots(desk)["1612"] == ("green", ())
    clock.advance(timedelta(days=8))
    desk.say(MARCOS, "INC ROB CAHABON")
    desk.say(ANA, "INC ROB NEBAJ")
    desk.say(TOMAS, "ALERTA LIN SACAPULAS tienen amarrado a un joven")
    found = spots(desk)
    assert found["1612"] == ("grey", (3000,))
    assert found["1413"] == ("yellow", (3001,))
    assert found["1416"] == ("red", (3002,))
    assert found["1609"] == ("green", ())


def test_the_map_tells_since_when_a_place_is_silent(desk: Desk, clock: HandClock) -> None:
    heard = desk.house.clock()
    clock.advance(timedelta(days=7))
    now = desk.house.clock()
    spot = next(one for one in desk.house.read_now(lambda conn: map_spots(conn, now)) if one.place == "1612")
    assert (spot.colour, spot.silent_since, spot.reports) == ("grey", heard, 0)


def robberies(desk: Desk, number: int, *senders: str) -> None:
    for index in range(number):
        desk.say(senders[index % len(senders)], f"INC ROB ayer caso {index}")


def test_public_figures_are_seven_days_late(desk: Desk, clock: HandClock) -> None:
    robberies(desk, 6, ANA, GASPAR, MARIA)
    for days, shown in ((0, {}), (6, {}), (7, {}), (8, {"14 ROB": 6})):
        now = desk.house.clock() + timedelta(days=days)
        book = desk.house.read_now(desk.house.codebook)
        found = desk.house.read_now(lambda conn, now=now, book=book: public_figures(conn, book, now))
        assert {f"{cell.department} {cell.what}": cell.number for cell in found.reports} == shown, days
    assert found.end == date(2026, 3, 11)


def test_a_cell_of_fewer_than_five_reports_or_three_senders_is_hidden(desk: Desk, clock: HandClock) -> None:
    robberies(desk, 4, ANA, GASPAR, MARIA)
    desk.say(PASCUAL, "INC ROB 1305 una vez")
    for index in range(6):
        desk.say(MARCOS, f"INC AME 1609 vez {index}")
    clock.advance(timedelta(days=8))
    assert public(desk) == {"13 ROB": None, "14 ROB": None, "16 AME": None}
    clock.now -= timedelta(days=8)
    desk.say(TOMAS, "INC ROB ayer el quinto")
    clock.advance(timedelta(days=8))
    assert public(desk)["14 ROB"] == 5


def test_a_sensitive_case_is_never_public(desk: Desk, clock: HandClock) -> None:
    for index in range(6):
        desk.say((ANA, GASPAR, MARIA)[index % 3], f"INC VIF ayer caso {index}")
    clock.advance(timedelta(days=8))
    assert public(desk) == {}


def test_polls_are_public_by_department_and_whole_week_and_hidden_below_five(desk: Desk, clock: HandClock) -> None:
    for sender in (ANA, GASPAR, MARIA, TOMAS):
        desk.say(sender, "ENC SI EXT NO MIEDO")
    desk.say(LUCIA, "ENC NO")
    totals = desk.house.read_now(poll_totals)
    assert (totals.answers, totals.victims, totals.dark) == (5, 4, 4)
    clock.advance(timedelta(days=13))
    assert public(desk) == {"08 answers": None, "14 answers": None, "14 dark": None, "14 victim": None}


def test_five_answers_of_a_department_are_shown(desk: Desk, clock: HandClock) -> None:
    for sender in (ANA, GASPAR, MARIA, TOMAS, "tel:+50255550104"):
        desk.say(sender, "ENC NO")
    assert public(desk) == {}
    clock.advance(timedelta(days=14))
    assert public(desk) == {"14 answers": 5}
