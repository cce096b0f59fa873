"""The way out that every digest by mail carries: its signed link opens a page, and only a POST pauses the subscription.

Mail programs send that POST themselves when a person presses their button (RFC 8058), in any form and without cookies;
the link proves that they may. Alerts are not touched.
"""

from typing import Any

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import subscriptions
from gateway.digests.post import read_stop_token
from gateway.errors import NotFound
from gateway.subscriptions import BY_LINK, BY_SELF, SUBSCRIPTION
from gateway.web.access import PUBLIC
from gateway.web.visit import Page, Visit


async def show(visit: Visit) -> Response:
    row = await visit.house.read(lambda connection: _found(visit, connection))
    return visit.render("unsubscribe.html", row=row, again=_may_come_back(row))


async def pause(visit: Visit) -> Response:
    return await _set(visit, active=False)


async def resume(visit: Visit) -> Response:
    return await _set(visit, active=True)


async def _set(visit: Visit, *, active: bool) -> Response:
    at = visit.house.clock()

    def keep(connection: Connection) -> Row[Any]:
        row = _found(visit, connection)
        if row.active != active and (not active or _may_come_back(row)):
            subscriptions.set_active(
                connection, row.id, active, now=at, actor=f"contact:{row.contact_id}", reason=BY_LINK
            )
        return _found(visit, connection)

    row = await visit.house.write(keep)
    return visit.render("unsubscribe.html", row=row, again=_may_come_back(row))


def _may_come_back(row: Row[Any]) -> bool:
    """What an admin or the gateway paused is not the reader's to take up by link."""
    return not row.active and row.pause_reason in (BY_SELF, BY_LINK)


def _found(visit: Visit, connection: Connection) -> Row[Any]:
    key = read_stop_token(visit.request.path_params["token"][:200], visit.house.sealer)
    standing = (SUBSCRIPTION.c.id == key, SUBSCRIPTION.c.removed_at.is_(None))
    row = connection.execute(select(SUBSCRIPTION).where(*standing)).first() if key else None
    if row is None:
        raise NotFound("subscription")
    return row


PAGES = (
    Page("GET", "/unsubscribe/{token}", PUBLIC, show, by_link=True),
    Page("POST", "/unsubscribe/{token}", PUBLIC, pause, by_link=True),
    Page("POST", "/unsubscribe/{token}/undo", PUBLIC, resume, by_link=True),
)
