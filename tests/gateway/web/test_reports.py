import re
from datetime import timedelta

import pytest

from gateway.standing import QUESTION
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, LUCIA, STRANGER, Desk
from tests.gateway.web.site import Browser


def refs(html: str) -> set[str]:
    return set(re.findall(r">R(\d{4})<", html))


@pytest.fixture
def four(desk: Desk, clock: HandClock) -> Desk:
    """3000 robbery in Nebaj, 3001 urgent lynching threat in Uspantán the next day, 3002 accord, a draft."""
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    clock.advance(timedelta(days=1))
    desk.say(ANA, "ALERTA ALN 1416 tienen amarrado a un joven en el parque")
    clock.advance(timedelta(days=1))
    desk.say(ANA, "AC 23 NO 1405")
    desk.say(EULALIO, "INC")
    return desk


FILTERS = [
    ("", {"3000", "3001", "3002"}),
    ("form=commitment", {"3002"}),
    ("category=ROB", {"3000"}),
    ("place=1413", {"3000"}),
    ("place=1413+Nebaj%2C+Quich%C3%A9", {"3000"}),
    ("place=14", {"3000", "3001", "3002"}),
    ("place=15", set()),
    ("urgent=1", {"3001"}),
    ("state=draft", set()),
    ("since=2026-03-11&until=2026-03-11", {"3001"}),
    ("since=2026-03-12", {"3002"}),
    ("until=2026-03-10", {"3000"}),
    ("category=ROB&urgent=1", set()),
    ("category='%20OR%201=1--", set()),
]


def test_reports_are_found_by_filter(four: Desk, admin: Browser) -> None:
    for query, found in FILTERS:
        assert refs(admin.get(f"/reports?{query}").text) == found, query


def test_a_number_leads_to_its_report(four: Desk, admin: Browser) -> None:
    assert admin.get("/reports?ref=R3001").headers["location"] == "/reports/3001"


def test_reports_follow_page_by_page_each_once(desk: Desk, admin: Browser) -> None:
    desk.say_all([desk.incoming(ANA, f"inc rob nebaj {number + 1} heridos") for number in range(110)])
    seen: list[str] = []
    path: str | None = "/reports?category=ROB"
    while path:
        html = admin.get(path).text
        seen += re.findall(r">R(\d{4})<", html)
        more = re.search(r'href="(/reports\?[^"]*before=[^"]+)"', html)
        path = more[1].replace("&amp;", "&") if more else None
    assert len(seen) == len(set(seen)) == 110


def act(admin: Browser, ref: int, name: str, **fields: str) -> int:
    admin.get(f"/reports/{ref}")
    report = re.search(r'action="(/reports/[0-9a-f-]{36})/act"', admin.page.text)
    assert report
    return admin.post(f"{report[1]}/act", {"act": name, **fields}).status_code


def test_closing_opening_verifying_noting_and_withdrawing_are_events(four: Desk, admin: Browser) -> None:
    assert act(admin, 3000, "verify", verification="verified", note="visto con el alcalde") == 303
    assert act(admin, 3000, "note", note="falta el croquis") == 303
    assert act(admin, 3000, "close") == 303
    assert act(admin, 3000, "reopen") == 303
    assert act(admin, 3000, "withdraw") == 303
    row = four.report(3000)
    assert (row.state, row.verification) == ("withdrawn", "verified")
    assert four.events(row.id) == ["accepted", "verified", "noted", "closed", "reopened", "withdrawn"]
    assert four.folds_differ() == []
    html = admin.get("/reports/3000").text
    assert "visto con el alcalde" in html
    assert "falta el croquis" in html
    audit = admin.get("/audit").text
    for action in ("report.verified", "report.noted", "report.closed", "report.reopened", "report.withdrawn"):
        assert action in audit
    assert "croquis" not in audit


