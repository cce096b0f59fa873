"""How a digest reads: what it may say, in which order, how long it is."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from gateway.codebook import pack_of
from gateway.digests.around import Around
from gateway.digests.collect import Contents, Told
from gateway.digests.render import Rendered, Wanted, render
from gateway.digests.view import Period
from outbox.segments import count, is_gsm7
from parsers import compile_codebook

CODEBOOK = compile_codebook(pack_of("gt"))
END = datetime(2026, 3, 11, tzinfo=UTC)
PERIOD = Period(END - timedelta(hours=12), END, "America/Guatemala")
NORMAL: Mapping[str, Any] = {
    "form": "incident", "category": "ROB", "place": "1413", "event_date": date(2026, 3, 9), "urgent": False,
    "registered": True, "state": "open", "verification": "unverified", "heard_at": END - timedelta(hours=3),
    "counts": {}, "is_new": True,
}  # fmt: skip


def told(ref: int | None, **other: Any) -> Told:
    return Told(id=uuid4(), ref=ref, **{**NORMAL, **other})


def digest(
    *reports: Told, by: str = "email", language: str = "es", around: Around | None = None, **more: Any
) -> Rendered:
    wanted = Wanted(
        by, language, CODEBOOK, "https://v.example/reports", **{"stop_link": "https://v.example/u/x", **more}
    )
    return render(Contents(list(reports), []), around or Around(), PERIOD, wanted)


def test_urgent_reports_come_first_and_values_as_the_codebook_spells_them() -> None:
    text = digest(told(3200, counts={"injured": 2}), told(3205, category="LEV", place="1416", urgent=True)).text
    assert text.index("R3205  Linchamiento evitado, Sacapulas") < text.index("R3200  Robo")
    assert "Santa María Nebaj, 09/03, 2 heridos" in text
    assert "Del 10/03 06:00 al 10/03 18:00" in text


@pytest.mark.parametrize("category", sorted(code for code, c in CODEBOOK.categories.items() if c.sensitive))
@pytest.mark.parametrize("by", ["email", "sms"])
def test_a_sensitive_case_is_told_by_department_and_count_alone(category: str, by: str) -> None:
    found = CODEBOOK.categories[category]
    strangers = told(3202, category=category, registered=False, urgent=True)
    shown = digest(told(3200, category=category, urgent=True), told(3201), strangers, by=by)
    for body in filter(None, (shown.text, shown.html)):
        assert "Caso reservado, Quich" in body
        assert not [word for word in ("3200", "3202", found.name, found.short, category) if word in body]


def test_a_sensitive_draft_or_change_is_not_told_by_number() -> None:
    text = digest(
        told(3200, category="VIF", state="draft", urgent=True),
        told(3201, category="VIF", is_new=False, changes=["corrected"]),
    ).text
    assert "320" not in text


def test_strangers_and_drafts_are_in_no_total() -> None:
    text = digest(told(3200), told(3201, registered=False), told(None, state="draft", category=None)).text
    assert "1 reporte, 1 sin verificar" in text
    assert text.index("no cuentan en los totales") < text.index("R3201")
    assert "1 borrador espera respuesta" in text


def test_a_correction_says_what_happened() -> None:
    text = digest(told(3200, is_new=False, changes=["corrected", "verified"], verification="verified")).text
    assert "No se reportó nada nuevo" in text
    assert re.search(r"R3200.*\[corregido, verificado\]", text)


def test_counts_are_by_category_and_place_largest_first() -> None:
    shown = digest(told(1), told(2), told(3, category="AME", place="0705"))
    assert shown.html is not None
    for body in (shown.text, shown.html):
        by_place = body[body.index("Por lugar") :]
        assert by_place.index("Santa María Nebaj") < by_place.index("Nahual")
    assert 'width="50%" cellpadding' in shown.html


def test_a_reader_of_english_is_told_in_english_and_of_mam_in_spanish() -> None:
    assert "Nothing new was reported" in digest(language="en").text
    assert "No se reportó nada nuevo" in digest(language="mam").text


def many(number: int) -> list[Told]:
    places = [code for code in CODEBOOK.places if len(code) == 4]
    codes = sorted(CODEBOOK.categories)
    longest = {"dead": 999, "injured": 999, "detained": 999, "missing": 999, "families": 9999, "people": 9999}
    return [
        told(
            10**6 + n, place=places[n % len(places)], category=codes[n % len(codes)], urgent=n % 3 == 0,
            registered=n % 5 != 0, is_new=n % 7 != 0, changes=["corrected", "verified", "closed"], counts=longest,
        )
        for n in range(number)
    ]  # fmt: skip


def test_a_mail_stays_under_30_kilobytes_however_much_happened() -> None:
    shown = digest(*many(3000))
    assert shown.html is not None
    assert len(shown.text.encode()) + len(shown.html.encode()) < 29_000
    assert "más en las páginas" in shown.text


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 8, 30, 3000])
@pytest.mark.parametrize("language", ["es", "en"])
def test_an_sms_digest_is_at_most_two_gsm7_segments(number: int, language: str) -> None:
    shown = digest(*many(number), by="sms", language=language)
    assert shown.subject is None
    assert shown.html is None
    assert is_gsm7(shown.text)
    assert count(shown.text).segments <= 2


def test_an_sms_digest_tells_the_urgent_first_and_counts_what_it_leaves_out() -> None:
    shown = digest(*[told(3200 + n) for n in range(20)], told(3299, category="LIN", urgent=True), by="sms")
    assert "URGENTE R3299" in shown.text
    left = re.search(r"\+(\d+) en las paginas", shown.text)
    assert left is not None
    assert shown.text.count(" R3") + int(left[1]) == 21


def test_nothing_that_looks_like_markup_reaches_the_mail_as_such() -> None:
    shown = digest(told(1), stop_link='https://v.example/"><i>')
    assert shown.html is not None
    assert '"><i>' not in shown.html
