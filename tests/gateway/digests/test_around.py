"""What stands around the reports: who saw an alert, who is silent, what is late, what is usual, polls, outages."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.digests.around import Around, Outage, Poll, Quiet, Seen
from gateway.digests.usual import Usual
from outbox.segments import count, is_gsm7
from tests.gateway.digests.test_render import END, digest, told

HOUR = timedelta(hours=1)
SEEN_AT = END - 8 * HOUR + timedelta(minutes=5)
CAHABON = Quiet("1612", datetime(2026, 3, 3, 3, 40, tzinfo=UTC), 1)
MANY = Around(
    silent=[CAHABON], open_number=12, open_refs=[3180, 3181],
    polls=[Poll(date(2026, 3, 2), 14, 6, 5, 2.4)],
    outages=[Outage("correo", END - 9 * HOUR, END - 3 * HOUR), Outage("modem", END - HOUR, None)],
)  # fmt: skip


def test_what_nobody_has_seen_comes_before_what_was_seen() -> None:
    first, second = told(3201, category="LIN", urgent=True), told(3205, category="ALN", urgent=True)
    around = Around(alerts={first.id: Seen("seen", SEEN_AT, "Eulalio"), second.id: Seen("open")})
    text = digest(first, second, around=around).text
    assert text.index("R3205") < text.index("R3201")
    assert "[nadie la ha visto]" in text
    assert "[vista 10:05 por Eulalio]" in text
    assert "vista 10:05." in digest(first, by="sms", around=around).text


def test_what_is_urgent_and_fresh_has_its_hour() -> None:
    heard = END - 8 * HOUR - timedelta(minutes=13)
    urgent = told(3205, category="LEV", urgent=True, event_date=date(2026, 3, 10), heard_at=heard)
    assert "Linchamiento evitado, Santa María Nebaj, 10/03 09:47" in digest(urgent).text


@pytest.mark.parametrize("by", ["email", "sms"])
def test_a_silent_place_is_told_with_its_date_and_never_as_calm(by: str) -> None:
    shown = digest(by=by, around=Around(silent=[CAHABON]))
    assert "ahab" in shown.text
    assert "n: sin noticias desde 02/03" in shown.text
    assert "sin novedades" not in shown.text + (shown.subject or "")
    assert "0 reportes" in (shown.subject or shown.text)


def test_nothing_at_all_is_told_as_nothing_new() -> None:
    assert digest().subject == "Resumen 10/03 18:00: sin novedades"
    assert digest(by="sms").text == "Resumen 10/03 18:00: sin novedades."


def test_open_reports_of_before_are_counted_and_named() -> None:
    around = Around(open_number=1, open_refs=[3180])
    assert "1 abierto (R3180)" in digest(told(1), around=around).text
    assert "1 abierto (R3180)" in digest(by="sms", around=around).text
    assert "12 abiertos (R3180, R3181 y 10 más)" in digest(told(1), around=MANY).text


def test_polls_and_outages_are_told_in_a_line_each() -> None:
    text = digest(told(1), around=MANY).text
    assert "Encuesta, semana del 02/03: 14 respuestas, 6 fueron víctimas, 5 no denunciaron" in text
    assert "confianza en la justicia 2.4 de 5" in text
    assert "correo: sin conexión de 09:00 a 15:00" in text
    assert "modem: sin conexión desde 17:00" in text
    assert "muy pocas" in digest(around=Around(polls=[Poll(date(2026, 3, 2), 6, None, None, None)])).text


LATE: dict[str, tuple[dict[str, Any], str]] = {
    "of days before": ({"event_date": date(2026, 3, 5)}, "tardío"),
    "sent hours before": ({"sent_at": END - 9 * HOUR, "heard_at": END - 3 * HOUR}, "con 6 h de atraso"),
    "kept before the period": ({"created_at": END - 13 * HOUR}, "tardío"),
}


@pytest.mark.parametrize(("facts", "note"), LATE.values(), ids=LATE.keys())
def test_what_comes_late_is_marked(facts: dict[str, Any], note: str) -> None:
    assert f"[{note}]" in digest(told(3209, **facts)).text
    assert note not in digest(told(3209)).text


def test_a_correction_shows_what_it_replaced() -> None:
    facts = {"is_new": False, "changes": ["corrected"], "counts": {"injured": 3}}
    text = digest(told(3200, was={"injured": 2, "place": "1405", "date": "2026-03-08"}, **facts)).text
    assert "corregido: heridos 2 → 3, lugar Chajul → Santa María Nebaj, fecha 08/03 → 09/03" in text
    assert "heridos 2 -> 3" in digest(told(3200, was={"injured": 2}, **facts), by="sms").text


def test_a_correction_does_not_tell_what_was_reserved() -> None:
    text = digest(told(3200, is_new=False, changes=["corrected"], was={"category": "VIF", "injured": None})).text
    assert "[corregido]" in text


def test_a_report_of_another_department_is_told_apart_and_in_no_total() -> None:
    text = digest(told(3203), told(3208, place="1503", elsewhere=True)).text
    assert "1 reporte, " in text
    assert text.index("De otro departamento") < text.index("R3208")
    assert (
        "R3208 Robo o asalto Rabinal 09/03 (otro departamento)"
        in digest(told(3208, place="1503", elsewhere=True), by="sms").text
    )


def test_verification_and_closing_are_shown() -> None:
    text = digest(told(1, verification="corroborated"), told(2, state="closed", verification="refuted")).text
    assert "[corroborado]" in text
    assert "[desmentido; cerrado]" in text


def test_a_commitment_and_a_return_say_how_it_stands() -> None:
    stands = told(3201, category=None, form="commitment", choices={"commitment": "C23", "status": "no"})
    water = told(3203, category=None, form="return", choices={"topic": "agua", "status": "mal"})
    text = digest(stands, water).text
    assert "Acuerdo de paz C23: no se cumple" in text
    assert "Retorno y reasentamiento: agua, mal" in text
    assert "R3201 C23: no se cumple" in digest(stands, by="sms").text


def test_counts_stand_beside_what_is_usual() -> None:
    usual = Usual(
        stretches=[{("ROB", "incident", "1413"): n} for n in (2, 2, 1)],
        weeks=[(date(2026, 2, 23), 2), (date(2026, 3, 2), 5), (date(2026, 3, 9), 1)],
    )
    text = digest(*[told(n) for n in range(5)], told(9, category="AME", place="0705"), around=Around(usual=usual)).text
    assert "Robo o asalto: 5 (+3 sobre lo usual)" in text
    assert "Amenaza o intimidación: 1 (+1 sobre lo usual)" in text
    assert "semana del 02/03: 5 (+3 sobre lo usual)" in text
    assert "semana del 09/03: 1\n" in text
    assert "1 bajo lo usual" in digest(told(1), around=Around(usual=usual)).text
    assert "usual" not in digest(told(1)).text


def test_a_brief_digest_counts_the_ordinary_reports_and_lists_the_urgent() -> None:
    text = digest(told(1), told(2), told(3, urgent=True), brief=True, around=MANY).text
    assert "y 2 más en las páginas" in text
    assert "R3 " in text
    assert "R1 " not in text
    assert "Por lugar" not in text


def test_a_mail_offers_a_way_out_and_an_sms_does_not() -> None:
    shown = digest(told(1))
    assert "Pausar este resumen: https://v.example/u/x" in shown.text
    assert 'href="https://v.example/u/x"' in (shown.html or "")
    assert "https" not in digest(told(1), by="sms").text


@pytest.mark.parametrize("language", ["es", "en"])
def test_with_all_of_it_an_sms_is_still_two_segments(language: str) -> None:
    shown = digest(*[told(n, urgent=n % 2 == 0) for n in range(40)], by="sms", language=language, around=MANY)
    assert is_gsm7(shown.text)
    assert count(shown.text).segments <= 2


def test_the_evening_of_the_first_region_fits_into_an_sms() -> None:
    """Five reports, one of them an alert somebody has seen."""
    day = date(2026, 3, 10)
    alert = told(3205, category="LEV", place="1416", urgent=True, event_date=day, heard_at=END - 8 * HOUR)
    reports = [
        told(3200, counts={"injured": 3}),
        told(3201, category=None, form="commitment", place="1405", event_date=day,
             choices={"commitment": "C23", "status": "no"}),
        told(3202, place="1411", event_date=day), alert,
        told(3207, category=None, form="meeting", place="0705", counts={"people": 35, "women": 12}),
    ]  # fmt: skip
    text = digest(*reports, by="sms", around=Around(alerts={alert.id: Seen("seen", SEEN_AT, "Eulalio")})).text
    assert [ref for ref in range(3200, 3208) if f"R{ref}" in text] == [3200, 3201, 3202, 3205, 3207]
    assert "3 heridos" in text
    assert count(text).segments == 2
