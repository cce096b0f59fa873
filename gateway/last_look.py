"""What is asked about messages in the transaction that claims them: may they go today, and in which words."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Connection

from gateway.budgets import Budgets
from gateway.freshness import Freshness
from gateway.house import House
from outbox.review import Verdict
from outbox.senders.base import Envelope


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
