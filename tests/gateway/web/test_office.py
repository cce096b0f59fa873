"""Outbox, subscriptions, contacts, channels: what an admin does in a day."""

import re
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import update

from gateway.activity import Activity
from gateway.contacts import ADDRESS, CONTACT
from gateway.doctor import examine_house
from gateway.subscriptions import standing
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.desk import ANA, CHANNEL, MARTA, STRANGER, TOMAS, Desk
from tests.gateway.rows import contact_of
from tests.gateway.web.site import Browser, Site


def outbound(desk: Desk, state: str) -> UUID:
    """A confirmation that ended in `state`."""
    desk.say(ANA, "inc rob nebaj")
    key = desk.outbox()[-1].id
    values = {"state": state, "error": "unavailable" if state == "failed" else None, "attempts": 4}
    desk.house.writer.write_now(lambda conn: conn.execute(update(OUTBOUND).where(OUTBOUND.c.id == key).values(values)))
    assert isinstance(key, UUID)
    return key


def state_of(desk: Desk, key: UUID) -> str:
    return str(next(row.state for row in desk.outbox() if row.id == key))


def test_a_dead_letter_is_sent_again(desk: Desk, admin: Browser) -> None:
    key = outbound(desk, "failed")
    html = admin.get("/outbox?state=failed").text
    assert "Send again" in html
    assert "R3000 recibido" in html
    admin.post(f"/outbox/{key}/retry", {"state": "failed"})
    assert state_of(desk, key) == "queued"
    assert "outbox.retry" in admin.get("/audit").text


def test_what_was_sent_is_not_sent_again(desk: Desk, admin: Browser) -> None:
    key = outbound(desk, "delivered")
    admin.get("/outbox")
    assert admin.post(f"/outbox/{key}/retry").status_code == 409
    assert state_of(desk, key) == "delivered"


def test_what_waits_is_cancelled_and_what_is_being_sent_is_not(desk: Desk, admin: Browser) -> None:
    waits, under_way = outbound(desk, "queued"), outbound(desk, "sending")
    admin.get("/outbox")
    page = admin.page
    assert admin.post(f"/outbox/{waits}/cancel").status_code == 303
    admin.page = page
    assert admin.post(f"/outbox/{under_way}/cancel").status_code == 409
    assert (state_of(desk, waits), state_of(desk, under_way)) == ("cancelled", "sending")


def option(html: str, name: str) -> str:
    found = re.search(r'<option value="([0-9a-f-]{36})"[^>]*>' + name, html)
    assert found, name
    return found[1]


def test_a_subscription_is_added_paused_and_taken_away(desk: Desk, admin: Browser) -> None:
    html = admin.get("/subscriptions").text
    who = re.search(r'<option value="([0-9a-f-]{36})"', html)
    assert who
    fields = {"contact": who[1], "by": "sms", "hours": "6:00, 18:00", "places": "14"}
    assert admin.post("/subscriptions", fields).status_code == 303
    (row,) = desk.house.read_now(standing)
    assert (row.hours, row.places, row.by) == (["06:00", "18:00"], ["14"], "sms")
    admin.follow()
    assert admin.post("/subscriptions", fields).status_code == 400
    assert "has this subscription already" in admin.page.text
    admin.post(f"/subscriptions/{row.id}", {"act": "pause"})
    assert not desk.house.read_now(standing)[0].active
    admin.follow()
    admin.post(f"/subscriptions/{row.id}", {"act": "remove"})
    assert desk.house.read_now(standing) == []


def test_a_subscription_with_a_wrong_hour_is_explained(desk: Desk, admin: Browser) -> None:
    who = re.search(r'<option value="([0-9a-f-]{36})"', admin.get("/subscriptions").text)
    assert who
    answer = admin.post("/subscriptions", {"contact": who[1], "by": "email", "hours": "26:00"})
    assert answer.status_code == 400
    assert "Hours are written like" in answer.text


def test_a_registration_is_let_in(desk: Desk, admin: Browser) -> None:
    desk.say(STRANGER, "REGISTRO Juana Matom, Nebaj")
    assert "1 registration waits" in admin.get("/contacts").text
    html = admin.get("/contacts?status=pending").text
    assert "Juana Matom" in html
    key = re.search(r'action="(/contacts/[0-9a-f-]{36}/status)"', html)
    assert key
    admin.post(key[1], {"status": "active", "back": "list"})
    desk.say(STRANGER, "inc rob nebaj")
    assert desk.reports()[-1].registered


