"""The pages of alerts: the list, one alert, the link of a mail, and the rules."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.alerts import ACT, ALERT
from gateway.audit import AUDIT
from tests.conftest import HandClock
from tests.gateway.alerts.crew import EULALIO_MAIL, MARTA_MAIL, PETRONA, alerts, later, set_contact
from tests.gateway.desk import ANA, EULALIO, MARTA, STRANGER, TOMAS, Desk
from tests.gateway.web.site import Browser, Site

LYNCHING = "ALERTA LIN 1416 turba en el parque"
LINK = re.compile(r"http://[^\s]+(/acknowledge/[\w-]+)")


@pytest.fixture
def marta(site: Site, desk: Desk) -> Browser:
    desk.say(TOMAS, LYNCHING)
    return site.logged_in("coordinator", MARTA, "marta")


def link_of(desk: Desk, mail: str) -> str:
    found = LINK.search(desk.told(mail)[0])
    assert found is not None
    return found[1]


def test_the_list_shows_open_alerts_first_and_a_button(marta: Browser, desk: Desk) -> None:
    desk.say(MARTA, "VISTO 3000")
    desk.say(ANA, "ALERTA BAL 1413 disparos")
    html = marta.get("/alerts").text
    assert html.index("R3001") < html.index("R3000")
    marta.post("/alerts/3001", {"act": "seen"})
    assert marta.follow().status_code == 200
    assert {alert.state for alert in alerts(desk)} == {"seen"}


def test_visto_on_the_page_tells_the_others_as_visto_by_sms_does(marta: Browser, desk: Desk, clock: HandClock) -> None:
    later(desk, clock, 15)
    marta.get("/alerts/3000")
    marta.post("/alerts/3000", {"act": "seen"})
    assert desk.told(EULALIO)[-1].startswith("R3000 la atiende Marta")
    assert desk.told(TOMAS)[-1].startswith("R3000: su alerta fue vista")
    later(desk, clock, 60)
    assert len(desk.told("tel:+50255550301")) == 0
    desk.say(MARTA, "VISTO 3000")
    assert len(desk._rows(select(ACT))) == 1


def test_handled_closed_and_noted(marta: Browser, desk: Desk) -> None:
    marta.get("/alerts/3000")
    for act in ({"act": "handled"}, {"act": "note", "note": "fui con la pnc"}, {"act": "closed"}):
        marta.post("/alerts/3000", act)
        html = marta.follow().text
    assert (alerts(desk)[0].state, desk.report(3000).state) == ("closed", "closed")
    assert desk.events(desk.report(3000).id) == ["accepted", "noted", "closed"]
    assert "fui con la pnc" in html
    actions = [row.action for row in desk._rows(select(AUDIT).order_by(AUDIT.c.number))]
    assert [one for one in actions if one.startswith(("alert", "report"))] == [
        "alert.handled", "report.noted", "alert.closed", "report.closed",
    ]  # fmt: skip
    for act in ("seen", "handled", "closed"):
        assert f'value="{act}"' not in html


def test_a_coordinator_sees_the_own_places_and_what_was_sent_to_him(site: Site, desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    eulalio = site.logged_in("coordinator", EULALIO, "eulalio")
    petrona = site.logged_in("coordinator", PETRONA, "petrona")
    assert eulalio.get("/alerts/3000").status_code == 404
    later(desk, clock, 15)
    assert "Eulalio" in eulalio.get("/alerts/3000").text
    assert "R3000" in eulalio.get("/alerts").text
    for browser in (petrona, site.logged_in("analyst")):
        assert browser.get("/alerts/3000").status_code in (403, 404)
        browser.get("/account")
        assert browser.post("/alerts/3000", {"act": "seen"}).status_code in (403, 404)
    assert alerts(desk)[0].state == "open"


def test_the_story_of_a_report_stands_in_one_line_of_time(site: Site, desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    later(desk, clock, 15)
    clock.advance(timedelta(minutes=3))
    desk.say(EULALIO, "VISTO 3000")
    clock.advance(timedelta(minutes=15))
    desk.say(MARTA, "VISTO 3000")
    clock.advance(timedelta(minutes=11))
    desk.say(TOMAS, "corregir 3000 tipo lev")
    marta = site.logged_in("coordinator", MARTA, "marta")
    for path in ("/alerts/3000", "/reports/3000"):
        html = marta.get(path).text
        told = html[html.index("What happened") :]
        order = (
            "text heard", "accepted", "alert opened", "alerted", "Marta Brito", "escalated, step 1", "Eulalio Mendez",
            "alert: seen", "corrected", "Lynching averted", "receivers told that it is over",
        )  # fmt: skip
        at = 0
        for word in order:
            found = told.lower().find(word.lower(), at)
            assert found >= 0, (path, word)
            at = found


def test_opening_the_link_of_a_mail_acknowledges_nothing(site: Site, desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    phone = site.browser()
    for _ in range(3):
        page = phone.get(link_of(desk, MARTA_MAIL))
        assert page.status_code == 200
    assert "ALERTA R3000: Linchamiento, Sacapulas" in page.text
    assert "turba" not in page.text
    assert "Tomas" not in page.text
    assert alerts(desk)[0].state == "open"


def test_its_button_acknowledges_without_a_login(site: Site, desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    later(desk, clock, 15)
    phone, path = site.browser(), link_of(desk, EULALIO_MAIL)
    phone.get(path)
    phone.post(path)
    assert "Eulalio attends to it since 06:27" in phone.follow().text
    assert desk.told(MARTA)[-1].startswith("R3000 la atiende Eulalio")
    (act,) = desk._rows(select(ACT))
    assert (act.type, act.way) == ("seen", "link")
    other = site.browser()
    other.get(link_of(desk, MARTA_MAIL))
    other.post(link_of(desk, MARTA_MAIL))
    assert len(desk._rows(select(ACT))) == 2


def test_a_post_without_the_form_acknowledges_nothing(site: Site, desk: Desk) -> None:
    desk.say(TOMAS, LYNCHING)
    browser = site.browser()
    assert browser.post(link_of(desk, MARTA_MAIL)).status_code == 403
    assert alerts(desk)[0].state == "open"


def test_a_link_that_was_changed_or_is_old_opens_nothing(site: Site, desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, LYNCHING)
    browser, path = site.browser(), link_of(desk, MARTA_MAIL)
    swapped = path[:-6] + ("A" if path[-6] != "A" else "B") + path[-5:]
    for bad in (swapped, path[:-1], path + "A", "/acknowledge/" + "A" * 75, "/acknowledge/%C3%B1"):
        assert browser.get(bad).status_code == 404, bad
    set_contact(desk, MARTA, status="suspended")
    assert browser.get(path).status_code == 404
    set_contact(desk, MARTA, status="active")
    clock.advance(timedelta(days=3))
    assert browser.get(path).status_code == 404


def test_a_reserved_case_is_not_named_behind_the_link(site: Site, desk: Desk) -> None:
    desk.say(TOMAS, "ALERTA violacion de una nina en 1416")
    assert "caso reservado" in site.browser().get(link_of(desk, MARTA_MAIL)).text


def test_rules_are_added_paused_and_taken_away_on_their_page(admin: Browser, desk: Desk) -> None:
    assert "urgente" in admin.get("/alert-rules").text
    admin.post("/alert-rules", {"name": "robos en Nebaj", "categories": "ROB", "places": "1413"})
    assert "robos en Nebaj" in admin.follow().text
    desk.say(ANA, "INC ROB NEBAJ")
    assert desk.told(MARTA)[0].startswith("ALERTA R3000: Robo o asalto, ")
    assert not desk.report(3000).urgent
    assert desk.told(ANA)[0].startswith("R3000 recibido: Robo")
    rule = desk._rows(select(ALERT.c.rule_id))[0].rule_id
    admin.post(f"/alert-rules/{rule}", {"act": "pause"})
    desk.say(ANA, "INC ROB NEBAJ ayer")
    assert len(alerts(desk)) == 1
    admin.get("/alert-rules")
    admin.post(f"/alert-rules/{rule}", {"act": "remove"})
    assert "robos en Nebaj" not in admin.follow().text
    actions = {row.action for row in desk._rows(select(AUDIT))}
    assert {"alert_rule.add", "alert_rule.pause", "alert_rule.remove"} <= actions


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"name": "x"}, {"name": "x", "categories": "NOPE"}, {"name": "x", "places": "9999"},
        {"name": "x", "reports": "3"}, {"name": "x", "reports": "1", "days": "3"}, {"name": "x", "words": "..."},
        {"name": "x" * 81, "urgent": "1"}, {"name": "x", "words": "," * 10},
    ],
)  # fmt: skip
def test_a_rule_that_cannot_stand_is_refused_with_words(admin: Browser, fields: dict[str, str]) -> None:
    admin.get("/alert-rules")
    answer = admin.post("/alert-rules", fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text


def test_the_pages_warn_when_urgent_reports_would_not_be_alerted(admin: Browser, desk: Desk) -> None:
    html = admin.get("/alert-rules").text
    rule = re.search(r'action="/alert-rules/([0-9a-f-]{36})"', html)
    assert rule is not None
    admin.post(f"/alert-rules/{rule[1]}", {"act": "pause"})
    assert "No rule alerts every urgent report" in admin.follow().text
    assert "no rule alerts every urgent report" in admin.get("/health").text
    desk.say(STRANGER, LYNCHING)
    assert alerts(desk) == []


def test_the_health_page_names_where_monitors_have_no_coordinator(admin: Browser, desk: Desk) -> None:
    assert "where no monitor lives" in admin.get("/health").text
    set_contact(desk, EULALIO, status="left")
    html = admin.get("/health").text
    assert "where monitors live" in html
    assert "(1305)" in html
