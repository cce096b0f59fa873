"""Who gets which digest when: the list, adding one, pausing, taking away. Coordinators see and change their own."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway import subscriptions
from gateway.contacts import people
from gateway.errors import Conflict, NotFound, UsageError
from gateway.locale import LANGUAGES, N_
from gateway.standing import CONTACT
from gateway.subscriptions import SCHEMES, SUBSCRIPTION, Wish, make_wish
from gateway.web import people as shown_people
from gateway.web.access import covers
from gateway.web.labels import Labels
from gateway.web.transport import Form
from gateway.web.visit import Page, Visit
from gateway.wishes import DAYS
from parsers import Codebook

WRONG = N_("Hours are written like 06:00,18:00 and places as codes like 14,0705.")
UNREACHED = N_("This contact has no address of that kind.")
TWICE = N_("That contact has this subscription already.")
USUAL = Wish("email", ("06:00", "18:00"))
# What was typed stands in the form again when it was refused.
TYPED = ("by", "every", "weekday", "month_day", "detail", "when_empty", "catch_up", "attach", "zone", "language")
NOT_YOURS = N_("These places are not all yours.")

# The choices of a subscription as a person reads them.
WORDS: Mapping[str, Mapping[str, str]] = {
    "by": {"email": N_("e-mail"), "sms": N_("SMS"), "both": N_("e-mail and SMS")},
    "every": {
        "day": N_("every day"), "weekdays": N_("Monday to Friday"), "week": N_("once a week"),
        "month": N_("once a month"),
    },
    "weekday": dict(zip(DAYS, (
        N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"),
    ), strict=True)),
    "when_empty": {"send": N_("say that there is nothing new"), "silent": N_("send nothing")},
    "detail": {"full": N_("everything"), "brief": N_("urgent reports and counts")},
    "catch_up": {"one": N_("one digest of all"), "each": N_("one digest for each period")},
    "attach": {"none": N_("no file"), "csv": N_("a CSV table"), "xlsx": N_("an Excel table")},
}  # fmt: skip


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def add(visit: Visit) -> Response:
    house, typed, at, actor = visit.house, visit.form, visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        wish = read_wish(typed, house.codebook(connection), visit.places)
        contact = _uuid(typed.word("contact")) if visit.places is None else visit.who.contact_id
        check_reached(visit, connection, contact, wish)
        assert contact is not None
        subscriptions.add(connection, contact, wish, now=at, actor=actor)

    problem = await tried(visit, keep)
    return await _page(visit, problem) if problem else visit.go("/subscriptions")


async def tried(visit: Visit, keep: Any) -> str:
    """Write, or say in words why not."""
    try:
        await visit.house.write(keep)
    except Conflict:
        return TWICE
    except NotFound:
        raise
    except NotTheirs:
        return NOT_YOURS
    except Unreached:
        return UNREACHED
    except UsageError:
        return WRONG
    return ""


def read_wish(typed: Form, codebook: Codebook, places: tuple[str, ...] | None) -> Wish:
    """What the form asks for. Raises UsageError, and NotTheirs for places beyond those of a coordinator."""
    choices = {name: typed.word(name) for name in ("every", "when_empty", "detail", "catch_up", "attach", "language")}
    day = typed.word("weekday") if choices["every"] == "week" else typed.word("month_day")
    wish = make_wish(
        typed.word("by"), typed.word("hours"), typed.word("places"), codebook.places,
        typed.word("zone") or codebook.zone, codebook=codebook, forms=" ".join(typed.all("forms")),
        categories=" ".join(typed.all("categories")), day=day, **choices,
    )  # fmt: skip
    if not all(covers(places, code) for code in wish.places):
        raise NotTheirs
    return wish


def check_reached(visit: Visit, connection: Connection, contact: UUID | None, wish: Wish) -> None:
    """Raises NotFound for nobody, Unreached when there is no address to which this digest could go."""
    found = people(connection, visit.house.sealer, only=[contact]) if contact else []
    if not found:
        raise NotFound("contact")
    if not subscriptions.addresses(found[0], wish.by):
        raise Unreached


async def change(visit: Visit) -> Response:
    """Pause, take up again, or take away for good."""
    act, at, actor = visit.form.word("act"), visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        key = find_own(visit, connection).id
        if act == "remove":
            subscriptions.remove(connection, key, now=at, actor=actor)
        elif act in ("pause", "resume"):
            reason = None if visit.places is None else subscriptions.BY_SELF
            subscriptions.set_active(connection, key, act == "resume", now=at, actor=actor, reason=reason)
        else:
            raise UsageError("act")

    await visit.house.write(keep)
    return visit.go("/subscriptions")


def find_own(visit: Visit, connection: Connection) -> Row[Any]:
    """The subscription of the address, which a coordinator must be the reader of. Raises NotFound."""
    key = _uuid(visit.request.path_params["id"])
    row = connection.execute(
        select(SUBSCRIPTION).where(SUBSCRIPTION.c.id == key, SUBSCRIPTION.c.removed_at.is_(None))
    ).first()
    if row is None or (visit.places is not None and row.contact_id != visit.who.contact_id):
        raise NotFound("subscription")
    return row


class Unreached(UsageError):
    """The contact has no address to which this digest could go."""


class NotTheirs(UsageError):
    """A coordinator asked for places beyond the own ones."""


async def _page(visit: Visit, problem: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        rows = _mine(visit, connection)
        coordinators = _coordinators(connection) if visit.places is None else []
        ids = [row.contact_id for row in rows] + [row.id for row in coordinators]
        names = shown_people.names(connection, ids, visit.house.sealer)
        return {"rows": rows, "coordinators": coordinators, "names": names, **choices_of(visit, connection)}

    wish = {**shown_wish(USUAL), **{name: visit.form[name] for name in TYPED if name in visit.form}}
    return visit.render(
        "subscriptions.html", 400 if problem else 200, problem=visit.t(problem) if problem else "", typed=visit.form,
        wish=wish, **await visit.house.read(load),
    )  # fmt: skip


def _mine(visit: Visit, connection: Connection) -> list[Row[Any]]:
    if visit.places is None:
        return subscriptions.standing(connection)
    return subscriptions.standing(connection, visit.who.contact_id) if visit.who.contact_id else []


def shown_wish(wish: Wish) -> dict[str, Any]:
    """A wish as the form shows it."""
    return {**asdict(wish), "weekday": DAYS[wish.weekday or 0], "month_day": wish.month_day or ""}


def choices_of(visit: Visit, connection: Connection) -> dict[str, Any]:
    """What the form offers."""
    codebook = visit.house.codebook(connection)
    return {
        "labels": Labels(codebook, visit.t), "words": WORDS, "ways": tuple(SCHEMES), "tongues": LANGUAGES,
        "forms": [name for name, form in codebook.forms.items() if form.kind == "report" and name != "poll"],
        "categories": sorted(codebook.categories),
    }  # fmt: skip


def _coordinators(connection: Connection) -> list[Row[Any]]:
    """Those who may be told: active coordinators and admins."""
    told = (CONTACT.c.role.in_(("coordinator", "admin")), CONTACT.c.status == "active")
    return list(connection.execute(select(CONTACT.c.id, CONTACT.c.places).where(*told).order_by(CONTACT.c.created_at)))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("subscription") from None


PAGES = (
    Page("GET", "/subscriptions", "subscriptions", show),
    Page("POST", "/subscriptions", "subscriptions", add),
    Page("POST", "/subscriptions/{id}", "subscriptions", change),
)