def test_a_contact_is_found_by_number_and_opened_with_its_whole_addresses(desk: Desk, admin: Browser) -> None:
    admin.get("/contacts")
    admin.post("/contacts/find", {"address": "5555 0101"})
    assert "+50255550101" in admin.follow().text
    assert "contact.open" in admin.get("/audit").text
    admin.get("/contacts")
    assert "No contact has that" in admin.post("/contacts/find", {"address": "5555 9999"}).text
    admin.get("/contacts")
    assert "No contact has that" in admin.post("/contacts/find", {"address": "<b>"}).text


def test_a_contact_is_added_changed_and_suspended(desk: Desk, admin: Browser) -> None:
    admin.get("/contacts")
    fields = {"name": "Petrona Brito", "role": "monitor", "home_place": "1413 Nebaj, Quiché", "phone": "5555 0777"}
    admin.post("/contacts", fields)
    path = admin.page.headers["location"]
    assert "+50255550777" in admin.follow().text
    changed = {"name": "Petrona Brito", "role": "coordinator", "places": "14, 0704", "email": "petrona@ixil.example"}
    admin.post(path, changed)
    html = admin.follow().text
    assert "petrona@ixil.example" in html
    assert "14, 0704" in html
    admin.post(f"{path}/status", {"status": "suspended"})
    desk.say("tel:+50255550777", "inc rob nebaj")
    assert not desk.reports()[-1].registered


def test_a_wrong_contact_is_explained_and_nothing_is_added(desk: Desk, admin: Browser) -> None:
    admin.get("/contacts")
    for fields, words in (
        ({"name": "", "role": "monitor", "phone": "55550777"}, "name"),
        ({"name": "P", "role": "king", "phone": "55550777"}, "role"),
        ({"name": "P", "role": "monitor", "phone": "12"}, "phone"),
        ({"name": "P", "role": "monitor", "home_place": "9999", "phone": "55550777"}, "home"),
        ({"name": "P", "role": "monitor"}, "phone"),
        ({"name": "P", "role": "monitor", "phone": "55550101"}, "Another contact"),
    ):
        answer = admin.post("/contacts", fields)
        assert answer.status_code == 400, fields
        assert words in answer.text
        assert "P</a>" not in answer.text


def test_the_last_address_of_a_contact_stays(desk: Desk, admin: Browser) -> None:
    admin.get("/contacts")
    admin.post("/contacts", {"name": "Petrona", "role": "monitor", "phone": "5555 0777"})
    path = admin.page.headers["location"]
    admin.follow()
    key = desk.house.read_now(lambda conn: _address(conn, UUID(path.rsplit("/", 1)[1])))
    assert admin.post(f"{path}/addresses/remove", {"address": str(key)}).status_code == 409


def _address(connection: object, contact_id: UUID) -> UUID:
    from gateway.standing import ADDRESS

    row = connection.execute(ADDRESS.select().where(ADDRESS.c.contact_id == contact_id)).one()  # type: ignore[attr-defined]
    assert isinstance(row.id, UUID)
    return row.id


def test_the_channels_page_gives_the_address_for_a_provider(desk: Desk, admin: Browser) -> None:
    change = update(CHANNEL).where(CHANNEL.c.name == "modem").values(kind="http")
    desk.house.writer.write_now(lambda conn: conn.execute(change))
    html = admin.get("/channels/modem").text
    assert "http://127.0.0.1:8000/in/modem</code>" in html
    assert "http://127.0.0.1:8000/in/modem/status</code>" in html


def test_a_user_is_added_and_gets_a_link_that_works_once(site: Site, desk: Desk, admin: Browser) -> None:
    admin.get("/users")
    html = admin.post("/users", {"name": "Lucas", "role": "coordinator", "contact": _contact(desk, MARTA)}).text
    link = re.search(r'<code id="link">http://127.0.0.1:8000(/setup/[^<]+)</code>', html)
    assert link
    person = site.browser()
    person.get(link[1])
    password = "maiz lluvia camino tejido"
    person.post(link[1], {"name": "lucas", "password": password, "again": password})
    assert person.follow().status_code == 200
    assert site.browser().get(link[1]).status_code == 404
    desk.say(ANA, "inc rob nebaj")
    assert person.get("/contacts").status_code == 403
    assert admin.post("/users", {"name": "lucas", "role": "admin"}).status_code == 400
    assert admin.post("/users", {"name": "a b", "role": "admin"}).status_code == 400


def _contact(desk: Desk, address: str) -> str:
    from gateway.contacts import require

    return str(desk.house.read_now(lambda conn: require(conn, address, desk.house.sealer)))


def test_a_broken_audit_log_shows(desk: Desk, admin: Browser) -> None:
    from gateway.audit import AUDIT

    admin.get("/audit")
    assert "The log is whole" in admin.post("/audit").text
    desk.house.writer.write_now(lambda conn: conn.execute(update(AUDIT).where(AUDIT.c.number == 1).values(actor="x")))
    admin.get("/audit")
    assert "broken at entry 1" in admin.post("/audit").text


