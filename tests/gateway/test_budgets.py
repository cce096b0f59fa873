"""What a channel may cost on a day: told in time, stopped at the end, alerts aside."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from gateway.budgets import Budget, set_budget, watch_budgets
from gateway.errors import NotFound, UsageError
from gateway.last_look import LastLook
from gateway.routes import CHANNEL
from outbox.queue import NewMessage, claim_due, enqueue
from outbox.results import record_sent
from outbox.review import reviewed
from outbox.senders.base import Sent
from tests.conftest import HandClock
from tests.gateway.desk import ANA, Desk

MINUTE = timedelta(minutes=1)


def write(desk: Desk, job: Any) -> Any:
    return desk.house.writer.write_now(job)


def limit(desk: Desk, **values: Any) -> None:
    write(desk, lambda conn: set_budget(conn, "modem", Budget(**values), at=desk.house.clock(), actor="test"))


def queue(desk: Desk, number: int, kind: str = "notice") -> None:
    messages = [
        NewMessage(id=uuid7(), kind=kind, channel="modem", to=ANA, text=f"aviso {index}") for index in range(number)
    ]
    write(desk, lambda conn: enqueue(conn, messages, seals=desk.house.sealer, now=desk.house.clock()))


def send_all(desk: Desk, look: LastLook) -> list[str]:
    """Claim, review, send; the kinds that went."""
    now, seals, went = desk.house.clock(), desk.house.sealer, list[str]()

    def job(connection: Any) -> None:
        while True:
            claimed = claim_due(connection, channel="modem", limit=1, now=now, lease=MINUTE, owner="x", seals=seals)
            if not claimed:
                return
            for envelope in reviewed(connection, claimed, look.review, now):
                record_sent(connection, envelope, Sent(envelope.id.hex), now=now, seals=seals)
                went.append(envelope.kind)

    write(desk, job)
    return went


def test_at_the_limit_only_alerts_go_out_until_midnight(desk: Desk, clock: HandClock) -> None:
    limit(desk, day_segments=3)
    look = LastLook(desk.house)
    queue(desk, 5)
    queue(desk, 2, kind="alert")
    assert sorted(send_all(desk, look)) == ["alert", "alert", "notice"]
    held = [row for row in desk.outbox() if row.state == "queued"]
    assert {row.not_before.isoformat() for row in held} == {"2026-03-11T06:00:00+00:00"}
    clock.now = held[0].not_before
    assert send_all(desk, look) == ["notice"] * 3


def test_money_counts_by_the_price_of_a_segment_and_is_kept_with_each_message(desk: Desk, clock: HandClock) -> None:
    limit(desk, price=0.25, currency="GTQ", day_cost=1.0)
    queue(desk, 6)
    assert len(send_all(desk, LastLook(desk.house))) == 4
    watch_budgets(desk.house)
    assert [row.cost for row in desk.outbox() if row.state == "sent"] == [0.25] * 4
    limit(desk, price=0.5, day_cost=1.5)
    assert len(send_all(desk, LastLook(desk.house))) == 1, "what was sent before keeps the price it had"


def test_the_admins_are_told_once_a_day_when_it_comes_near(desk: Desk, clock: HandClock) -> None:
    limit(desk, day_segments=10)
    look = LastLook(desk.house)
    queue(desk, 7)
    send_all(desk, look)
    assert watch_budgets(desk.house) == 0
    queue(desk, 1)
    send_all(desk, look)
    assert [watch_budgets(desk.house), watch_budgets(desk.house)] == [1, 0]
    told = [row for row in desk.outbox() if row.state == "queued"]
    assert len(told) == 1
    clock.now += timedelta(days=1)
    assert watch_budgets(desk.house) == 0


def test_a_higher_limit_lets_what_was_held_back_go_at_once(desk: Desk, clock: HandClock) -> None:
    limit(desk, day_segments=1)
    queue(desk, 3)
    assert len(send_all(desk, LastLook(desk.house))) == 1
    limit(desk, day_segments=100)
    assert len(send_all(desk, LastLook(desk.house))) == 2


def test_nothing_at_all_may_go_but_alerts(desk: Desk) -> None:
    limit(desk, day_segments=0)
    queue(desk, 1)
    queue(desk, 1, kind="alert")
    assert send_all(desk, LastLook(desk.house)) == ["alert"]


def test_a_channel_without_limit_costs_no_look(desk: Desk) -> None:
    look = LastLook(desk.house)
    queue(desk, 2)
    assert len(send_all(desk, look)) == 2


@pytest.mark.parametrize("values", [{"price": -1.0}, {"currency": "XXX"}, {"day_cost": 5.0}, {"day_segments": -1}])
def test_a_budget_that_makes_no_sense_is_refused(desk: Desk, values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        limit(desk, **values)


def test_a_budget_of_no_channel_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        write(desk, lambda conn: set_budget(conn, "nada", Budget(), at=desk.house.clock(), actor="test"))
    assert desk.house.read_now(lambda conn: conn.scalar(select(CHANNEL.c.day_segments).limit(1))) is None
