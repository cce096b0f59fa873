"""What is asked about messages in the transaction that claims them: may they go today, and in which words."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection, Table, select

from gateway.budgets import Budgets
from gateway.freshness import Freshness
from gateway.house import House
from gateway.models import OptOut
from outbox.review import Verdict
from outbox.senders.base import Envelope

OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
LAST_WORDS = ("notice",)


def allowed(connection: Connection, envelopes: Sequence[Envelope]) -> set[UUID]:
    """All but those to who opted out; what ends a BAJA may still go."""
    hashes = {envelope.to_hash for envelope in envelopes}
    out = set(connection.scalars(select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(hashes))))
    return {one.id for one in envelopes if one.to_hash not in out or one.kind in LAST_WORDS}


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
