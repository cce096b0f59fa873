from datetime import timedelta

from gateway import users
from gateway.users import USER
from tests.conftest import HandClock
from tests.gateway.web.site import PASSWORD, Browser, Site

NEW = "maiz lluvia camino tejido"


def path_of(link: str | None) -> str:
    assert link is not None
    return link.removeprefix("http://127.0.0.1:8000")


def test_the_setup_link_makes_the_first_admin_and_logs_in(site: Site) -> None:
    browser = site.browser()
    path = path_of(users.setup_link(site.house))
    assert "Choose a password" in browser.get(path).text
    browser.post(path, {"name": "Rosa", "password": NEW, "again": NEW})
    assert browser.follow().status_code == 200
    assert "rosa" in browser.page.text
    assert site.browser().log_in("rosa", NEW).status_code == 303


def test_the_setup_link_is_the_same_until_it_is_used_and_then_none(site: Site) -> None:
    first = users.setup_link(site.house)
    assert users.setup_link(site.house) == first
    browser, path = site.browser(), path_of(first)
    browser.get(path)
    browser.post(path, {"name": "rosa", "password": NEW, "again": NEW})
    assert users.setup_link(site.house) is None
    assert site.browser().get(path).status_code == 404


def test_no_account_exists_that_could_log_in_before_setup(site: Site) -> None:
    users.setup_link(site.house)
    for password in ("", "admin", "None"):
        assert site.browser().log_in("admin", password).status_code == 401


def test_a_setup_link_grows_old(site: Site, clock: HandClock) -> None:
    token = site.house.writer.write_now(
        lambda conn: users.add_user(conn, name="eva", role="auditor", at=clock(), actor="cli")
    )
    clock.advance(users.LINK_LIFE)
    assert site.browser().get(f"/setup/{token}").status_code == 404


def test_a_later_user_cannot_choose_another_name(site: Site, clock: HandClock) -> None:
    site.add_user("rosa", "admin")
    token = site.house.writer.write_now(
        lambda conn: users.add_user(conn, name="eva", role="auditor", at=clock(), actor="cli")
    )
    browser = site.browser()
    browser.get(f"/setup/{token}")
    browser.post(f"/setup/{token}", {"name": "rosa", "password": NEW, "again": NEW})
    assert "eva" in browser.follow().text


WEAK = [
    ("corta", "corta", "too short"),
    (NEW, NEW + "x", "not the same"),
    ("rosa12345678", "rosa12345678", "must not be the name"),
    ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "too simple"),
    ("123456789012", "123456789012", "too simple"),
    ("hola1hola1hola1", "hola1hola1hola1", "too simple"),
    ("x" * 130 + "palabra" * 20, "x" * 130 + "palabra" * 20, "too long"),
]


def test_a_weak_password_is_not_taken(site: Site) -> None:
    for password, again, words in WEAK:
        browser, path = site.browser(), path_of(users.setup_link(site.house))
        browser.get(path)
        assert browser.post(path, {"name": "rosa", "password": password, "again": again}).status_code == 400
        assert words in browser.page.text, password
        assert password not in browser.page.text


def test_a_wrong_password_an_unknown_name_and_a_locked_account_get_the_same_answer(site: Site) -> None:
    site.add_user("rosa", "admin")
    answers = []
    for name in ("rosa", "nobody", "no such name!"):
        browser = site.browser()
        answers.append((browser.log_in(name, "not the password").status_code, _without_tokens(browser.page.text)))
    assert answers[0][0] == 401
    assert len(set(answers)) == 1


def _without_tokens(html: str) -> str:
    return "".join(line for line in html.splitlines() if "csrf" not in line)


def test_five_wrong_passwords_lock_the_account_for_a_minute(site: Site, clock: HandClock) -> None:
    site.add_user("rosa", "admin")
    for _ in range(5):
        assert site.browser().log_in("rosa", "wrong").status_code == 401
    assert site.browser().log_in("rosa").status_code == 401
    clock.advance(timedelta(minutes=1))
    browser = site.browser()
    assert browser.log_in("rosa").status_code == 303
    log = browser.get("/audit").text
    assert "login.locked" in log
    assert "<td>login</td>" in log


def test_the_lock_doubles_and_a_right_password_ends_it(site: Site, clock: HandClock) -> None:
    site.add_user("rosa", "admin")
    for _ in range(5):
        site.browser().log_in("rosa", "wrong")
    clock.advance(timedelta(minutes=1))
    site.browser().log_in("rosa", "wrong")
    clock.advance(timedelta(minutes=1))
    assert site.browser().log_in("rosa").status_code == 401
    clock.advance(timedelta(minutes=1))
    assert site.browser().log_in("rosa").status_code == 303
    row = site.house.read_now(lambda conn: conn.execute(USER.select()).one())
    assert (row.failures, row.locked_until) == (0, None)


def test_one_address_may_fail_twenty_times_in_a_quarter_of_an_hour(site: Site, clock: HandClock) -> None:
    site.add_user("rosa", "admin")
    for number in range(20):
        assert site.browser().log_in(f"name{number}").status_code == 401
    refused = site.browser().log_in("rosa")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "900")
    assert site.browser(client=("127.0.0.2", 1)).log_in("rosa").status_code == 303
    clock.advance(timedelta(minutes=15))
    assert site.browser().log_in("rosa").status_code == 303


