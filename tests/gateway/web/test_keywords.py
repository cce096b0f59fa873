from gateway.codebook import current_words
from tests.gateway.desk import ANA, Desk
from tests.gateway.web.site import Browser

LIST = "/keywords/category/ROB"


def words(desk: Desk) -> tuple[int, list[str]]:
    number, _, everything = desk.house.read_now(current_words)
    return number, everything["category"]["ROB"]


def draft(desk: Desk, *more: str, based_on: int | None = None, **fields: str) -> dict[str, str]:
    number, listed = words(desk)
    return {"words": "\n".join([*listed, *more]), "based_on": str(based_on or number), **fields}


def test_a_text_is_tried_on_the_draft_and_nothing_is_kept(desk: Desk, admin: Browser) -> None:
    admin.get(LIST)
    before = admin.post(f"{LIST}/try", draft(desk, text="inc chumpeteo nebaj ayer")).text
    after = admin.post(f"{LIST}/try", draft(desk, "chumpeteo", text="inc chumpeteo nebaj ayer")).text
    assert "ROB Robbery" in after
    assert ">chumpeteo</mark>" in after
    assert ">chumpeteo</mark>" not in before
    assert words(desk)[0] == 1
    assert desk.messages() == []


def test_the_try_box_answers_a_live_page_with_the_reading_alone(desk: Desk, admin: Browser) -> None:
    admin.get(LIST)
    html = admin.post(f"{LIST}/try", draft(desk, text="inc rob nebaj"), hx_request="true").text
    assert "<html" not in html
    assert "Nebaj, Quiché" in html


def test_the_next_text_is_read_by_a_saved_word_and_old_reports_keep_their_revision(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj")
    admin.get(LIST)
    assert admin.post(LIST, draft(desk, "chumpeteo", note="se dice en la costa")).status_code == 303
    assert "Saved as revision 2" in admin.follow().text
    desk.say(ANA, "inc chumpeteo nebaj")
    first, second = desk.reports()
    assert (first.codebook_revision, second.codebook_revision, second.category) == (1, 2, "ROB")
    history = admin.get("/keywords/revisions").text
    for found in ("ROB +chumpeteo", "se dice en la costa", "admin"):
        assert found in history
    assert "codebook.save" in admin.get("/audit").text


def test_a_word_that_means_something_else_already_is_refused_with_the_reason(desk: Desk, admin: Browser) -> None:
    admin.get(LIST)
    answer = admin.post(LIST, draft(desk, "linchamiento"))
    assert answer.status_code == 400
    assert "“linchamiento” means LIN Lynching (done or in progress) already." in answer.text
    assert "linchamiento\n" in answer.text + "\n" or "linchamiento</textarea>" in answer.text
    assert words(desk)[0] == 1


def test_a_word_one_slip_from_another_is_refused(desk: Desk, admin: Browser) -> None:
    admin.get(LIST)
    answer = admin.post(LIST, draft(desk, "linchamientu"))
    assert answer.status_code == 400
    assert "one slip away" in answer.text


def test_words_of_the_telephone_network_are_refused(desk: Desk, admin: Browser) -> None:
    admin.get("/keywords/form/incident")
    answer = admin.post("/keywords/form/incident", {"words": "INC\nSTOP", "based_on": "1"})
    assert answer.status_code == 400
    assert "“STOP”" in answer.text


def test_who_saves_over_another_is_told_and_loses_nothing(desk: Desk, admin: Browser) -> None:
    admin.get(LIST)
    page = admin.page
    admin.post(LIST, draft(desk, "chumpeteo"))
    admin.page = page
    answer = admin.post(LIST, draft(desk, "guachapeo", based_on=1))
    assert answer.status_code == 409
    assert "Somebody saved revision 2" in answer.text
    assert "guachapeo" in answer.text
    assert words(desk)[0] == 2


def test_words_are_trimmed_and_each_stands_once(desk: Desk, admin: Browser) -> None:
    admin.get(LIST)
    admin.post(LIST, draft(desk, "  chum   peteo ", "", "chum peteo"))
    assert words(desk)[1][-1] == "chum peteo"
    assert words(desk)[1].count("chum peteo") == 1


def test_a_tried_text_is_shown_as_text(desk: Desk, admin: Browser) -> None:
    admin.get("/keywords")
    html = admin.post("/keywords/try", {"text": "<script>x</script> inc rob nebaj"}).text
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html
