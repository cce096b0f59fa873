"""The person's word on two reports that may tell of one event."""

import re
from datetime import timedelta

from gateway.incoming import File
from gateway.same_event import propose
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, GASPAR, MARTA, Desk
from tests.gateway.web.site import Browser, Site


def two_sources(desk: Desk, clock: HandClock) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(GASPAR, "INC ROB NEBAJ ayer eran tres hombres")
    clock.advance(timedelta(minutes=1))
    propose(desk.house)


def address_of(browser: Browser) -> str:
    found = re.search(r'action="(/same-event/[0-9a-f-]{36})"', browser.page.text)
    assert found is not None
    return found[1]


def test_a_coordinator_confirms_a_source_from_the_list(desk: Desk, site: Site, clock: HandClock) -> None:
    two_sources(desk, clock)
    marta = site.logged_in("coordinator", MARTA)
    html = marta.get("/same-event").text
    assert "another source" in html
    assert "R3000" in html
    assert "R3001" in html
    marta.post(address_of(marta), {"state": "confirmed"})
    assert "Nothing waits for your word." in marta.follow().text
    html = marta.get("/reports/3001").text
    assert "2 independent sources" in html
    assert "the other source is R3000" in html
    assert {row.verification for row in desk.reports()} == {"corroborated"}
    assert "same_event.confirmed" in site.logged_in("admin").get("/audit").text


def test_it_is_refused_from_the_page_of_the_report(desk: Desk, site: Site, clock: HandClock) -> None:
    two_sources(desk, clock)
    admin = site.logged_in("admin")
    admin.get("/reports/3000")
    assert "possible" not in admin.page.text
    admin.post(address_of(admin), {"state": "refused", "back": str(desk.report(3000).id)})
    assert "Same event?</h2>" not in admin.follow().text
    assert admin.page.url.path.endswith(str(desk.report(3000).id))
    assert {row.verification for row in desk.reports()} == {"unverified"}


def test_a_coordinator_of_another_place_sees_and_settles_nothing(desk: Desk, site: Site, clock: HandClock) -> None:
    two_sources(desk, clock)
    admin = site.logged_in("admin")
    admin.get("/same-event")
    address = address_of(admin)
    other = site.logged_in("coordinator", EULALIO)
    assert "Nothing waits for your word." in other.get("/same-event").text
    assert other.post(address, {"state": "confirmed"}).status_code == 404
    assert {row.verification for row in desk.reports()} == {"unverified"}


def test_the_page_of_a_mail_names_its_files_and_marks(desk: Desk, site: Site) -> None:
    kept = desk.say(
        "mailto:nebaj1@monitores.example", "inc rob nebaj ayer", channel="mail", proof="fail",
        files=(File("<b>foto</b>.jpg", "image/jpeg", 12345, "ab" * 32),),
    )  # fmt: skip
    html = site.logged_in("admin").get(f"/messages/{kept.message_id}").text
    assert "&lt;b&gt;foto&lt;/b&gt;.jpg" in html
    assert "12345 bytes" in html
    assert "our mail server does not vouch for the author" in html