def test_what_the_state_does_not_allow_is_refused(four: Desk, admin: Browser) -> None:
    act(admin, 3000, "close")
    assert act(admin, 3000, "close") == 409
    assert act(admin, 3000, "note", note=" ") == 400
    assert act(admin, 3000, "verify", verification="perhaps") == 400
    assert act(admin, 3000, "explode") == 400


def test_closing_an_urgent_report_closes_its_alert(four: Desk, admin: Browser) -> None:
    assert "R3001" in admin.get("/").text
    act(admin, 3001, "close")
    assert "R3001" not in admin.get("/").text


def test_an_alert_is_seen_and_handled_on_the_page(four: Desk, admin: Browser) -> None:
    row = four.report(3001)
    admin.get("/reports/3001")
    admin.post(f"/reports/{row.id}/alert", {"state": "seen"})
    assert "seen" in admin.follow().text
    admin.post(f"/reports/{row.id}/alert", {"state": "handled"})
    assert "R3001" not in admin.get("/").text
    assert "alert.handled" in admin.get("/audit").text


def test_a_correction_keeps_the_old_value_in_the_history(four: Desk, admin: Browser) -> None:
    row = four.report(3000)
    admin.get("/reports/3000")
    fields = {"category": "AME", "place": "1405", "injured": "3", "dead": "", "note": "en la plaza"}
    assert admin.post(f"/reports/{row.id}/correct", fields).status_code == 303
    row = four.report(3000)
    assert (row.category, row.place, row.fields) == ("AME", "1405", {"injured": 3})
    assert four.texts(row)["note"] == "en la plaza"
    assert four.events(row.id) == ["accepted", "corrected"]
    assert four.folds_differ() == []
    assert "<del>" in admin.follow().text


def test_a_correction_that_changes_nothing_makes_no_event(four: Desk, admin: Browser) -> None:
    row = four.report(3000)
    admin.get("/reports/3000")
    admin.post(f"/reports/{row.id}/correct", {"category": "ROB", "injured": "2", "date": "2026-03-09"})
    assert four.events(row.id) == ["accepted"]


def test_an_impossible_correction_is_explained(four: Desk, admin: Browser) -> None:
    row = four.report(3000)
    admin.get("/reports/3000")
    answer = admin.post(f"/reports/{row.id}/correct", {"category": "XXX"})
    assert answer.status_code == 400
    assert "not one of the values" in answer.text


def test_a_draft_that_is_made_whole_by_hand_gets_its_number_and_is_asked_no_more(four: Desk, admin: Browser) -> None:
    (draft,) = [row for row in four.reports() if row.state == "draft"]
    admin.get(f"/reports/{draft.id}")
    admin.post(f"/reports/{draft.id}/correct", {"category": "ROB", "place": "1405"})
    (row,) = [row for row in four.reports() if row.id == draft.id]
    assert (row.state, row.ref) == ("open", 3003)
    assert four.events(draft.id) == ["drafted", "completed"]
    open_ones = four.house.read_now(
        lambda conn: conn.execute(QUESTION.select().where(QUESTION.c.report_id == draft.id)).all()
    )
    assert {question.state for question in open_ones} == {"left"}
    assert four.folds_differ() == []


def test_two_people_who_close_at_once_make_one_event(four: Desk, admin: Browser) -> None:
    admin.get("/reports/3000")
    page, row = admin.page, four.report(3000)
    assert admin.post(f"/reports/{row.id}/act", {"act": "close"}).status_code == 303
    admin.page = page
    assert admin.post(f"/reports/{row.id}/act", {"act": "close"}).status_code == 409
    assert four.events(row.id) == ["accepted", "closed"]


def test_a_reserved_category_is_named_to_who_may_see_it_and_strangers_are_marked(desk: Desk, admin: Browser) -> None:
    desk.say(LUCIA, "INC VIF 1405")
    desk.say(STRANGER, "INC ROB 1405")
    html = admin.get("/reports").text
    assert "not registered" in html
    assert len(desk.reports()) == 2
