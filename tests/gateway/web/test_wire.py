"""Cookies, tokens and addresses: what a stranger on the wire or on another page cannot do."""

import gzip
import re

from gateway.settings import Settings
from gateway.web.transport import Cookies, is_token, masked, parse_form
from tests.gateway.desk import ANA, Desk
from tests.gateway.web.site import PASSWORD, Browser, Site


def test_over_plain_http_the_cookie_is_plain_but_closed_to_scripts_and_other_sites(site: Site) -> None:
    site.add_user("rosa", "admin")
    browser = site.browser()
    (cookie,) = [line for line in browser.log_in("rosa").headers.get_list("set-cookie") if line.startswith("vocero=")]
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    assert "secure" not in cookie.lower()


def test_under_https_the_cookie_is_bound_to_the_host_and_secure() -> None:
    cookies = Cookies(Settings(_env_file=None, public_url="https://vocero.example"))
    assert (cookies.session, cookies.secure) == ("__Host-vocero", True)


NEAR = [
    ("127.0.0.1", "127.0.0.1:8000", False, 200),
    ("127.0.0.1", "localhost:8000", False, 200),
    ("::1", "[::1]:8000", False, 200),
    ("192.168.1.20", "192.168.1.5:8000", False, 403),
    ("192.168.1.20", "192.168.1.5:8000", True, 200),
    ("203.0.113.7", "198.51.100.1:8000", False, 403),
    ("8.8.8.8", "192.168.1.5:8000", True, 403),
    ("127.0.0.1", "evil.example:8000", False, 403),
    ("192.168.1.20", "evil.example", True, 403),
]


def test_over_plain_http_pages_open_only_nearby(site: Site) -> None:
    for client, host, allow, status in NEAR:
        site.web.cookies.allow_private = allow
        browser = site.browser(client=(client, 4711), base=f"http://{host}")
        assert browser.get("/login").status_code == status, (client, host)


def test_a_form_without_the_token_of_the_session_does_nothing(site: Site) -> None:
    admin, other = site.logged_in("admin"), site.logged_in("admin", name="other")
    admin.get("/account")
    foreign = re.search(r'name="csrf" value="([0-9a-f]+)"', other.get("/account").text)
    assert foreign
    for token in ("", "00", "zz", "0" * 64, foreign[1]):
        assert admin.post("/account/sessions", {"csrf": token}).status_code == 403
    admin.get("/account")
    assert admin.post("/account/sessions").status_code == 200


def test_a_form_from_another_site_does_nothing(site: Site) -> None:
    admin = site.logged_in("admin")
    admin.get("/account")
    assert admin.post("/account/sessions", sec_fetch_site="cross-site").status_code == 403


def test_a_login_form_of_another_browser_does_nothing(site: Site) -> None:
    site.add_user("rosa", "admin")
    one, other = site.browser(), site.browser()
    one.get("/login")
    other.get("/login")
    other.page = one.page
    assert other.post("/login", {"name": "rosa", "password": PASSWORD}).status_code == 403


def test_tokens_look_different_each_time_and_prove_one_secret() -> None:
    secret, other = "ab" * 16, "cd" * 16
    assert masked(secret) != masked(secret)
    assert is_token(masked(secret), secret)
    assert not is_token(masked(other), secret)


def test_only_small_urlencoded_forms_are_read(site: Site) -> None:
    admin = site.logged_in("admin")
    admin.get("/account")
    assert admin.post("/account/sessions", {"x": "y" * 600_000}).status_code == 400
    admin.get("/account")
    assert admin.post("/account/sessions", {}, content_type="text/plain").status_code == 400


def test_nul_never_reaches_the_database(site: Site) -> None:
    assert parse_form("name=a%00b")["name"] == "ab"
    admin = site.logged_in("admin")
    for path in ("/reports?category=%00", "/reports?place=14%00", "/messages?state=%00", "/messages?before=%00-1"):
        assert admin.get(path).status_code == 200, path


NONSENSE = [
    "/reports/9999999999999999999999",
    "/reports/x",
    "/messages/x",
    "/contacts/x",
    "/mailbox/x",
    "/keywords/form/x",
    "/keywords/x/y",
    "/setup/x",
    "/reports?before=x-y",
    "/reports?since=x&until=9999-12-31",
    "/audit?before=x",
    "/reports?before=99999999999999999999999-00000000000000000000000000000000",
    "/reports?ref=%C2%B2",
]


def test_an_address_that_means_nothing_is_no_error_of_ours(admin: Browser) -> None:
    for path in NONSENSE:
        assert admin.get(path).status_code in (200, 404), path


def test_no_phone_number_stands_in_an_address(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    desk.say(ANA, "zzzz qqqq")
    for path in ("/", "/messages", "/reports", "/reports/3000", "/outbox", "/contacts", "/simulator", "/subscriptions"):
        html = admin.get(path).text
        assert "5555 **01" in html or path not in ("/outbox", "/contacts")
        for address in re.findall(r'(?:href|action|src|hx-[a-z]+)="([^"]*)"', html):
            assert not re.search(r"\d{8}", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|static/[0-9a-f]{12}", "", address)), (
                address
            )


def test_lists_mask_phones_and_mailboxes(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    for path in ("/messages", "/outbox", "/contacts", "/simulator", "/reports/3000"):
        html = admin.get(path).text
        assert "50255550101" not in html, path
        assert "nebaj1@" not in html, path


def test_a_first_load_weighs_less_than_sixty_kilobytes(desk: Desk, admin: Browser) -> None:
    desk.say_all([desk.incoming(ANA, f"inc rob nebaj ayer {number} heridos") for number in range(60)])
    for path in ("/messages", "/reports", "/keywords", "/contacts"):
        page = admin.get(path, accept_encoding="identity").text
        weight = len(gzip.compress(page.encode(), 5))
        for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)):
            answer = admin.get(address, accept_encoding="identity")
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"]
            weight += len(gzip.compress(answer.content, 9))
        assert weight < 60_000, (path, weight)
        assert "http://" not in re.sub(r"http://127\.0\.0\.1:8000", "", page)


def test_pages_carry_no_script_or_style_of_their_own(desk: Desk, admin: Browser) -> None:
    desk.say(ANA, "inc rob nebaj ayer 2 heridos")
    for path in ("/", "/messages", "/reports", "/reports/3000", "/keywords/form/incident", "/simulator", "/contacts"):
        html = admin.get(path).text
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*src=)|\son[a-z]+=|hx-on|javascript:", html), path


def test_an_unknown_address_is_told_in_a_page(site: Site) -> None:
    answer = site.browser().get("/nothing/here")
    assert answer.status_code == 404
    assert "There is no such thing here" in answer.text


def test_a_live_page_is_told_an_error_without_a_page_around_it(admin: Browser) -> None:
    answer = admin.post("/simulator/talk", {"csrf": "x"}, hx_request="true")
    assert answer.status_code == 403
    assert answer.text.startswith('<p role="alert">')


def test_a_page_is_stored_nowhere(admin: Browser) -> None:
    assert admin.get("/messages").headers["cache-control"] == "no-store"
