"""Coordinators see, preview and change their own digests; the link in a mail pauses one by a POST alone."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gateway import subscriptions
from gateway.digests.post import stop_token
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, MARTA, Desk
from tests.gateway.rows import contact_of
from tests.gateway.web.site import Browser, Site


def subscribe(desk: Desk, address: str, by: str = "email") -> UUID:
    house = desk.house
    wish = subscriptions.make_wish(by, "06:00,18:00", "", house.read_now(house.codebook).places)
    key = contact_of(house, address)
    return house.writer.write_now(lambda conn: subscriptions.add(conn, key, wish, now=house.clock(), actor="cli"))


def rows(desk: Desk) -> list[Any]:
    return desk.house.read_now(subscriptions.standing)


@pytest.fixture
def marta(site: Site, desk: Desk) -> Browser:
    return site.logged_in("coordinator", MARTA, "marta")


def test_a_coordinator_adds_and_changes_the_own_digest_and_no_other(desk: Desk, marta: Browser) -> None:
    others = subscribe(desk, EULALIO)
    page = marta.get("/subscriptions")
    assert "Eulalio" not in page.text
    fields = {"by": "both", "hours": "7:30", "every": "week", "weekday": "friday", "attach": "csv"}
    assert marta.post("/subscriptions", fields).status_code == 303
    mine = rows(desk)[1]
    assert mine.contact_id == contact_of(desk.house, MARTA)
    assert (mine.by, mine.hours, mine.every, mine.weekday, mine.attach) == ("both", ["07:30"], "week", 4, "csv")
    marta.get(f"/subscriptions/{mine.id}")
    changed = {"by": "sms", "hours": "", "every": "month", "month_day": "31", "when_empty": "silent", "language": "en",
               "forms": ["incident", "urgent"], "categories": "ROB", "detail": "brief", "catch_up": "each"}  # fmt: skip
    assert marta.post(f"/subscriptions/{mine.id}/wish", changed).status_code == 303
    mine = rows(desk)[1]
    assert (mine.by, mine.hours, mine.every, mine.weekday, mine.month_day) == ("sms", [], "month", None, 31)
    assert (mine.when_empty, mine.language, mine.detail, mine.catch_up) == ("silent", "en", "brief", "each")
    assert (mine.forms, mine.categories, mine.attach) == (["incident", "urgent"], ["ROB"], "none")
    for method in (marta.get, marta.post):
        marta.get("/subscriptions")
        assert method(f"/subscriptions/{others}").status_code == 404
    assert rows(desk)[0].active


def test_a_coordinator_asks_for_no_places_of_others(desk: Desk, marta: Browser) -> None:
    marta.get("/subscriptions")
    refused = marta.post("/subscriptions", {"by": "email", "hours": "06:00", "places": "1405,13"})
    assert refused.status_code == 400
    assert "not all yours" in refused.text
    assert rows(desk) == []
    assert marta.post("/subscriptions", {"by": "email", "hours": "06:00", "places": "1405"}).status_code == 303


def test_a_coordinator_pauses_and_takes_up_again(desk: Desk, marta: Browser) -> None:
    key = subscribe(desk, MARTA)
    marta.get("/subscriptions")
    marta.post(f"/subscriptions/{key}", {"act": "pause"})
    assert [(row.active, row.pause_reason) for row in rows(desk)] == [(False, "self")]
    marta.follow()
    marta.post(f"/subscriptions/{key}", {"act": "resume"})
    assert [(row.active, row.pause_reason) for row in rows(desk)] == [(True, None)]


def test_the_preview_shows_what_would_be_told_and_tells_nothing(desk: Desk, marta: Browser, clock: HandClock) -> None:
    key = subscribe(desk, MARTA, "both")
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos camino a la escuela")
    (report,) = desk.reports()
    clock.advance(timedelta(minutes=1))
    for _ in range(2):
        page = marta.get(f"/subscriptions/{key}")
        assert page.status_code == 200
        assert f"R{report.ref}" in page.text
        assert "escuela" not in page.text
        frame = marta.get(f"/subscriptions/{key}/mail")
        assert f"R{report.ref}" in frame.text
        assert "sandbox" in frame.headers["content-security-policy"]
    assert [row.kind for row in desk.outbox()] == ["confirmation"]


def test_only_a_post_to_the_link_of_a_mail_pauses(desk: Desk, site: Site) -> None:
    key = subscribe(desk, MARTA)
    path = f"/unsubscribe/{stop_token(key, desk.house.sealer)}"
    reader = site.browser()
    assert "Pause this digest" in reader.get(path).text
    assert rows(desk)[0].active
    answer = reader.post(path, {"List-Unsubscribe": "One-Click"}, sec_fetch_site="cross-site")
    assert answer.status_code == 200
    assert "is paused" in answer.text
    assert [(row.active, row.pause_reason) for row in rows(desk)] == [(False, "unsubscribed")]
    assert reader.post(path).status_code == 200
    assert reader.post(f"{path}/undo").status_code == 200
    assert rows(desk)[0].active


def test_a_link_does_not_take_up_what_an_admin_paused(desk: Desk, site: Site) -> None:
    key = subscribe(desk, MARTA)
    desk.house.writer.write_now(
        lambda conn: subscriptions.set_active(conn, key, False, now=desk.house.clock(), actor="cli")
    )
    path = f"/unsubscribe/{stop_token(key, desk.house.sealer)}"
    assert "Get it again" not in site.browser().get(path).text
    site.browser().post(f"{path}/undo")
    assert not rows(desk)[0].active


@pytest.mark.parametrize("spoil", ["cut", "changed", "other", "empty"])
def test_a_link_that_is_not_ours_opens_nothing(desk: Desk, site: Site, spoil: str) -> None:
    key, other = subscribe(desk, MARTA), subscribe(desk, EULALIO)
    token, foreign = stop_token(key, desk.house.sealer), stop_token(other, desk.house.sealer)
    bad = {
        "cut": token[:-3],
        "changed": token[:30] + ("A" if token[30] != "A" else "B") + token[31:],
        "other": foreign[:21] + token[21:],
        "empty": "é",
    }[spoil]
    assert site.browser().get(f"/unsubscribe/{bad}").status_code == 404
    assert site.browser().post(f"/unsubscribe/{bad}").status_code == 404
    assert all(row.active for row in rows(desk))


def test_the_link_works_from_outside_over_plain_http(desk: Desk, site: Site) -> None:
    """Nothing secret travels to it; logins stay on this machine."""
    key = subscribe(desk, MARTA)
    outside = site.browser(client=("203.0.113.9", 4711), base="http://203.0.113.1")
    path = f"/unsubscribe/{stop_token(key, desk.house.sealer)}"
    assert re.search(r"<button>", outside.get(path).text)
