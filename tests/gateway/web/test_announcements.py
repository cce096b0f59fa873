"""Announcements and limits on the pages."""

import re

from gateway.announcing import queue_announcements
from gateway.limits import load
from tests.gateway.desk import ANA, MARTA, Desk
from tests.gateway.rows import contact_of
from tests.gateway.web.site import Browser, Site

TEXT = "Reunion el viernes a las 9"


def shown(browser: Browser, **typed: str) -> dict[str, str]:
    """The preview, and the fields of its form."""
    browser.get("/announcements")
    answer = browser.post("/announcements/preview", {"text": TEXT, **typed})
    assert answer.status_code == 200, answer.text
    return dict(re.findall(r'<input type="hidden" name="(key|text|to|contact|place)" value="([^"]*)">', answer.text))


def announced(desk: Desk) -> int:
    return sum(row.kind == "announcement" for row in desk.outbox())


def test_an_announcement_is_shown_then_sent_once(desk: Desk, admin: Browser) -> None:
    fields = shown(admin, to="place", place="14 Quiche")
    html = admin.page.text
    assert f"<blockquote>{TEXT}</blockquote>" in html
    assert re.search(r"People who get it</dt><dd>6<", html)
    assert announced(desk) == 0
    page = admin.page
    for _ in range(2):
        admin.page = page
        assert admin.post("/announcements", fields).status_code == 303
    queue_announcements(desk.house)
    assert announced(desk) == 6
    assert "6 queued" in admin.get("/announcements").text


def test_a_coordinator_writes_to_the_own_places_and_sees_the_own_announcements(
    desk: Desk, site: Site, admin: Browser
) -> None:
    admin_fields = shown(admin, to="all")
    admin.post("/announcements", admin_fields)
    marta = site.logged_in("coordinator", MARTA)
    fields = shown(marta, to="all")
    assert re.search(r"People who get it</dt><dd>10<", marta.page.text)
    marta.post("/announcements", fields)
    html = marta.get("/announcements").text
    assert "(10)" in html
    assert "(25)" not in html
    assert "Lucia Tzul" not in html
    lucia = str(contact_of(desk.house, "tel:+50255550115"))
    for typed in ({"to": "contact", "contact": lucia}, {"to": "place", "place": "08"}):
        marta.get("/announcements")
        assert marta.post("/announcements/preview", {"text": TEXT, **typed}).status_code == 400
    marta.get("/announcements")
    assert marta.post("/announcements", {**fields, "key": "x"}).status_code == 404
    queue_announcements(desk.house)
    assert announced(desk) == 35


def test_one_person_is_chosen_by_name(desk: Desk, admin: Browser) -> None:
    ana = str(contact_of(desk.house, ANA))
    admin.post("/announcements", shown(admin, to="contact", contact=ana))
    queue_announcements(desk.house)
    assert desk.told(ANA) == [TEXT]
    assert "Ana Cobo (1)" in admin.get("/announcements").text


def test_a_text_that_is_too_long_is_shown_again(desk: Desk, admin: Browser) -> None:
    admin.get("/announcements")
    answer = admin.post("/announcements/preview", {"text": "x" * 161, "to": "all"})
    assert answer.status_code == 400
    assert "x" * 161 in answer.text


def test_a_limit_is_changed_and_given_back_its_default(desk: Desk, admin: Browser) -> None:
    admin.get("/limits")
    admin.post("/limits/rhythm_days", {"value": "10"})
    assert desk.house.read_now(load).whole("rhythm_days") == 10
    admin.get("/limits")
    assert admin.post("/limits/rhythm_days", {"value": "1000"}).status_code == 400
    assert admin.post("/limits/rhythm_days", {"value": ""}).status_code == 303
    assert desk.house.read_now(load).whole("rhythm_days") == 7
    admin.get("/limits")
    assert admin.post("/limits/colour", {"value": "red"}).status_code == 404
    assert {"limit.change", "limit.reset"} <= set(re.findall(r"limit\.\w+", admin.get("/audit").text))
