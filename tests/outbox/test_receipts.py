from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from outbox_cast import LEASE, NOW, Box, message
from sqlalchemy import StaticPool, create_engine, func, insert, select
from uuid_utils.compat import uuid7

from gateway.sealing import KeyRing, Sealer
from outbox import errors
from outbox.models import STATES, OutboundMessage, ParkedReceipt, SendAttempt
from outbox.queue import apply_parked, cancel_for, drop_parked, retry_dead
from outbox.receipts import PARKED, RANK
from outbox.senders.base import Envelope, Sent
from outbox.tables import metadata

MINUTE = timedelta(minutes=1)


@pytest.fixture
def sent(box: Box) -> Envelope:
    box.put(message())
    [envelope] = box.claim()
    box.sent(envelope, Sent("SM1"))
    return envelope


ORDERS = {
    "in order": (["sent", "delivered"], "delivered"),
    "out of order": (["delivered", "sent"], "delivered"),
    "twice": (["delivered", "delivered"], "delivered"),
    "failed": (["sent", "failed"], "failed"),
    "failed before sent": (["failed", "sent"], "failed"),
    "failed and delivered": (["failed", "delivered"], "delivered"),
    "delivered and failed": (["delivered", "failed"], "delivered"),
}


@pytest.mark.parametrize(("statuses", "state"), ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("by", ["our id", "provider id", "both"])
def test_receipts_end_in_the_same_state_in_any_order(
    box: Box, sent: Envelope, statuses: list[str], state: str, by: str
) -> None:
    keys = {"our id": (sent.id, None), "provider id": (None, "SM1"), "both": (sent.id, "SM1")}[by]
    for status in statuses:
        assert box.receipt(status, *keys) in ("applied", "stale")
    assert box.row(sent.id).state == state


def test_a_receipt_tells_when_and_why(box: Box, sent: Envelope) -> None:
    at = box.now + MINUTE
    box.receipt("failed", provider_id="SM1", error="30003", at=at)
    assert (box.row(sent.id).error, box.row(sent.id).delivered_at) == ("30003", None)
    box.receipt("delivered", provider_id="SM1", at=at)
    assert (box.row(sent.id).error, box.row(sent.id).delivered_at) == (None, at)


@pytest.mark.parametrize("status", ["sent", "delivered", "failed"])
def test_a_receipt_that_comes_before_the_answer_of_the_same_call_has_the_last_word(box: Box, status: str) -> None:
    box.put(message())
    [envelope] = box.claim()
    assert box.receipt(status, envelope.id, "SM1") == "applied"
    assert box.sent(envelope, Sent("SM1")) is True
    row = box.row(envelope.id)
    assert (row.state, row.provider_id, row.lease) == (status, "SM1", None)


def test_a_receipt_spares_a_message_whose_result_was_unknown_a_second_sending(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    box.failed(envelope, errors.UnknownResult())
    assert box.receipt("sent", envelope.id, "SM1") == "applied"
    box.now += timedelta(hours=2)
    assert box.claim() == []
    assert box.row(envelope.id).state == "sent"


def test_a_receipt_while_a_failing_try_runs_has_the_last_word(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    box.receipt("delivered", envelope.id, "SM1")
    assert box.failed(envelope, errors.UnknownResult()) == "delivered"
    assert box.row(envelope.id).lease is None


def test_a_receipt_spares_the_message_of_a_dead_process(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    box.now += LEASE
    box.release()
    assert box.receipt("delivered", envelope.id, "SM1") == "applied"
    assert box.claim() == []


def test_an_early_receipt_by_the_providers_id_is_parked_and_applied_when_the_id_is_known(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    assert box.receipt("failed", provider_id="SM1", error="30003") == "parked"
    assert box.receipt("delivered", provider_id="SM1") == "parked"
    assert box.receipt("delivered", provider_id="SM1") == "parked"
    assert _parked(box) == 2
    box.sent(envelope, Sent("SM1"))
    assert (box.row(envelope.id).state, _parked(box)) == ("delivered", 0)


def _parked(box: Box) -> int:
    return box.run(lambda conn: conn.execute(select(func.count()).select_from(PARKED)).scalar_one())


def test_a_receipt_that_was_parked_while_its_message_was_being_recorded_is_applied_by_the_sweep(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    box.sent(envelope, Sent("SM1"))
    crossed = {
        "id": uuid7(), "channel": "sms", "provider_hash": box.seals.hash("provider", "SM1"), "status": "delivered",
        "error": None, "at": box.now, "parked_at": box.now,
    }  # fmt: skip
    box.run(lambda conn: conn.execute(insert(PARKED), crossed))
    assert box.run(apply_parked) == 1
    assert (box.row(envelope.id).state, _parked(box)) == ("delivered", 0)


def test_a_receipt_for_nobody_is_parked_and_forgotten_in_time(box: Box) -> None:
    assert box.receipt("delivered", provider_id="SM404") == "parked"
    assert box.receipt("delivered", uuid7()) == "parked"
    assert box.run(apply_parked) == 0
    assert box.run(lambda conn: drop_parked(conn, box.now)) == 0
    assert box.run(lambda conn: drop_parked(conn, box.now + MINUTE)) == 2


def test_one_channel_cannot_touch_the_messages_of_another(box: Box, sent: Envelope) -> None:
    assert box.receipt("failed", sent.id, "SM1", channel="other") == "parked"
    assert box.row(sent.id).state == "sent"


def test_an_id_that_comes_round_again_means_the_newest(box: Box) -> None:
    box.put(message(), message())
    first, second = sorted(box.claim(), key=lambda envelope: envelope.id)
    box.sent(first, Sent("7"))
    box.sent(second, Sent("7"))
    box.receipt("delivered", provider_id="7")
    assert [box.row(first.id).state, box.row(second.id).state] == ["sent", "delivered"]


def test_bad_news_of_an_earlier_try_does_not_touch_the_next(box: Box, sent: Envelope) -> None:
    box.receipt("failed", sent.id, "SM1")
    box.run(lambda conn: retry_dead(conn, sent.id, box.now))
    assert box.receipt("failed", sent.id, "SM1") == "stale"
    [again] = box.claim()
    assert box.receipt("failed", sent.id, "SM1") == "stale"
    box.sent(again, Sent("SM2"))
    assert box.receipt("failed", sent.id, "SM1") == "stale"
    assert box.row(sent.id).state == "sent"
    assert box.receipt("delivered", sent.id, "SM1") == "applied", "the person has it, by whichever try"


def test_a_very_long_id_of_a_provider_is_found_by_its_hash(box: Box) -> None:
    box.put(message())
    [envelope] = box.claim()
    box.sent(envelope, Sent("x" * 1000 + "1"))
    assert box.receipt("delivered", provider_id="x" * 1000 + "2") == "parked"
    assert box.receipt("delivered", provider_id="x" * 1000 + "1") == "applied"
    assert len(box.row(envelope.id).provider_id) == 255


class Lifetime(RuleBasedStateMachine):
    """One message, its tries, its receipts, its clock, in every order; a model says what may be true."""

    @initialize()
    def begin(self) -> None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(
            engine,
            tables=[model.__table__ for model in (OutboundMessage, SendAttempt, ParkedReceipt)],  # type: ignore[attr-defined]
        )
        self.box = Box(engine, SEALS)
        new = message(expires_at=NOW + timedelta(days=2))
        self.id, self.to = new.id, new.to
        self.box.put(new)
        self.held: list[Envelope] = []
        self.number = 0
        self.rank = 0

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.box.engine.dispose()

    @property
    def state(self) -> str:
        return str(self.box.row(self.id).state)

    @rule()
    def claim(self) -> None:
        before = self.state
        claimed = self.box.claim()
        assert not claimed or before == "queued"
        self.held += claimed

    @precondition(lambda self: self.held)
    @rule(data=st.data(), same_id=st.booleans())
    def hear_yes(self, data: st.DataObject, same_id: bool) -> None:
        envelope = data.draw(st.sampled_from(self.held))
        self.number += 0 if same_id and self.number else 1
        before = self.state
        if self.box.sent(envelope, Sent(f"SM{self.number}")):
            self.held.remove(envelope)
            assert RANK[self.state] >= RANK["sent"]
        else:
            assert self.state == before

    @precondition(lambda self: self.held)
    @rule(
        data=st.data(),
        error=st.sampled_from([errors.Offline, errors.Deferred, errors.UnknownResult, errors.Refused, errors.OptedOut]),
    )
    def hear_no(self, data: st.DataObject, error: type[errors.SendError]) -> None:
        envelope = data.draw(st.sampled_from(self.held))
        lease, before = self.box.row(self.id).lease, self.state
        after = self.box.failed(envelope, error())
        assert after == self.state
        if lease != envelope.lease or before != "sending":
            assert after == before
        self.held.remove(envelope)

    @rule(
        status=st.sampled_from(["sent", "delivered", "failed"]), ours=st.booleans(), number=st.integers(0, 4),
    )  # fmt: skip
    def hear_receipt(self, status: str, ours: bool, number: int) -> None:
        before = self.state
        provider_id = f"SM{number}" if number else None
        outcome = self.box.receipt(status, self.id if ours else None, provider_id)
        after = self.state
        if outcome == "applied":
            assert after == status
            assert RANK[after] > RANK[before]
        else:
            assert after == before
        if ours and provider_id is None:
            assert outcome == ("applied" if RANK[status] > RANK[before] else "stale")

    @rule(seconds=st.sampled_from([1, 59, 61, 3600, 90_000, -1, -3600, -90_000]))
    def pass_time(self, seconds: int) -> None:
        self.box.now += timedelta(seconds=seconds)

    @rule()
    def release(self) -> None:
        self.box.release()

    @rule()
    def opt_out(self) -> None:
        to_hash = SEALS.hash("address", self.to)
        self.box.run(lambda conn: cancel_for(conn, to_hash))

    @rule()
    def sweep(self) -> None:
        self.box.run(apply_parked)

    @rule()
    def revive(self) -> None:
        if self.box.run(lambda conn: retry_dead(conn, self.id, self.box.now)):
            self.rank = 0

    @invariant()
    def a_settled_message_never_goes_back(self) -> None:
        if not hasattr(self, "box"):
            return
        rank = RANK[self.state]
        if self.rank >= RANK["expired"]:
            assert rank >= self.rank
        self.rank = rank

    @invariant()
    def only_a_message_in_hand_has_a_running_lease(self) -> None:
        if not hasattr(self, "box"):
            return
        row = self.box.row(self.id)
        if row.state == "sending":
            assert row.lease
            assert row.lease in [envelope.lease for envelope in self.held]
        if row.state in ("queued", "expired", "cancelled"):
            assert row.lease is None
        assert row.state != "delivered" or row.delivered_at


SEALS = Sealer(KeyRing.new())

TestLifetime = pytest.mark.timeout(300)(Lifetime.TestCase)
TestLifetime.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_table_of_ranks_covers_every_state() -> None:
    assert set(RANK) == set(STATES)
