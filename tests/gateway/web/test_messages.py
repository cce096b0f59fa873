import re
from datetime import timedelta

from gateway.reports import REPORT
from tests.conftest import HandClock
from tests.gateway.desk import ANA, CONCEPCION, EULALIO, LUCIA, MARTA, STRANGER, Desk
from tests.gateway.web.site import Browser, Site

COORDINATOR_OF_QUICHE = MARTA


def test_unread_texts_stand_on_top_of_newer_ones(desk: Desk, admin: Browser, clock: HandClock) -> None:
    desk.say(ANA, "zzzz qqqq")
    clock.advance(timedelta(minutes=10))
    desk.say(ANA, "inc rob nebaj")
    html = admin.get("/messages").text
    assert html.index("zzzz qqqq") < html.index("inc rob nebaj")
    assert "1 text waits to be read by hand" in html


def test_the_list_is_narrowed_by_state(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "zzzz qqqq")
    desk.say(ANA, "inc rob nebaj")
    html = admin.get("/messages?state=read").text
    assert "inc rob nebaj" in html
    assert "zzzz qqqq" not in html


def test_older_texts_follow_page_by_page_each_once(desk: Desk, admin: Browser, clock: HandClock) -> None:
    batch = []
    for number in range(120):
        if number % 3 == 0:
            clock.advance(timedelta(seconds=7))
        batch.append(desk.incoming(ANA, f"inc rob nebaj hace {number} dias palabra{number}x"))
    desk.say_all(batch)
    seen: list[str] = []
    path: str | None = "/messages"
    while path:
        html = admin.get(path).text
        seen += re.findall(r"palabra(\d+)x", html)
        more = re.search(r'href="(/messages\?before=[^"]+)"', html)
        path = more[1] if more else None
    assert len(seen) == 120
    assert set(seen) == {str(number) for number in range(120)}


def test_what_people_write_is_shown_as_text_never_as_html(desk: Desk, admin: Browser) -> None:
    evil = '<script>alert(1)</script> inc rob nebaj "><img src=x onerror=alert(1)>{{7*7}}'
    desk.say(ANA, evil)
    for path in ("/messages", f"/messages/{desk.messages()[0].id}", f"/reports/{desk.reports()[0].id}"):
        html = admin.get(path).text
        assert "<script>alert" not in html, path
        assert "<img" not in html, path
        assert "&lt;script&gt;" in html, path


