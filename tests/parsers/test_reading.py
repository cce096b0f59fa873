"""What a reading tells besides the values: how each was found, what is asked, what cannot stand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parsers import (
    Context,
    Pending,
    Reading,
    ReportReading,
    as_prediction,
    category_name,
    choice_label,
    compile_codebook,
    fold_text,
    load_pack,
    pending_from_dict,
    place_name,
    read_message,
    report_dict,
    split_hand_part,
)

BOOK = compile_codebook(load_pack())
HEARD = datetime(2026, 3, 10, 16, tzinfo=UTC)
ANA = Context(heard_at=HEARD, registered=True, home_place="1413", village="Acul")
STRANGER = Context(heard_at=HEARD)
MARTA = replace(ANA, role="coordinator")


def read(text: str, context: Context = ANA, **changes: Any) -> Reading:
    return read_message(text, BOOK, replace(context, **changes))


def hows(text: str, context: Context = ANA) -> dict[str, str]:
    return {name: value.how for name, value in read(text, context).reports[0].values.items()}


def test_each_value_says_how_it_was_found() -> None:
    assert hows("INC ROB 1413 ayer") == {"category": "exact", "place": "exact", "date": "exact"}
    assert hows("inc amenasa chajul") == {"category": "repaired", "place": "exact", "date": "default"}
    assert hows("inc robo") == {"category": "alias", "place": "sender", "date": "default"}
    assert hows("inc rob san juan", replace(ANA, home_place="1411"))["place"] == "inferred"


def test_a_value_points_at_the_characters_it_came_from() -> None:
    text = "INC  robo, Nébaj hace 3 días: 2 heridos"
    values = read(text).reports[0].values
    cut = {name: text[value.start : value.end] for name, value in values.items()}
    assert cut == {"category": "robo", "place": "Nébaj", "date": "hace 3 días", "injured": "2 heridos"}


def test_spans_survive_mojibake_and_invisible_characters() -> None:
    text = "INC\u200b ROB PANZÃ“S ayer"
    place = read(text).reports[0].values["place"]
    assert text[place.start : place.end] == "PANZÃ“S"


def test_confidence_falls_along_the_ladder() -> None:
    exact = read("INC ROB nebaj").reports[0].values["place"]
    repaired = read("INC ROB nevaj").reports[0].values["place"]
    assert exact.confidence > repaired.confidence > 0


def test_three_letter_codes_are_never_guessed() -> None:
    reading = read("INC RBO NEBAG")
    assert reading.ask != "place"
    assert read("INC ROX NEBAJ").ask == "category"


def test_a_shared_name_is_asked_about_with_its_codes_in_order() -> None:
    reading = read("inc rob la libertad")
    assert (reading.outcome, reading.ask) == ("ask", "place")
    assert reading.question is not None
    assert (reading.question.kind, reading.question.term) == ("place_ambiguous", "La Libertad")
    assert reading.question.choices == ("1311", "1705")
    assert [problem.code for problem in reading.problems] == ["ambiguous"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("INC ROB NEBAJ 31/02", "impossible"), ("INC ROB NEBAJ 25/12/2026", "future"), ("INC ROB NEBAJ mañana", "future")],
)
def test_a_bad_date_is_a_problem_of_the_date_alone(text: str, code: str) -> None:
    reading = read(text)
    assert reading.outcome == "accept"
    assert reading.reports[0].get("date") == "2026-03-10"
    assert [(problem.field, problem.code) for problem in reading.problems] == [("date", code)]


def test_an_unknown_code_of_a_place_is_asked_about() -> None:
    reading = read("INC ROB 9999 ayer")
    assert (reading.ask, reading.reports[0].get("date")) == ("place", "2026-03-09")
    assert reading.problems[0].code == "unknown_place"


def test_today_is_the_local_day_of_sending_when_the_channel_tells_it() -> None:
    late = datetime(2026, 3, 11, 5, tzinfo=UTC)
    day = {"heard_at": late}
    assert read("inc rob nebaj", **day).reports[0].get("date") == "2026-03-10"
    sent = late - timedelta(days=3)
    assert read("inc rob nebaj", **day, sent_at=sent).reports[0].get("date") == "2026-03-07"
    assert read("inc rob nebaj", **day, sent_at=late - timedelta(days=8)).reports[0].get("date") == "2026-03-10"
    assert read("inc rob nebaj", **day, sent_at=late + timedelta(hours=2)).reports[0].get("date") == "2026-03-10"


def test_a_practice_text_is_read_in_full_and_marked() -> None:
    reading = read("Buenos dias PRUEBA inc rob chajul")
    assert reading.practice
    assert reading.reports[0].get("place") == "1405"


def test_the_subject_of_a_mail_is_read_before_the_text() -> None:
    reading = read("Tienen retenidos a dos hombres.", subject="URGENTE turba en Sacapulas")
    assert [report.get("place") for report in reading.reports] == ["1416"]
    assert reading.reports[0].urgent
    assert reading.reports[0].values["place"].start == -1


DRAFT = ReportReading("incident", pending_from_dict(
    {"ask": "place", "report": {"form": "incident", "category": "ROB", "date": "2026-03-09"}}
).report.values, False, "inc rob ayer")  # fmt: skip


def test_an_answer_completes_the_draft_and_keeps_what_it_said() -> None:
    reading = read("chajul", pending=Pending("place", DRAFT))
    assert (reading.outcome, reading.answers_pending) == ("accept", True)
    report = reading.reports[0]
    assert (report.get("category"), report.get("place"), report.get("date")) == ("ROB", "1405", "2026-03-09")
    assert report.text == "inc rob ayer\nchajul"


def test_a_number_picks_from_the_choices_offered() -> None:
    asked = Pending("place", DRAFT, ("1311", "1705"))
    assert read("2", pending=asked).reports[0].get("place") == "1705"
    assert read("3", pending=asked).outcome == "ask"


def test_an_answer_nobody_understands_asks_again() -> None:
    reading = read("xyzzy plugh", pending=Pending("place", DRAFT))
    assert (reading.outcome, reading.ask, reading.answers_pending) == ("ask", "place", True)


def test_a_correction_that_names_its_report_answers_no_question() -> None:
    reading = read("ya llego la pnc, corregir 3205 tipo lev", pending=Pending("place", DRAFT))
    assert [report.form for report in reading.reports] == ["correction"]
    assert read("es chajul, se puede corregir", pending=Pending("place", DRAFT)).answers_pending


def test_a_keyword_starts_a_new_report_and_leaves_the_draft() -> None:
    reading = read("INC AME 1411", pending=Pending("place", DRAFT))
    assert not reading.answers_pending
    assert reading.reports[0].get("category") == "AME"


@pytest.mark.parametrize("text", ["VISTO 3205", "CERRAR 3205", "NOTA 3205 hable con el cocode", "APROBAR 12"])
def test_coordinator_words_of_a_monitor_are_not_commands(text: str) -> None:
    assert read(text, MARTA).outcome == "accept"
    assert read(text, MARTA).reports[0].form in {"seen", "close", "note", "approve"}
    assert read(text).outcome == "reject"


def test_a_verdict_takes_its_ref_and_status() -> None:
    report = read("VERIFICAR R3205 parcial", MARTA).reports[0]
    assert (report.get("ref"), report.get("status")) == ("3205", "parcial")
    assert read("VERIFICAR 3205", MARTA).ask == "status"


def test_a_borrowed_phone_names_its_user_before_the_report() -> None:
    reading = read("ID 1234 INC ROB 1405", STRANGER)
    assert [report.form for report in reading.reports] == ["identify", "incident"]
    assert reading.reports[0].get("pin") == "1234"
    assert len(as_prediction(reading)["reports"]) == 1


@pytest.mark.parametrize("text", ["ALTA", "start", "Unstop."])
def test_opting_in_again_is_a_command(text: str) -> None:
    assert read(text).reports[0].form == "optin"


@pytest.mark.parametrize(
    "text",
    ["Baja Verapaz", "baja el precio", "alto ahi", "no mas bloqueos en Nebaj", "quiero salir a vender", "STOP INC ROB"],
)
def test_nobody_is_unsubscribed_by_mistake(text: str) -> None:
    assert "stop" not in {report.form for report in read(text).reports}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1/2 INC ROB NEBAJ", (1, 2, "INC ROB NEBAJ")),
        ("(2/3) siguen los golpes", (2, 3, "siguen los golpes")),
        ("Parte 1 de 2: robo", (1, 2, "robo")),
        ("robo en nebaj (1/2)", (1, 2, "robo en nebaj")),
        ("inc 1/2 disturbios", None),
        ("15/04 robo", None),
        ("3/2/2026 robo", None),
        ("1 de 5 heridos murio", None),
        ("2/1 robo", None),
    ],
)
def test_parts_numbered_by_hand_are_told_from_dates(text: str, part: tuple[int, int, str] | None) -> None:
    assert split_hand_part(text) == part


def test_a_second_part_does_not_open_a_report_of_its_own() -> None:
    assert split_hand_part("3/3 robo en Nebaj", BOOK) is None
    assert split_hand_part("2/2 de la cooperativa", BOOK) == (2, 2, "de la cooperativa")
    assert split_hand_part("1/2 INC ROB", BOOK) == (1, 2, "INC ROB")


def test_a_lone_yes_brings_back_only_who_had_left() -> None:
    assert read("YES", opted_out=True).reports[0].form == "optin"
    assert read("YES").outcome == "reject"


def test_a_hand_numbered_text_says_which_part_it_is() -> None:
    assert read("1/2 INC ROB NEBAJ").part == (1, 2)
    assert read("INC ROB NEBAJ").part is None


def test_a_language_is_told_by_its_words_or_by_its_look() -> None:
    assert read("Saqirik, inc robo nebaj").language == "quc"
    assert read("K'o jun nim k'ax xk'ulmataj pa qatinamit iwir").language == "myn"
    assert read("inc robo nebaj", language="ixl").language == "ixl"
    assert read("no se que decirles a ustedes").language == "es"


def test_the_trace_tells_the_form_and_the_word_that_named_it() -> None:
    steps = [step for step in read("Hola INC rob nebaj").trace if step.step == "form"]
    assert [(step.value, step.start, step.end, step.note) for step in steps] == [("incident", 5, 8, "keyword")]


def test_repeats_fold_to_one_text() -> None:
    assert fold_text("INC, Róbo  NEBAJ!") == fold_text("inc robo nebaj")
    assert fold_text("K’iche’") == fold_text("k'iche'")


def test_names_for_answers_are_short_and_discreet() -> None:
    assert place_name(BOOK, "1413") == "Santa Maria Nebaj"
    assert place_name(BOOK, None) == ""
    assert category_name(BOOK, "ROB") == "Robo o asalto"
    assert category_name(BOOK, "SEX") == "caso reservado"
    assert choice_label(BOOK, "return.status", "mal") == "mal"


def test_a_draft_survives_being_written_down() -> None:
    report = read("inc rob la libertad ayer").reports[0]
    again = pending_from_dict({"ask": "place", "report": report_dict(report), "choices": ["1311", "1705"]})
    assert report_dict(again.report) == report_dict(report)
    assert again.choices == ("1311", "1705")


def test_only_the_first_sixteen_hundred_characters_are_read_and_all_are_kept() -> None:
    text = "INC ROB NEBAJ " + "bla " * 500 + " 3 heridos"
    report = read(text).reports[0]
    assert "injured" not in report.values
    assert report.text == text


def test_half_a_person_is_a_problem_of_that_count_alone() -> None:
    reading = read("inc les nebaj 3.5 heridos y 1 muerto")
    assert "injured" not in reading.reports[0].values
    assert reading.reports[0].values["dead"].value == 1
    assert [(problem.field, problem.code, problem.text) for problem in reading.problems] == [
        ("injured", "out_of_range", "3.5")
    ]


def test_the_lower_number_of_a_range_is_said_to_be_the_readers_choice() -> None:
    injured = read("inc les nebaj 3 o 4 heridos").reports[0].values["injured"]
    assert (injured.value, injured.how) == (3, "inferred")


def test_a_few_words_behind_a_day_are_no_part_of_a_longer_message() -> None:
    assert read("1/4 robo en nebaj").part is None
    assert read("1/4 robo en nebaj").reports[0].values["date"].value == "2025-04-01"


@pytest.mark.parametrize(
    ("text", "injured", "language"),
    [
        ("inc les nebaj oxva'l heridos", 3, "ixl"),
        ("inc les nahuala keb' heridos", 2, "quc"),
        ("inc les toliman wo'o' heridos", 5, "cak"),
        ("Saqirik nan, inc les nahuala lajuj heridos, maltyox", 10, "quc"),
    ],
)
def test_numbers_are_counted_in_mayan_languages_too(text: str, injured: int, language: str) -> None:
    reading = read(text)
    assert reading.reports[0].values["injured"].value == injured
    assert reading.language == language
