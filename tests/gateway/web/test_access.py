"""Default deny: every address of the pages is tried as every role."""

import pytest
from starlette.routing import Route

from gateway.models.user import ROLES
from gateway.web import LAST, PAGES, REHEARSAL_PAGES
from gateway.web.access import MATRIX, PUBLIC, covers, may
from tests.gateway.web.site import Browser, Site

PLACEHOLDERS = {
    "{id}": "00000000-0000-0000-0000-000000000000", "{token}": "x", "{kind}": "form", "{name}": "incident",
}  # fmt: skip
# Which addresses each role may open, by their first part. What is not here is refused.
OPEN = {
    "admin": {"", "account", "alerts", "alert-rules", "messages", "reports",
              "same-event", "keywords", "outbox", "subscriptions", "announcements", "limits", "contacts", "channels",
              "routes",
              "users", "audit", "health", "simulator", "mailbox"},
    "coordinator": {"", "account", "alerts", "announcements", "messages", "reports", "same-event", "subscriptions"},
    "analyst": {"", "account"},
    "signatory": {"", "account"},
    "auditor": {"", "account", "audit"},
}  # fmt: skip
FOR_ALL = {"acknowledge", "login", "logout", "setup", "language", "unsubscribe"}


def address(path: str) -> str:
    for name, value in PLACEHOLDERS.items():
        path = path.replace(name, value)
    return path


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_pages_and_no_others(site: Site, role: str) -> None:
    browser = site.logged_in(role)
    browser.get("/account")
    account = browser.page
    for page in (*PAGES, *REHEARSAL_PAGES):
        part = page.path.split("/")[1]
        if part in FOR_ALL:
            continue
        browser.page = account
        path = address(page.path)
        answer = browser.get(path) if page.method == "GET" else browser.post(path)
        assert (answer.status_code == 403) == (part not in OPEN[role]), (role, page.method, path, answer.status_code)
        assert answer.status_code < 500 or part == "simulator", (path, answer.status_code)


def test_nobody_opens_anything_without_a_login(site: Site) -> None:
    browser = Browser(site)
    for page in (*PAGES, *REHEARSAL_PAGES):
        if page.path.split("/")[1] in FOR_ALL:
            continue
        browser.get("/login")
        path = address(page.path)
        answer = browser.get(path) if page.method == "GET" else browser.post(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/login"), path


def test_every_address_of_the_application_is_in_the_table(site: Site) -> None:
    known = {(page.method, page.path) for page in (*PAGES, *REHEARSAL_PAGES, *LAST)}
    known.add(("GET", "/static/{tag}/{name:path}"))
    for route in site.app.routes:
        assert isinstance(route, Route)
        methods = (route.methods or set()) - {"HEAD"}
        assert {(method, route.path) for method in methods} <= known


def test_every_right_is_in_the_matrix() -> None:
    assert {page.need for page in (*PAGES, *REHEARSAL_PAGES)} <= {*MATRIX, PUBLIC}


def test_public_pages_are_these() -> None:
    assert {page.path.split("/")[1] for page in PAGES if page.need == PUBLIC} == FOR_ALL


def test_an_unknown_right_or_role_is_refused() -> None:
    assert not may("admin", "no such right")
    assert not may("no such role", "overview")
    assert not may(None, "overview")


def test_rehearsal_pages_are_there_only_in_rehearsal(site: Site) -> None:
    from fastapi import FastAPI

    from gateway.web import mount

    site.house.settings.simulator = False
    app = FastAPI(docs_url=None, openapi_url=None)
    mount(app, site.house)
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    assert not paths & {page.path for page in REHEARSAL_PAGES}


@pytest.mark.parametrize(
    ("places", "place", "seen"),
    [
        (None, "1413", True), (None, None, True), (("14",), "1413", True), (("14",), "1513", False),
        (("1413",), "1413", True), (("1413",), "1414", False), (("1413",), "14", False), ((), "1413", False),
        (("14",), None, False),
    ],
)  # fmt: skip
def test_places_bound_what_a_coordinator_sees(places: tuple[str, ...] | None, place: str | None, seen: bool) -> None:
    assert covers(places, place) is seen