def test_health_says_in_red_what_an_operator_should_put_right(site: Site, admin: Browser) -> None:
    site.web.cookies.allow_private = True
    html = admin.get("/health").text
    assert "passwords can be overheard" in html
    assert "look here" in html


def test_a_channel_without_link_is_red_with_what_waits_and_its_outages(desk: Desk, admin: Browser) -> None:
    clock = desk.house.clock
    assert isinstance(clock, HandClock)
    settle = partial(desk.house.writer.write_now, lambda _: None)
    activity = Activity(desk.house)
    activity.on_state("mail", "offline", "offline")
    settle()
    html = admin.get("/channels").text
    assert "0 waiting, oldest 0 min" in html
    assert '<span class="tag failed">offline</span>' in html
    desk.say(TOMAS, "alerta linchamiento sacapulas")
    clock.advance(timedelta(minutes=20))
    assert "1 waiting, oldest 20 min" in admin.get("/channels").text
    activity.on_state("mail", "online", "")
    settle()
    html = admin.get("/channels").text
    assert "2026-03-10 06:12-06:32" in html
    assert '<span class="tag failed">offline</span>' not in html


def test_a_personal_number_is_shown_once_and_taken_away(desk: Desk, admin: Browser) -> None:
    admin.get("/contacts")
    admin.post("/contacts/find", {"address": "5555 0101"})
    address = admin.follow().url.path
    html = admin.post(f"{address}/pin", {"act": "give"}).text
    shown = re.search(r"<strong>(\d{6})</strong>", html)
    assert shown is not None
    desk.say(STRANGER, f"ID {shown[1]} INC ROB NEBAJ")
    assert desk.reports()[0].registered
    assert shown[1] not in admin.get(address).text
    assert "Take the number away" in admin.page.text
    admin.post(f"{address}/pin", {"act": "remove"})
    assert "contact.pin.remove" in admin.get("/audit").text
    assert "Take the number away" not in admin.get(address).text


def test_a_contact_may_have_a_rhythm_and_nights_of_its_own(desk: Desk, admin: Browser) -> None:
    key = contact_of(desk.house, ANA)
    page = f"/contacts/{key}"
    typed = {"name": "Ana Cobo", "role": "monitor", "home_place": "1413", "language": "ixl"}
    admin.get(page)
    wrong = {**typed, "rhythm_days": "366", "zone": "America/Nebaj"}
    answer = admin.post(page, wrong)
    assert answer.status_code == 400
    assert "days until a sign of life, time zone" in answer.text
    admin.get(page)
    assert admin.post(page, {**typed, "rhythm_days": "0", "zone": "Europe/Madrid"}).status_code == 303
    html = admin.get(page).text
    assert 'name="rhythm_days" type="number" min="0" max="365" value="0"' in html
    assert 'value="Europe/Madrid"' in html


def test_an_address_that_nothing_reaches_is_shown_with_the_reason(desk: Desk, admin: Browser) -> None:
    at = desk.house.clock()
    values = {"failing_since": at, "failing_reason": "invalid_address"}
    desk.house.writer.write_now(
        lambda conn: conn.execute(
            update(ADDRESS).where(ADDRESS.c.address_hash == desk.house.sealer.hash("address", ANA)).values(values)
        )
    )
    assert "cannot be reached: no such address" in admin.get(f"/contacts/{contact_of(desk.house, ANA)}").text


def test_who_is_silent_is_marked_in_the_list(desk: Desk, admin: Browser) -> None:
    assert "silent for long" not in admin.get("/contacts?role=monitor").text
    long_ago = desk.house.clock() - timedelta(days=8)
    key = contact_of(desk.house, ANA)
    desk.house.writer.write_now(
        lambda conn: conn.execute(update(CONTACT).where(CONTACT.c.id == key).values(last_heard_at=long_ago))
    )
    assert admin.get("/contacts?role=monitor").text.count("silent for long") == 1
    told = [found.words for found in examine_house(desk.house) if found.about == "contacts"]
    assert any(words.startswith("1 people are silent") for words in told)


def test_the_wish_is_changed_on_the_page_of_the_contact(admin: Browser, desk: Desk) -> None:
    page = f"/contacts/{contact_of(desk.house, ANA)}"
    admin.get(page)
    typed = {"name": "Ana", "role": "monitor", "language": "es", "answer_by": "mailto"}
    assert admin.post(page, typed).status_code == 303
    assert '<option value="mailto" selected>' in admin.follow().text
    assert admin.post(page, {**typed, "answer_by": "carrier pigeon"}).status_code == 400
