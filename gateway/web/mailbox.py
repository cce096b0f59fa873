"""What went out by mail while rehearsing: the list, one mail, and its HTML in a frame that can do nothing."""

from dataclasses import dataclass
from html import escape
from typing import Any
from uuid import UUID

import css_inline
import nh3
from sqlalchemy import Connection, Row, select
from starlette.responses import HTMLResponse, Response

from gateway.errors import NotFound
from gateway.web.answers import Sent, open_sent
from gateway.web.labels import Labels
from gateway.web.paging import PAGE, read_key
from gateway.web.visit import Page, Visit
from outbox.rows import MAIL_ENCODING, OUTBOUND

# Nothing but words and inline styles: no script, no form, no request to anybody.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'; "
    "sandbox"
)
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)
STYLES = {
    "background", "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius",
    "border-top", "color", "display", "font-family", "font-size", "font-weight", "height", "line-height", "margin",
    "margin-top", "max-width", "padding", "text-align", "text-decoration", "vertical-align", "white-space", "width",
}  # fmt: skip
TAGS = nh3.ALLOWED_TAGS | {"html", "head", "body", "title"}
STYLED = {
    "style",
    "width",
    "height",
    "align",
    "valign",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "role",
    "lang",
}


@dataclass(frozen=True, slots=True)
class Mail:
    """An outbound mail opened; the address is masked."""

    sent: Sent
    has_html: bool


async def show(visit: Visit) -> Response:
    cursor = read_key(visit.query("before"))

    def load(connection: Connection) -> tuple[list[Sent], UUID | None, Labels]:
        query = select(OUTBOUND).where(_is_mail())
        query = query.where(OUTBOUND.c.id < cursor) if cursor else query
        rows = list(connection.execute(query.order_by(OUTBOUND.c.id.desc()).limit(PAGE + 1)))
        more = rows[PAGE - 1].id if len(rows) > PAGE else None
        opened = [open_sent(row, visit.house.sealer) for row in rows[:PAGE]]
        return opened, more, Labels(visit.house.codebook(connection), visit.t)

    mails, more, labels = await visit.house.read(load)
    return visit.render("mailbox.html", mails=mails, more=more, labels=labels)


async def show_one(visit: Visit) -> Response:
    def load(connection: Connection) -> tuple[Sent, bool, Labels]:
        row = find(connection, visit)
        sent = open_sent(row, visit.house.sealer)
        return sent, row.html_sealed is not None, Labels(visit.house.codebook(connection), visit.t)

    sent, has_html, labels = await visit.house.read(load)
    return visit.render("mail.html", mail=Mail(sent, has_html), labels=labels)


async def show_html(visit: Visit) -> Response:
    """The HTML part, cleaned, under a policy of its own."""

    def load(connection: Connection) -> str | None:
        row = find(connection, visit)
        return visit.house.sealer.open_optional(OUTBOUND.name, "html", row.id, row.html_sealed)

    html = await visit.house.read(load)
    if html is None:
        raise NotFound("html")
    response = HTMLResponse(clean(html))
    response.headers["Content-Security-Policy"] = FRAME_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def clean(html: str) -> str:
    """Mail HTML with its style sheet written into its tags, without anything that acts or loads."""
    try:
        html = INLINER.inline(html)
    except css_inline.InlineError:
        html = escape(html)
    attributes = {tag: set(found) for tag, found in nh3.ALLOWED_ATTRIBUTES.items()}
    attributes["*"] = STYLED
    body = nh3.clean(
        html, tags=TAGS - {"img"}, attributes=attributes, filter_style_properties=STYLES,
        url_schemes={"http", "https", "mailto"}, clean_content_tags={"script", "style"}, link_rel="noopener noreferrer",
    )  # fmt: skip
    return f'<!doctype html><meta charset="utf-8">{body}'


def find(connection: Connection, visit: Visit) -> Row[Any]:
    try:
        key = UUID(visit.request.path_params["id"])
    except ValueError:
        raise NotFound("mail") from None
    row = connection.execute(select(OUTBOUND).where(OUTBOUND.c.id == key, _is_mail())).first()
    if row is None:
        raise NotFound("mail")
    return row


def _is_mail() -> Any:
    return OUTBOUND.c.encoding == MAIL_ENCODING


PAGES = (
    Page("GET", "/mailbox", "mailbox", show),
    Page("GET", "/mailbox/{id}", "mailbox", show_one),
    Page("GET", "/mailbox/{id}/html", "mailbox", show_html),
)
