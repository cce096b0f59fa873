"""The pipes to the world: their state, when they last heard and sent, and the address to give to a provider."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select
from starlette.responses import Response

from gateway import outages
from gateway.channels import CHANNELS
from gateway.routes import CHANNEL
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit
from outbox.queue import waiting

# Kinds that hear by a webhook, which a provider must be told.
BY_WEBHOOK = tuple(name for name, kind in CHANNELS.items() if kind.make_door is not None)
OUTAGES_SHOWN = timedelta(days=7)


async def show(visit: Visit) -> Response:
    now = visit.house.clock()

    def load(connection: Connection) -> dict[str, Any]:
        rows = list(connection.execute(select(CHANNEL).order_by(CHANNEL.c.created_at)))
        labels = Labels(visit.house.codebook(connection), visit.t)
        past = outages.by_channel(outages.within(connection, now - OUTAGES_SHOWN, now))
        spans = {name: [outages.span(one, labels.zone) for one in found] for name, found in past.items()}
        return {"rows": rows, "queues": waiting(connection), "labels": labels, "outages": spans, "now": now}

    base = visit.house.settings.base_url
    return visit.render("channels.html", base=base, by_webhook=BY_WEBHOOK, **await visit.house.read(load))


PAGES = (Page("GET", "/channels", "channels", show),)