def test_a_session_ends_after_thirty_idle_minutes(site: Site, clock: HandClock) -> None:
    browser = site.logged_in("admin")
    for _ in range(3):
        clock.advance(timedelta(minutes=29))
        assert browser.get("/").status_code == 200
        _settle(site)
    clock.advance(timedelta(minutes=31))
    assert browser.get("/").headers["location"] == "/login"


def test_a_session_ends_after_twelve_hours_whatever_one_does(site: Site, clock: HandClock) -> None:
    browser = site.logged_in("admin")
    for _ in range(12 * 3):
        clock.advance(timedelta(minutes=20))
        browser.get("/")
        _settle(site)
    assert browser.page.status_code == 200
    clock.advance(timedelta(minutes=1))
    assert browser.get("/").status_code == 303


def test_a_page_that_asks_by_itself_keeps_no_session_awake(site: Site, clock: HandClock) -> None:
    browser = site.logged_in("admin")
    for _ in range(4):
        clock.advance(timedelta(minutes=10))
        browser.get("/messages/list", hx_request="true")
        _settle(site)
    assert browser.page.status_code == 204
    assert browser.page.headers["hx-redirect"] == "/login"


def _settle(site: Site) -> None:
    """Wait until what was queued for the writer is written."""
    site.house.writer.write_now(lambda _conn: None)


def test_logging_out_ends_the_session_on_the_server(site: Site) -> None:
    browser = site.logged_in("admin")
    kept = dict(browser.cookies)
    browser.get("/")
    browser.post("/logout")
    stolen = site.browser()
    stolen.cookies.update(kept)
    assert stolen.get("/").status_code == 303


def test_a_login_gets_a_session_of_its_own(site: Site) -> None:
    site.add_user("rosa", "admin")
    browser = site.browser()
    browser.log_in("rosa")
    first = browser.cookies[site.web.cookies.session]
    browser.get("/")
    browser.post("/login", {"name": "rosa", "password": PASSWORD})
    assert browser.cookies[site.web.cookies.session] != first
    old = site.browser()
    old.cookies.set(site.web.cookies.session, first)
    assert old.get("/").status_code == 303


def test_a_user_who_is_kept_out_is_out_at_once(site: Site) -> None:
    admin, other = site.logged_in("admin"), site.logged_in("auditor")
    assert other.get("/").status_code == 200
    key = site.house.read_now(lambda conn: conn.execute(USER.select().where(USER.c.name == "auditor")).one().id)
    admin.get("/users")
    admin.post(f"/users/{key}", {"act": "out"})
    assert other.get("/").status_code == 303
    assert site.browser().log_in("auditor").status_code == 401


def test_the_last_admin_cannot_be_locked_out(site: Site) -> None:
    admin = site.logged_in("admin")
    key = site.house.read_now(lambda conn: conn.execute(USER.select()).one().id)
    admin.get("/users")
    assert admin.post(f"/users/{key}", {"act": "out"}).status_code == 400
    assert admin.get("/").status_code == 200


def test_changing_the_password_asks_for_the_present_one_and_logs_out_elsewhere(site: Site) -> None:
    here = site.logged_in("admin")
    there = site.browser()
    there.log_in("admin")
    fields = {"present": "wrong", "password": NEW, "again": NEW}
    here.get("/account")
    assert here.post("/account/password", fields).status_code == 400
    assert here.post("/account/password", {**fields, "present": PASSWORD}).status_code == 200
    assert there.get("/").status_code == 303
    assert here.get("/").status_code == 200
    assert site.browser().log_in("admin", NEW).status_code == 303


def test_after_login_one_comes_to_the_page_one_wanted(site: Site) -> None:
    site.add_user("rosa", "admin")
    browser = site.browser()
    assert browser.get("/reports").headers["location"] == "/login?next=%2Freports"
    browser.follow()
    answer = browser.post("/login", {"name": "rosa", "password": PASSWORD, "next": "/reports"})
    assert answer.headers["location"] == "/reports"


FOREIGN = ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:1", ""]


def test_a_login_never_leads_to_another_host(site: Site) -> None:
    site.add_user("rosa", "admin")
    for target in FOREIGN:
        browser = site.browser()
        browser.get("/login")
        answer = browser.post("/login", {"name": "rosa", "password": PASSWORD, "next": target})
        assert answer.headers["location"] == "/", target


def test_the_language_is_chosen_by_the_browser_then_by_the_switch_then_by_the_user(site: Site) -> None:
    browser: Browser = site.browser(language="en")
    assert 'lang="en"' in browser.get("/login").text
    browser.post("/language", {"language": "es", "back": "/login"})
    assert 'lang="es"' in browser.follow().text
    site.add_user("rosa", "admin")
    browser.log_in("rosa")
    assert 'lang="en"' in browser.follow().text
    browser.post("/language", {"language": "es", "back": "/"})
    assert 'lang="es"' in browser.follow().text
    again = site.browser()
    again.log_in("rosa")
    assert 'lang="es"' in again.follow().text
