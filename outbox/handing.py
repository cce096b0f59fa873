"""Messages for a device that comes and fetches them: leased when handed over, settled by what the device says later.

The device's word comes by `record_receipt` with our id. A message of which it says nothing within HELD goes back to the
queue and is handed over again under the same id, by which a device drops what it has sent already.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, update

from outbox.queue import DEVICE, Seals, cancel_leased, claim_due
from outbox.results import note_handed_over
from outbox.review import Review, reviewed, settle_words
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope

HELD = timedelta(minutes=15)


def hand_over(
    conn: Connection, *, channel: str, limit: int, now: datetime, seals: Seals,
    allowed: Callable[[Connection, Sequence[Envelope]], Collection[UUID]], review: Review | None = None,
) -> list[Envelope]:  # fmt: skip
    """Lease up to `limit` due messages of `channel` to its device, for HELD; those not `allowed` are cancelled."""
    claimed = claim_due(conn, channel=channel, limit=limit, now=now, lease=HELD, owner=DEVICE, seals=seals)
    may = set(allowed(conn, claimed)) if claimed else set()
    cancel_leased(conn, [one for one in claimed if one.id not in may], error="opted_out")
    given = [one for one in claimed if one.id in may]
    given = reviewed(conn, given, review, now) if review and given else given
    if given:
        settle_words(conn, given, seals=seals)
        counted = {"attempts": OUTBOUND.c.attempts + 1}
        conn.execute(update(OUTBOUND).where(OUTBOUND.c.id.in_([one.id for one in given])).values(counted))
        note_handed_over(conn, given, now)
    return given
