"""The outbox's cast: messages, people, and the queue with its usual arguments."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Row, event, select, text
from uuid_utils.compat import uuid7

from gateway.sealing import Sealer
from outbox.queue import (
    NewMessage,
    claim_due,
    enqueue,
    record_failure,
    record_receipt,
    record_sent,
    release_expired_leases,
)
from outbox.results import ATTEMPT
from outbox.retry import RetryPolicy
from outbox.rows import OUTBOUND
from outbox.senders.base import Envelope, Sent

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
ANA, BEATRIZ = "tel:+50255550101", "tel:+50255550102"


def message(**changes: Any) -> NewMessage:
    values = {"id": uuid7(), "kind": "confirmation", "channel": "sms", "to": ANA, "text": "Recibido 3001"}
    return NewMessage(**(values | changes))


class Box:
    """The queue with its usual arguments, each act in a transaction of its own."""

    def __init__(self, engine: Engine, seals: Sealer) -> None:
        self.engine = engine
        self.seals = seals
        self.now = NOW
        self.rng = Random(7)
        self.policy = RetryPolicy()

    def run(self, job: Callable[[Connection], Any]) -> Any:
        with self.engine.begin() as conn:
            return job(conn)

    def put(self, *messages: NewMessage) -> None:
        self.run(lambda conn: enqueue(conn, messages, seals=self.seals, now=self.now))

    def claim(self, limit: int = 10, *, channel: str = "sms", owner: str = "one") -> list[Envelope]:
        return self.run(
            lambda conn: claim_due(
                conn, channel=channel, limit=limit, now=self.now, lease=LEASE, owner=owner, seals=self.seals
            )
        )

    def sent(self, envelope: Envelope, sent: Sent | None = None) -> bool:
        result = sent or Sent("SM1")
        return self.run(lambda conn: record_sent(conn, envelope, result, now=self.now, seals=self.seals))

    def failed(self, envelope: Envelope, error: Exception) -> str:
        return self.run(
            lambda conn: record_failure(conn, envelope, error, now=self.now, policy=self.policy, rng=self.rng)
        )

    def receipt(self, status: str, our_id: UUID | None = None, provider_id: str | None = None, **changes: Any) -> str:
        values = {"channel": "sms", "error": None, "at": self.now, "now": self.now, "seals": self.seals} | changes
        return self.run(
            lambda conn: record_receipt(conn, status=status, our_id=our_id, provider_id=provider_id, **values)
        )

    def row(self, message_id: UUID) -> Row[Any]:
        return self.run(lambda conn: conn.execute(select(OUTBOUND).where(OUTBOUND.c.id == message_id)).one())

    def states(self) -> dict[str, int]:
        return self.run(self.states_in)

    @staticmethod
    def states_in(conn: Connection) -> dict[str, int]:
        rows = conn.execute(select(OUTBOUND.c.state)).scalars().all()
        return {state: rows.count(state) for state in sorted(set(rows))}

    def attempts(self, message_id: UUID) -> list[tuple[int, str]]:
        query = select(ATTEMPT.c.number, ATTEMPT.c.result).where(ATTEMPT.c.outbound_id == message_id)
        return [tuple(row) for row in self.run(lambda conn: conn.execute(query.order_by(ATTEMPT.c.id)).all())]

    def release(self, holding: Collection[UUID] = ()) -> int:
        return self.run(lambda conn: release_expired_leases(conn, self.now, holding=holding))

    def explain(self, prefix: str) -> str:
        """The plan of the query that claims."""
        heard: list[tuple[str, Any]] = []

        def listen(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
            heard.append((statement, parameters))

        event.listen(self.engine, "before_cursor_execute", listen)
        self.claim()
        event.remove(self.engine, "before_cursor_execute", listen)
        statement, parameters = next(one for one in heard if one[0].startswith("SELECT"))
        with self.engine.begin() as conn:
            if self.engine.dialect.name == "postgresql":
                conn.execute(text("SET LOCAL enable_seqscan = off"))
            return str(conn.exec_driver_sql(prefix + statement, parameters).all())


def envelope_of(**changes: Any) -> Envelope:
    """An envelope as the queue would open it."""
    values = {
        "id": uuid7(), "kind": "confirmation", "channel": "sms", "to": ANA, "text": "Recibido 3001", "lease": "one.1",
        "to_hash": b"x", "leased_at": NOW,
    }  # fmt: skip
    return Envelope(**(values | changes))
