"""What a subscription would be told if its period ended now. Nothing is written, nothing counts as told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select

from gateway.contacts import people
from gateway.digests.prepare import RUN, DuePeriod, Tools, read_period, rendered
from gateway.digests.render import Rendered
from gateway.errors import NotFound
from gateway.subscriptions import SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class Preview:
    """The digest from `begin` to `end` as both ways would show it, and the numbers it tells."""

    begin: datetime
    end: datetime
    mail: Rendered
    sms: Rendered
    refs: list[int]


def preview(connection: Connection, key: UUID, now: datetime, tools: Tools) -> Preview:
    """Since the last run, or since the subscription was made. Raises NotFound."""
    row = connection.execute(select(SUBSCRIPTION).where(SUBSCRIPTION.c.id == key)).first()
    if row is None or row.removed_at is not None:
        raise NotFound("There is no such subscription.")
    mine = (RUN.c.subscription_id == key, RUN.c.period_to <= now)
    last: datetime | None = connection.scalar(select(func.max(RUN.c.period_to)).where(*mine))
    begin = min(last or row.created_at, now - timedelta(seconds=1))
    period = DuePeriod(begin, now, sure=True)
    (person,) = people(connection, tools.sealer, only=[row.contact_id])
    read = read_period(connection, row, person, period, tools)
    mail, sms = (rendered(row, person, period, read, by, tools) for by in ("email", "sms"))
    return Preview(begin, now, mail, sms, read.contents.refs)
