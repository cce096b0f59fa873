"""The pipes to the world: their state, when they last heard and sent, and the address to give to a provider."""

from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import Response

from gateway.routes import CHANNEL
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit
from outbox.queue import waiting

# Kinds that hear by a webhook, which a provider must be told.
BY_WEBHOOK = ("twilio", "http")


async def show(visit: Visit) -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        rows = list(connection.execute(select(CHANNEL).order_by(CHANNEL.c.created_at)))
        labels = Labels(visit.house.codebook(connection), visit.t)
        return {"rows": rows, "queues": waiting(connection), "labels": labels}

    base = visit.house.settings.base_url
    return visit.render("channels.html", base=base, by_webhook=BY_WEBHOOK, **await visit.house.read(load))


PAGES = (Page("GET", "/channels", "channels", show),)
