"""The phone in the browser and the mailbox."""

import re

import pytest
from uuid_utils.compat import uuid7

from gateway.web.mailbox import FRAME_POLICY, clean
from outbox.rows import NewMessage, enqueue
from tests.gateway.desk import ANA, Desk
from tests.gateway.web.site import Browser


@pytest.fixture
def phone(desk: Desk, admin: Browser) -> Browser:
    """The page with the phone of +502 5555 0101 taken."""
    desk.house.intake = desk.intake
    admin.get("/simulator")
    admin.post("/simulator", {"typed": "5555 0101"})
    return admin


def test_a_text_written_on_the_phone_becomes_a_report_and_its_answer_comes_back(desk: Desk, phone: Browser) -> None:
    phone.post("/simulator/write", {"number": "+50255550101", "text": "inc rob nebaj ayer 2 heridos"})
    (report,) = desk.reports()
    assert (report.category, report.place, report.registered) == ("ROB", "1413", True)
    assert "R3000 recibido" in phone.page.text
    assert phone.page.text.index("R3000 recibido") < phone.page.text.index("inc rob nebaj")


def test_the_live_phone_gets_the_talk_alone(desk: Desk, phone: Browser) -> None:
    page = phone.page
    phone.post("/simulator/write", {"number": "+50255550101", "text": "inc rob nebaj"}, hx_request="true")
    assert "<html" not in phone.page.text
    assert '<textarea name="text" rows="2" maxlength="1600" required autofocus></textarea>' in phone.page.text
    phone.page = page
    talk = phone.post("/simulator/talk", {"number": "+50255550101"}, hx_request="true").text
    assert "inc rob nebaj" in talk
    assert "R3000" in talk


def test_the_same_words_twice_are_two_texts(desk: Desk, phone: Browser) -> None:
    page = phone.page
    for _ in range(2):
        phone.page = page
        phone.post("/simulator/write", {"number": "+50255550101", "text": "inc rob nebaj"})
    assert [message.state for message in desk.messages()] == ["read", "duplicate"]


def test_a_phone_of_the_list_is_taken_without_its_number_in_the_page(desk: Desk, admin: Browser) -> None:
    html = admin.get("/simulator").text
    option = re.search(r'<option value="([0-9a-f-]{36})">Ana Cobo', html)
    assert option
    assert "+50255550101" in admin.post("/simulator", {"contact": option[1]}).text


NO_NUMBERS = ["", "12", "<script>", "raw:x"]


def test_what_is_no_number_is_refused(phone: Browser, desk: Desk) -> None:
    for number in NO_NUMBERS:
        assert phone.post("/simulator/write", {"number": number, "text": "inc rob nebaj"}).status_code == 400
        assert desk.messages() == []


def test_without_an_intake_the_phone_says_so(desk: Desk, admin: Browser) -> None:
    admin.get("/simulator")
    admin.post("/simulator", {"typed": "5555 0101"})
    answer = admin.post("/simulator/write", {"number": "+50255550101", "text": "inc rob nebaj"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The gateway is busy" in answer.text
    assert ">inc rob nebaj</textarea>" in answer.text


def send_mail(desk: Desk, html: str) -> str:
    key = uuid7()
    message = NewMessage(
        key, "digest", "mail", "mailto:eulalio@ixil.example", "3 reportes", subject="Resumen <b>hoy</b>", html=html
    )
    sealer, now = desk.house.sealer, desk.house.clock()
    desk.house.writer.write_now(lambda conn: enqueue(conn, [message], seals=sealer, now=now))
    return str(key)


def test_a_mail_is_shown_with_its_html_in_a_frame_that_can_do_nothing(desk: Desk, admin: Browser) -> None:
    key = send_mail(
        desk, "<h1 style='color:#222'>Resumen</h1><script>alert(1)</script><img src='http://x.example/p.gif'>"
    )
    html = admin.get("/mailbox").text
    assert "Resumen &lt;b&gt;hoy&lt;/b&gt;" in html
    assert "e***@ixil.example" in html
    page = admin.get(f"/mailbox/{key}").text
    assert f'sandbox src="/mailbox/{key}/html"' in page
    assert "3 reportes" in page
    frame = admin.get(f"/mailbox/{key}/html")
    assert frame.headers["content-security-policy"] == FRAME_POLICY
    assert "sandbox" in FRAME_POLICY
    assert "<h1 style=" in frame.text
    assert "script" not in frame.text
    assert "http://x.example" not in frame.text


def test_answers_by_phone_are_not_in_the_mailbox(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj")
    key = desk.outbox()[-1].id
    assert "R3000" not in admin.get("/mailbox").text
    assert admin.get(f"/mailbox/{key}").status_code == 404


def test_the_style_sheet_of_a_mail_goes_into_its_tags() -> None:
    cleaned = clean("<style>h1{color:#c62828;position:fixed}</style><h1>Resumen</h1>")
    assert '<h1 style="color:#c62828">Resumen</h1>' in cleaned.replace(": ", ":").replace(';"', '"')


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<a href='javascript:alert(1)'>x</a>",
        "<iframe src='http://evil.example'></iframe>", "<form action='http://evil.example'><input></form>",
        "<meta http-equiv=refresh content='0;url=http://evil.example'>", "<svg onload=alert(1)>",
        "<link rel=stylesheet href='http://evil.example'>", "<style>@import url(http://evil.example)</style>",
        "<base href='http://evil.example'>", "<object data='http://evil.example'></object>",
    ],
)  # fmt: skip
def test_mail_html_is_cleaned_of_what_acts_or_loads(evil: str) -> None:
    cleaned = clean(f"<p>hola</p>{evil}").lower()
    assert "hola" in cleaned
    for bad in ("alert", "onerror", "onload", "javascript", "evil.example"):
        assert bad not in cleaned
