"""The pipes to the world: how each of them is, at a glance; one opened is a page of its own."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from gateway import outages
from gateway.channel_state import ChannelState, look, without_stand_in
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit


async def show(visit: Visit) -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        labels = Labels(visit.house.codebook(connection), visit.t)
        found = look(connection, visit.house)
        return {"found": found, "labels": labels, "lonely": without_stand_in(connection), **spans(found, labels)}

    values = await visit.house.read(load)
    configs = [one.config for one in values["found"]]
    signs = await visit.web.signs.read(visit.house.readers, configs)
    return visit.render("channels.html", now=visit.house.clock(), signs=signs, **values)


def spans(found: list[ChannelState], labels: Labels) -> dict[str, Any]:
    """The outages of each channel in local time, with the reason in words."""
    return {
        "outages": {
            one.config.name: [f"{outages.span(past, labels.zone)} {labels.word(past.reason)}" for past in one.outages]
            for one in found
        }
    }


PAGES = (Page("GET", "/channels", "channels", show),)
