"""What is asked about messages in the transaction that claims them: may they go today, and in which words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, Table, select

from gateway.budgets import Budgets
from gateway.freshness import Freshness
from gateway.house import House
from gateway.models import OptOut
from outbox.review import Verdict
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope

OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
SKEW = timedelta(seconds=5)


def allowed(connection: Connection, envelopes: Sequence[Envelope]) -> set[UUID]:
    """All but those to who opted out; what ends a BAJA may still go."""
    hashes = {envelope.to_hash for envelope in envelopes}
    out = set(connection.scalars(select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(hashes))))
    held = {one.id for one in envelopes if one.to_hash in out}
    return {one.id for one in envelopes} - held | (_last_words(connection, held) if held else set())


def _last_words(connection: Connection, ids: set[UUID]) -> set[UUID]:
    """The answers to a BAJA among them: queued with it, and told by it; what waited then was cancelled."""
    same = OUTBOUND.join(OPT_OUT, OPT_OUT.c.address_hash == OUTBOUND.c.to_hash)
    query = select(OUTBOUND.c.id, OUTBOUND.c.queued_at, OPT_OUT.c.since).select_from(same)
    answers = (OUTBOUND.c.kind == "notice", OUTBOUND.c.message_id.is_not(None), OPT_OUT.c.source == "message")
    rows = connection.execute(query.where(OUTBOUND.c.id.in_(ids), *answers))
    return {row.id for row in rows if row.queued_at <= row.since + SKEW}


class LastLook:
    """The review of one house."""

    def __init__(self, house: House) -> None:
        self._budgets = Budgets(house)
        self._freshness = Freshness(house)

    def review(self, connection: Connection, envelopes: Sequence[Envelope]) -> Mapping[UUID, Verdict]:
        """The day's money decides before the words do."""
        held = self._budgets.review(connection, envelopes)
        going = [one for one in envelopes if one.id not in held] if held else envelopes
        return {**self._freshness.review(connection, going), **held}