def test_a_message_shows_how_it_was_read_and_what_was_answered(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    html = admin.get(f"/messages/{desk.messages()[0].id}").text
    for words in (
        "Nebaj, Quiché",
        "Robbery",
        "2026-03-09",
        "R3000 recibido",
        "understood",
        ">rob</mark>",
        ">nebaj</mark>",
    ):
        assert words in html, words


def test_a_coordinator_sees_only_what_concerns_the_own_places(site: Site, desk: Desk) -> None:
    desk.say(ANA, "inc rob nebaj")
    desk.say(ANA, "inc rob totonicapan centro")
    desk.say(LUCIA, "inc rob totonicapan")
    desk.say(LUCIA, "inc ame nebaj")
    desk.say(STRANGER, "zzzz qqqq")
    marta = site.logged_in("coordinator", MARTA)
    places = marta.site.house.read_now(lambda conn: _places(conn, site, MARTA))
    html = marta.get("/messages").text
    shown = {text for text in ("inc rob nebaj", "inc rob totonicapan", "inc ame nebaj", "zzzz qqqq") if text in html}
    mine = [row for row in desk.reports() if row.place in places or (row.place or "")[:2] in places]
    assert "zzzz qqqq" not in shown
    assert 0 < len(mine) < 4
    for row in desk.reports():
        expected = 200 if row in mine else 404
        assert marta.get(f"/reports/{row.id}").status_code == expected
    strange = desk.messages()[-1]
    assert marta.get(f"/messages/{strange.id}").status_code == 404


def _places(connection: object, site: Site, address: str) -> tuple[str, ...]:
    from gateway.contacts import people, require

    key = require(connection, address, site.house.sealer)  # type: ignore[arg-type]
    return people(connection, site.house.sealer, only=[key])[0].places  # type: ignore[arg-type]


def test_a_coordinator_without_a_contact_sees_nothing(site: Site, desk: Desk) -> None:
    desk.say(ANA, "inc rob nebaj")
    nobody = site.logged_in("coordinator")
    assert "inc rob nebaj" not in nobody.get("/messages").text
    assert nobody.get("/reports/3000").status_code == 404


def test_an_answer_to_the_poll_is_shown_to_nobody(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "ENC SI ROB NO MIEDO 2")
    desk.say(EULALIO, "ENC SI")
    html = admin.get("/messages").text
    assert "MIEDO" not in html
    assert "ENC SI" not in html
    for message in desk.messages():
        page = admin.get(f"/messages/{message.id}").text
        assert "MIEDO" not in page
        assert "ENC SI" not in page


def test_a_text_read_by_hand_becomes_a_report_with_number_and_confirmation(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "zzzz qqqq")
    message = desk.messages()[0]
    admin.get(f"/messages/{message.id}?form=incident")
    fields = {
        "form": "incident",
        "category": "ROB",
        "place": "1413 Nebaj, Quiché",
        "date": "2026-03-09",
        "injured": "2",
    }
    admin.post(f"/messages/{message.id}/report", fields)
    assert "R3000" in admin.follow().text
    (report,) = desk.reports()
    assert (report.category, report.place, report.fields, report.ref) == ("ROB", "1413", {"injured": 2}, 3000)
    assert desk.message(message.id).state == "read"
    assert desk.told(ANA)[-1].startswith("R3000 recibido: Robo")
    assert desk.folds_differ() == []
    assert "message.read_by_hand" in admin.get("/audit").text


def test_an_urgent_text_read_by_hand_alerts_the_coordinators(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "zzzz qqqq")
    message = desk.messages()[0]
    admin.get(f"/messages/{message.id}")
    admin.post(
        f"/messages/{message.id}/report",
        {"form": "incident", "category": "ALN", "place": "1413", "date": "2026-03-10", "urgent": "yes"},
    )
    assert [row.kind for row in desk.outbox()].count("alert") > 0
    assert "R3000" in admin.get("/").text


def test_reading_by_hand_says_what_lacks_and_keeps_what_was_typed(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "zzzz qqqq")
    path = f"/messages/{desk.messages()[0].id}"
    admin.get(path)
    answer = admin.post(f"{path}/report", {"form": "incident", "place": "1413", "injured": "7"})
    assert answer.status_code == 400
    assert "This is needed." in answer.text
    assert 'value="7"' in answer.text
    for field, value, words in (
        ("date", "2026-03-11", "has not come yet"), ("injured", "x", "must be a number"),
        ("place", "9999", "not one of"),
        ("category", "XXX", "not one of"),
    ):  # fmt: skip
        fields = {"form": "incident", "category": "ROB", "place": "1413", field: value}
        assert words in admin.post(f"{path}/report", fields).text
    assert desk.reports() == []


def test_a_text_is_settled_by_hand_only_once(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "zzzz qqqq")
    path = f"/messages/{desk.messages()[0].id}"
    fields = {"form": "incident", "category": "ROB", "place": "1413"}
    admin.get(path)
    page = admin.page
    assert admin.post(f"{path}/report", fields).status_code == 303
    admin.page = page
    assert admin.post(f"{path}/report", fields).status_code == 409
    admin.page = page
    assert admin.post(f"{path}/spam").status_code == 409
    assert len(desk.reports()) == 1


def test_nothing_is_answered_to_who_said_baja(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "zzzz qqqq")
    desk.say(ANA, "BAJA")
    before = len(desk.told(ANA))
    path = f"/messages/{desk.messages()[0].id}"
    admin.get(path)
    admin.post(f"{path}/report", {"form": "incident", "category": "ROB", "place": "1413"})
    assert len(desk.reports()) == 1
    assert len(desk.told(ANA)) == before


def test_spam_is_put_aside_and_can_still_be_read(desk: Desk, admin: Browser) -> None:
    desk.say(CONCEPCION, "zzzz qqqq")
    path = f"/messages/{desk.messages()[0].id}"
    admin.get(path)
    admin.post(f"{path}/spam")
    assert desk.messages()[0].state == "spam"
    assert "waits to be read" not in admin.get("/messages").text
    admin.get(path)
    assert admin.post(f"{path}/report", {"form": "incident", "category": "ROB", "place": "1413"}).status_code == 303


def test_reports_by_hand_of_strangers_stay_out_of_the_totals(desk: Desk, admin: Browser) -> None:
    desk.say(STRANGER, "zzzz qqqq")
    path = f"/messages/{desk.messages()[0].id}"
    admin.get(path)
    admin.post(f"{path}/report", {"form": "incident", "category": "ROB", "place": "1413"})
    row = desk.house.read_now(lambda conn: conn.execute(REPORT.select()).one())
    assert not row.registered
    assert "<strong>0</strong>reports today" in admin.get("/").text
