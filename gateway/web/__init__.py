"""The pages: server-rendered, one module a page, nothing from another host."""

from fastapi import FastAPI

from gateway.house import House
from gateway.web import (
    account,
    acknowledge,
    alert_rules,
    alerts,
    announcements,
    audit_page,
    channel,
    channels,
    contact,
    contacts,
    health_page,
    keywords,
    limits_page,
    login,
    mailbox,
    message,
    messages,
    outbox,
    overview,
    report,
    reports,
    routes_page,
    same_event,
    setup,
    simulator,
    subscription,
    subscriptions,
    unsubscribe,
    users,
)
from gateway.web.access import PUBLIC
from gateway.web.render import make_templates
from gateway.web.serving import endpoint, missing
from gateway.web.static_files import StaticFiles
from gateway.web.transport import Cookies
from gateway.web.visit import Page, Web

PAGES: tuple[Page, ...] = (
    *login.PAGES, *setup.PAGES, *overview.PAGES, *account.PAGES, *messages.PAGES, *message.PAGES, *reports.PAGES,
    *report.PAGES, *same_event.PAGES, *alerts.PAGES, *alert_rules.PAGES, *acknowledge.PAGES, *keywords.PAGES,
    *outbox.PAGES, *subscriptions.PAGES, *subscription.PAGES, *unsubscribe.PAGES,
    *contacts.PAGES, *contact.PAGES, *announcements.PAGES, *limits_page.PAGES,
    *channels.PAGES, *channel.PAGES, *routes_page.PAGES, *users.PAGES, *audit_page.PAGES, *health_page.PAGES,
)  # fmt: skip
LAST: tuple[Page, ...] = (Page("GET", "/{path:path}", PUBLIC, missing),)
"""What no other address takes: told in a page."""
REHEARSAL_PAGES: tuple[Page, ...] = (*simulator.PAGES, *mailbox.PAGES)
"""Only with VOCERO_SIMULATOR=1."""


def mount(app: FastAPI, house: House) -> Web:
    """Add the pages and their static files to `app`, after every other route: the last page takes what is left."""
    static = StaticFiles()
    simulated = house.settings.simulator
    web = Web(house, make_templates(static, simulator=simulated), static, Cookies(house.settings))
    app.add_route("/static/{tag}/{name:path}", static.serve, methods=["GET"], include_in_schema=False)
    for page in (*PAGES, *(REHEARSAL_PAGES if simulated else ()), *LAST):
        app.add_route(page.path, endpoint(page, web), methods=[page.method], include_in_schema=False)
    return web
