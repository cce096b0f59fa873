"""By which reports alerts are made: the rules, adding one, pausing, taking away."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from gateway.alerts import rulebook
from gateway.errors import NotFound, UsageError
from gateway.locale import N_
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

WRONG = N_(
    "Give the rule a name and at least one condition: codes of categories and places as they are listed, words with "
    "commas between them, and reports together with days."
)
TYPED = ("categories", "places", "words", "reports", "days")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def add(visit: Visit) -> Response:
    house, form, at, actor = visit.house, visit.form, visit.house.clock(), visit.who.actor
    typed = {name: form.get(name, "")[:2000] for name in TYPED}

    def keep(connection: Connection) -> None:
        codebook = house.codebook(connection)
        wish = rulebook.make_wish(codebook, form.get("name", ""), urgent="urgent" in form, **typed)
        rulebook.add(connection, wish, now=at, actor=actor)

    try:
        await house.write(keep)
    except UsageError:
        return await _page(visit, WRONG)
    return visit.go("/alert-rules")


async def change(visit: Visit) -> Response:
    """Pause, take up again, or take away for good."""
    act, at, actor = visit.form.word("act"), visit.house.clock(), visit.who.actor
    try:
        key = UUID(visit.request.path_params["id"])
    except ValueError:
        raise NotFound("rule") from None

    def keep(connection: Connection) -> None:
        if act == "remove":
            rulebook.remove(connection, key, now=at, actor=actor)
        elif act in ("pause", "resume"):
            rulebook.set_active(connection, key, act == "resume", now=at, actor=actor)
        else:
            raise UsageError("act")

    await visit.house.write(keep)
    return visit.go("/alert-rules")


async def _page(visit: Visit, problem: str = "") -> Response:
    def load(connection: Connection) -> dict[str, Any]:
        return {
            "rows": rulebook.standing(connection), "labels": Labels(visit.house.codebook(connection), visit.t),
            "safe": rulebook.alerts_urgent(connection),
        }  # fmt: skip

    return visit.render(
        "alert_rules.html", 400 if problem else 200, problem=visit.t(problem) if problem else "", typed=visit.form,
        **await visit.house.read(load),
    )  # fmt: skip


PAGES = (
    Page("GET", "/alert-rules", "alert_rules", show),
    Page("POST", "/alert-rules", "alert_rules", add),
    Page("POST", "/alert-rules/{id}", "alert_rules", change),
)
