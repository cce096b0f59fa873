"""One text to many: who would get it and what it costs is shown, then confirmed; what became of the earlier ones."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from starlette.responses import Response
from uuid_utils.compat import uuid7

from gateway.announcing import Preview, Progress, Target, announce, preview, progress
from gateway.contacts import CONTACT
from gateway.errors import NotFound, UsageError
from gateway.locale import N_
from gateway.web import people as shown_people
from gateway.web.access import in_places
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

NOBODY = N_("There is nobody there whom you may write to.")
TEXT_LENGTH = 400
OFFERED = 500


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def look(visit: Visit) -> Response:
    """The preview: nothing goes by it."""
    house, typed, target = visit.house, visit.form.word("text", TEXT_LENGTH), _target(visit)
    try:
        shown = await house.read(lambda connection: preview(connection, house, typed, target))
    except NotFound:
        return await _page(visit, visit.t(NOBODY))
    except UsageError:
        return await _page(visit, visit.t(N_("The text must fit one SMS of 160 characters, and must not be empty.")))
    if not shown.recipients:
        return await _page(visit, visit.t(NOBODY))
    labels = await house.read(lambda connection: _labels(connection, visit))
    return visit.render(
        "announcement.html", shown=shown, key=uuid7(), typed=visit.form, labels=labels,
        by_mail=len(shown.recipients) - shown.segments, later=shown.first_at > house.clock(),
    )  # fmt: skip


async def send(visit: Visit) -> Response:
    """What was shown goes out, under the id it was shown with: once, however often the form is sent."""
    house, typed, target = visit.house, visit.form.word("text", TEXT_LENGTH), _target(visit)
    try:
        key = UUID(visit.form.word("key"))
    except ValueError:
        raise NotFound("announcement") from None

    def keep(connection: Connection) -> None:
        shown: Preview = preview(connection, house, typed, target)
        announce(connection, house, key, shown, target, visit.who.actor)

    await house.write(keep)
    return visit.go("/announcements")


def _target(visit: Visit) -> Target:
    """Whom the form means, within the places of who sends it."""
    kind = visit.form.word("to")
    if kind == "contact":
        return Target(kind, visit.form.word("contact"), visit.places)
    if kind == "place":
        return Target(kind, visit.form.word("place").split(" ", 1)[0], visit.places)
    return Target("all", None, visit.places)


async def _page(visit: Visit, problem: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        sealer, labels = visit.house.sealer, _labels(connection, visit)
        mine = None if visit.places is None else visit.who.actor
        done: list[Progress] = progress(connection, sealer, actor=mine)
        inside = in_places(CONTACT.c.home_place, visit.places)
        query = select(CONTACT.c.id).where(CONTACT.c.status == "active", *([] if inside is None else [inside]))
        ids = list(connection.scalars(query.order_by(CONTACT.c.created_at).limit(OFFERED)))
        meant = [_id(one.target) for one in done if one.target_kind == "contact"]
        names = shown_people.names(connection, [*ids, *meant], sealer)
        offered = sorted(((key, names[key]) for key in ids if key in names), key=lambda pair: pair[1])
        return {"done": done, "offered": offered, "names": names, "labels": labels, "id_of": _id}

    return visit.render(
        "announcements.html", 400 if problem else 200, problem=problem, typed=visit.form,
        **await visit.house.read(load),
    )  # fmt: skip


def _id(target: str | None) -> UUID:
    return UUID(target or "")


def _labels(connection: Connection, visit: Visit) -> Labels:
    return Labels(visit.house.codebook(connection), visit.t)


PAGES = (
    Page("GET", "/announcements", "announcements", show),
    Page("POST", "/announcements", "announcements", send),
    Page("POST", "/announcements/preview", "announcements", look),
)
