"""A person's word on two reports that may tell of one event."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from gateway import audit
from gateway.errors import Conflict, NotFound
from gateway.reports import REPORT, Event, append_event
from gateway.same_event import LINK, STANDING
from gateway.sealing import Sealer

SETTLED = ("confirmed", "refused")


def settle(connection: Connection, link_id: UUID, state: str, *, sealer: Sealer, at: datetime, actor: str) -> None:
    """Confirm or refuse a proposal. Two sources that were confirmed make what is unverified corroborated.

    Saying the same again changes nothing. Raises NotFound, and Conflict when it was settled otherwise.
    """
    row = connection.execute(select(LINK).where(LINK.c.id == link_id).with_for_update()).first()
    if row is None or state not in SETTLED:
        raise NotFound("There is no such proposal.")
    if row.state == state:
        return
    if row.state != "proposed":
        raise Conflict("This proposal was settled otherwise meanwhile.")
    settled = {"state": state, "settled_at": at, "settled_by": actor}
    connection.execute(update(LINK).where(LINK.c.id == link_id).values(**settled))
    audit.record(
        connection, at=at, actor=actor, action=f"same_event.{state}", target=str(link_id), data={"kind": row.kind}
    )
    if state == "refused":
        return
    if row.kind == "corroborates":
        for report_id, other_id in ((row.report_id, row.other_id), (row.other_id, row.report_id)):
            _corroborate(connection, report_id, other_id, sealer, at, actor)
    else:
        data = {"repeats": _ref(connection, row.other_id)}
        append_event(connection, row.report_id, Event("noted", at, actor, data), sealer=sealer)


def _corroborate(
    connection: Connection, report_id: UUID, other_id: UUID, sealer: Sealer, at: datetime, actor: str
) -> None:
    """What a person verified or refuted, or what was withdrawn meanwhile, stays so."""
    report = connection.execute(select(REPORT).where(REPORT.c.id == report_id).with_for_update()).one()
    if report.verification != "unverified" or report.state not in STANDING:
        return
    data = {"verification": "corroborated", "source": _ref(connection, other_id)}
    append_event(connection, report_id, Event("verified", at, actor, data), sealer=sealer)
    audit.record(connection, at=at, actor=actor, action="report.verified", target=str(report_id))


def _ref(connection: Connection, report_id: UUID) -> int | None:
    return connection.scalar(select(REPORT.c.ref).where(REPORT.c.id == report_id))
