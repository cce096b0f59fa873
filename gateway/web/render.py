"""The template engine: autoescape always, unknown names are errors, what every page may call."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.locale import LANGUAGES, N_
from gateway.web.labels import mask
from gateway.web.static_files import StaticFiles

# Address, label and right of each entry of the menu, in order.
MENU = (
    ("/", N_("Overview"), "overview"),
    ("/alerts", N_("Alerts"), "alerts"),
    ("/messages", N_("Messages"), "messages"),
    ("/reports", N_("Reports"), "reports"),
    ("/same-event", N_("Same event?"), "reports"),
    ("/keywords", N_("Keywords"), "keywords"),
    ("/outbox", N_("Outbox"), "outbox"),
    ("/subscriptions", N_("Subscriptions"), "subscriptions"),
    ("/announcements", N_("Announcements"), "announcements"),
    ("/contacts", N_("Contacts"), "contacts"),
    ("/channels", N_("Channels"), "channels"),
    ("/simulator", N_("Phone"), "simulator"),
    ("/mailbox", N_("Mailbox"), "mailbox"),
    ("/limits", N_("Limits"), "limits"),
    ("/users", N_("Users"), "users"),
    ("/audit", N_("Audit"), "audit"),
    ("/health", N_("Health"), "health"),
)


def make_templates(static: StaticFiles, *, simulator: bool) -> Environment:
    """Environment over `templates/`; `simulator` keeps the phone and the mailbox in the menu."""
    environment = Environment(
        loader=PackageLoader("gateway.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    menu = [entry for entry in MENU if simulator or entry[2] not in ("simulator", "mailbox")]
    environment.globals.update(static=static.url, menu=menu, languages=LANGUAGES, mask=mask)
    return environment
