"""Every page opens, with something on it."""

from tests.gateway.desk import ANA, LUCIA, STRANGER, Desk
from tests.gateway.web.site import Browser

LISTS = (
    "/", "/messages", "/messages?state=read", "/messages/list", "/reports", "/reports?urgent=1&category=ROB",
    "/keywords", "/keywords/form/incident", "/keywords/category/ROB", "/keywords/choice/return.status.mal",
    "/keywords/revisions", "/outbox", "/outbox?state=queued", "/subscriptions", "/contacts", "/contacts?status=active",
    "/channels", "/users", "/audit", "/health", "/simulator", "/mailbox", "/account",
)  # fmt: skip


def test_every_list_opens_in_both_languages(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    desk.say(ANA, "ALERTA ALN 1416 tienen amarrado a un joven en el parque")
    desk.say(LUCIA, "zzzz qqqq")
    desk.say(STRANGER, "INC AME 1405")
    for language in ("es", "en"):
        admin.get("/account")
        admin.post("/language", {"language": language})
        for path in LISTS:
            answer = admin.get(path)
            assert answer.status_code == 200, (path, answer.text[-600:])
            assert f'<html lang="{language}">' in answer.text or path == "/messages/list"


def test_messages_and_reports_open_one_by_one(desk: Desk, admin: Browser) -> None:
    for text in ("inc rob nebaj ayer 2 heridos", "INC", "ENC SI ROB NO MIEDO 2", "zzzz qqqq", "AC 23 NO", "MESA 20"):
        desk.say(ANA, text)
    for message in desk.messages():
        assert admin.get(f"/messages/{message.id}").status_code == 200, admin.page.text[-500:]
    for report in desk.reports():
        assert admin.get(f"/reports/{report.id}").status_code == 200, admin.page.text[-500:]
    assert admin.get("/reports/3000").status_code == 200
