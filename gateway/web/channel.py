"""One channel: how it is, what to paste at the other end, a test, its settings, what it may cost; and making a new one.

A secret that is set is shown as a mark; sent back unchanged, the mark keeps it.
"""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from gateway.budgets import CURRENCIES, Budget, set_budget
from gateway.channel_state import look, pasted
from gateway.channels import CHANNELS, registry
from gateway.channels.base import Kind
from gateway.errors import NotFound, UsageError
from gateway.locale import N_
from gateway.trying_channels import send_test
from gateway.web.channels import spans
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit

VALUE_LENGTH = 2000
STATES = {"pause": "paused", "resume": "active", "disable": "disabled"}
WRONG = N_("That cannot stand: {why}")
QUEUED = N_("The test is queued. The page Outbox shows what becomes of it.")


async def show(visit: Visit) -> Response:
    return await _page(visit)


async def change(visit: Visit) -> Response:
    """New settings; those left as they were are not touched."""
    house, name, at, actor = visit.house, _name(visit), visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        old = registry.get(connection, house.sealer, name)
        shown = {**old.config, **dict.fromkeys(old.secrets, registry.KEEP)}
        typed = _typed(visit, registry.kind_of(old.kind))
        new = {key: value for key, value in typed.items() if value != str(shown.get(key, ""))}
        if new:
            registry.change(connection, house.sealer, name=name, values=new, at=at, actor=actor)

    return await _kept(visit, keep)


async def limit(visit: Visit) -> Response:
    """Rate, price and what may go out on a day; empty is without a limit."""
    name, at, actor, form = _name(visit), visit.house.clock(), visit.who.actor, visit.form

    def keep(connection: Connection) -> None:
        segments = _number(form.word("day_segments"))
        if segments is not None and segments != int(segments):
            raise UsageError("Segments are whole numbers.")
        budget = Budget(
            _number(form.word("price")), form.word("currency") or "GTQ", None if segments is None else int(segments),
            _number(form.word("day_cost")),
        )  # fmt: skip
        registry.set_rate(connection, name=name, rate=_number(form.word("rate")), at=at, actor=actor)
        set_budget(connection, name, budget, at=at, actor=actor)

    return await _kept(visit, keep)


async def set_state(visit: Visit) -> Response:
    name, at, actor = _name(visit), visit.house.clock(), visit.who.actor
    state = STATES.get(visit.form.word("act"))
    if state is None:
        raise UsageError("act")
    await visit.house.write(lambda conn: registry.set_state(conn, name=name, state=state, at=at, actor=actor))
    return visit.go(f"/channels/{name}")


async def test(visit: Visit) -> Response:
    """A message to the phone or mailbox that was typed; it goes like any other."""
    house, name, to, actor = visit.house, _name(visit), visit.form.word("to"), visit.who.actor
    return await _kept(visit, lambda conn: send_test(conn, house, name, to, actor=actor), done="test")


async def new(visit: Visit) -> Response:
    """The kinds to choose from, then the settings of the kind."""
    kind = CHANNELS.get(visit.query("kind"))
    return await _new_page(visit, kind)


async def make(visit: Visit) -> Response:
    house, at, actor = visit.house, visit.house.clock(), visit.who.actor
    kind, name = CHANNELS.get(visit.form.word("kind")), visit.form.word("name")
    if kind is None:
        raise NotFound("kind")
    values = {key: value for key, value in _typed(visit, kind).items() if value}

    def keep(connection: Connection) -> None:
        registry.add(connection, house.sealer, kind=kind.name, name=name, values=values, at=at, actor=actor)

    try:
        await house.write(keep)
    except UsageError as error:
        return await _new_page(visit, kind, visit.t(WRONG, why=str(error)))
    return visit.go(f"/channels/{name}")


async def _kept(visit: Visit, keep: Any, done: str = "") -> Response:
    """Write, then show the channel again; what cannot stand is told on its page."""
    try:
        await visit.house.write(keep)
    except NotFound:
        raise
    except UsageError as error:
        return await _page(visit, visit.t(WRONG, why=str(error)))
    return visit.go(f"/channels/{_name(visit)}", done=done)


async def _page(visit: Visit, problem: str = "") -> Response:
    name, house = _name(visit), visit.house

    def load(connection: Connection) -> dict[str, Any]:
        labels = Labels(house.codebook(connection), visit.t)
        found = look(connection, house, only=name)
        if not found:
            raise NotFound("channel")
        return {"one": found[0], "labels": labels, **spans(found, labels)}

    values = await house.read(load)
    one = values["one"]
    signs = await visit.web.signs.read(house.readers, [one.config])
    done = visit.t(QUEUED) if visit.query("done") == "test" and not problem else ""
    return visit.render(
        "channel.html", 400 if problem else 200, problem=problem, done=done, now=house.clock(), signs=signs,
        kind=CHANNELS[one.config.kind], keep=registry.KEEP, currencies=sorted(CURRENCIES), typed=visit.form,
        pasted=pasted(one.config, house.settings.base_url), **values,
    )  # fmt: skip


async def _new_page(visit: Visit, kind: Kind | None, problem: str = "") -> Response:
    offered = [one for one in CHANNELS.values() if one.name != "simulator" or visit.house.settings.simulator]
    status = 400 if problem else 200
    return visit.render("channel_new.html", status, problem=problem, kind=kind, kinds=offered, typed=visit.form)


def _typed(visit: Visit, kind: Kind) -> dict[str, str]:
    """What was typed for each setting of the kind that the form has."""
    given = ((spec.name, visit.form.get(f"set.{spec.name}")) for spec in kind.settings)
    return {name: value.strip()[:VALUE_LENGTH] for name, value in given if value is not None}


def _number(typed: str) -> float | None:
    """None for nothing. Raises UsageError."""
    if not typed:
        return None
    try:
        number = float(typed.replace(",", "."))
    except ValueError as error:
        raise UsageError(f"{typed!r} is no number.") from error
    if not 0 <= number < 1e9:
        raise UsageError("Numbers are 0 or more.")
    return number


def _name(visit: Visit) -> str:
    return str(visit.request.path_params["name"])


PAGES = (
    Page("GET", "/channels/new", "channels", new),
    Page("POST", "/channels", "channels", make),
    Page("GET", "/channels/{name}", "channels", show),
    Page("POST", "/channels/{name}", "channels", change),
    Page("POST", "/channels/{name}/limits", "channels", limit),
    Page("POST", "/channels/{name}/state", "channels", set_state),
    Page("POST", "/channels/{name}/test", "channels", test),
)
