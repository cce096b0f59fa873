"""Messages for a device that comes and fetches them: leased when handed over, settled by what the device says later.

The device's word comes by `record_receipt` with our id. A message of which it says nothing while it holds it goes back
to the queue and is handed over again under the same id, by which a device drops what it has sent already. A device that
never tells has sent what it was given, as far as anyone knows.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from outbox.queue import DEVICE, Seals, cancel_leased, claim_due
from outbox.results import note_handed_over, record_sent_many
from outbox.review import Review, reviewed, settle_words
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope, Sent

AT_ONCE = timedelta(minutes=1)
OWED_AT_MOST = 200


def hand_over(
    conn: Connection, *, channel: str, limit: int, now: datetime, seals: Seals, hold: timedelta | None,
    allowed: Callable[[Connection, Sequence[Envelope]], Collection[UUID]], review: Review | None = None,
) -> list[Envelope]:  # fmt: skip
    """Lease up to `limit` due messages of `channel` to its device for `hold`; those not `allowed` are cancelled.

    Without `hold` the device will tell nothing: what it is given is sent.
    """
    claimed = claim_due(conn, channel=channel, limit=limit, now=now, lease=hold or AT_ONCE, owner=DEVICE, seals=seals)
    may = set(allowed(conn, claimed)) if claimed else set()
    cancel_leased(conn, [one for one in claimed if one.id not in may], error="opted_out")
    given = [one for one in claimed if one.id in may]
    given = reviewed(conn, given, review, now) if review and given else given
    if given:
        settle_words(conn, given, seals=seals)
    if given and hold is None:
        record_sent_many(conn, [(one, Sent(str(one.id))) for one in given], now=now, seals=seals)
    elif given:
        counted = {"attempts": OUTBOUND.c.attempts + 1}
        conn.execute(update(OUTBOUND).where(OUTBOUND.c.id.in_([one.id for one in given])).values(counted))
        note_handed_over(conn, given, now)
    return given


def owed(conn: Connection, channel: str) -> list[UUID]:
    """Ids of messages that the device of `channel` holds, and of those it sent without news of their delivery."""
    column = OUTBOUND.c
    by_device = func.substr(column.lease, 1, len(DEVICE) + 1) == DEVICE + "."
    which = (column.channel == channel, column.state.in_(("sending", "sent")), by_device)
    return list(conn.scalars(select(column.id).where(*which).order_by(column.id.desc()).limit(OWED_AT_MOST)))
