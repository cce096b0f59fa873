"""What waits, what was sent and what failed; dead letters can be sent again, what waits can be cancelled."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, literal, select, update
from starlette.responses import Response

from gateway import audit
from gateway.errors import Conflict, NotFound
from gateway.web.answers import Sent, open_sent
from gateway.web.labels import Labels
from gateway.web.paging import PAGE, read_key
from gateway.web.visit import Page, Visit
from outbox.models import STATES
from outbox.queue import Waiting, retry_dead, waiting
from outbox.rows import OUTBOUND

# States that have a partial index.
INDEXED = ("queued", "sending", "failed")


async def show(visit: Visit) -> Response:
    state, cursor = visit.query("state"), read_key(visit.query("before"))
    state = state if state in STATES else ""

    def load(connection: Connection) -> dict[str, Any]:
        rows = list(connection.execute(page_query(state, cursor)))
        queues: dict[str, Waiting] = waiting(connection)
        lines: list[Sent] = [open_sent(row, visit.house.sealer) for row in rows[:PAGE]]
        more = rows[PAGE - 1].id if len(rows) > PAGE else None
        labels = Labels(visit.house.codebook(connection), visit.t)
        return {"lines": lines, "more": more, "queues": queues, "labels": labels}

    return visit.render("outbox.html", state=state, states=STATES, **await visit.house.read(load))


def page_query(state: str, cursor: UUID | None) -> Select[Any]:
    """A page and one row more, newest first: ids are UUIDv7, so their order is that of queueing."""
    older = [OUTBOUND.c.id < cursor] if cursor else []
    if state not in INDEXED:
        which = [OUTBOUND.c.state == state] if state else []
        return select(OUTBOUND).where(*which, *older).order_by(OUTBOUND.c.id.desc()).limit(PAGE + 1)
    # The state is written out and looked up first: its index is partial, and is passed over where rows come by id.
    found = select(OUTBOUND.c.id).where(OUTBOUND.c.state == literal(state, literal_execute=True), *older)
    ids = found.cte("found").prefix_with("MATERIALIZED")
    newest = select(ids.c.id).order_by(ids.c.id.desc()).limit(PAGE + 1)
    return select(OUTBOUND).where(OUTBOUND.c.id.in_(newest)).order_by(OUTBOUND.c.id.desc())


async def retry(visit: Visit) -> Response:
    """A failed or expired message is queued afresh."""
    key, at, actor = _id(visit), visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        if not retry_dead(connection, key, at):
            raise Conflict("neither failed nor expired")
        audit.record(connection, at=at, actor=actor, action="outbox.retry", target=str(key))

    await visit.house.write(keep)
    return visit.go("/outbox", state=visit.form.word("state"))


async def cancel(visit: Visit) -> Response:
    """What waits is not sent; what a process is sending at this moment is not stopped."""
    key, at, actor = _id(visit), visit.house.clock(), visit.who.actor

    def keep(connection: Connection) -> None:
        queued = (OUTBOUND.c.id == key, OUTBOUND.c.state == "queued")
        change = update(OUTBOUND).where(*queued).values(state="cancelled", error="by_hand")
        if not connection.execute(change).rowcount:
            raise Conflict("not queued")
        audit.record(connection, at=at, actor=actor, action="outbox.cancel", target=str(key))

    await visit.house.write(keep)
    return visit.go("/outbox", state=visit.form.word("state"))


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise NotFound("outbound message") from None


PAGES = (
    Page("GET", "/outbox", "outbox", show),
    Page("POST", "/outbox/{id}/retry", "outbox", retry),
    Page("POST", "/outbox/{id}/cancel", "outbox", cancel),
)
