import time
from datetime import timedelta

import pytest
from outbox_cast import ANA, BEATRIZ, Box, message
from sqlalchemy import select, text, update

from gateway.sealing import Sealer
from outbox import errors
from outbox.models import PRIORITY
from outbox.queue import (
    Waiting,
    cancel_for,
    cancel_leased,
    expire,
    give_back,
    new_rows,
    retry_dead,
    waiting,
)
from outbox.rows import LIFE, OUTBOUND
from outbox.senders.base import Sent

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def test_what_is_queued_comes_back_as_it_was_written(box: Box) -> None:
    new = message(
        kind="digest", channel="mail", to="mailto:ana@example.org", text="Informe según Tomás", subject="Ayer",
        html="<p>Informe</p>", headers={"In-Reply-To": "<a@b>"}, ref=3001,
    )  # fmt: skip
    box.put(new)
    [envelope] = box.claim(channel="mail")
    assert (envelope.id, envelope.kind, envelope.to, envelope.text) == (new.id, "digest", new.to, new.text)
    assert (envelope.subject, envelope.html, envelope.headers) == ("Ayer", "<p>Informe</p>", {"In-Reply-To": "<a@b>"})
    assert (envelope.ref, envelope.attempt, envelope.unsure_since) == (3001, 1, None)


def test_a_text_for_a_phone_is_folded_and_counted_when_it_is_queued(seals: Sealer, box: Box) -> None:
    rows = new_rows([message(text="Según Tomás"), message(text="日本")], seals=seals, now=box.now)
    assert [(row["encoding"], row["segments"]) for row in rows] == [("gsm7", 1), ("ucs2", 1)]
    opened = [seals.open("outbound_message", "text", row["id"], row["text_sealed"]) for row in rows]
    assert opened == ["Segun Tomas", "日本"]


def test_no_row_holds_an_address_or_a_text_in_clear(box: Box) -> None:
    box.put(message(text="canario", subject="canario", html="canario", headers={"X": "canario"}))
    [row] = box.run(lambda conn: conn.execute(select(OUTBOUND)).all())
    assert "canario" not in str(row)
    assert "55550101" not in str(row)


def test_the_most_urgent_goes_first_then_the_longest_due(box: Box) -> None:
    kinds = ["announcement", "digest", "alert", "confirmation", "reminder", "alert"]
    box.put(*(message(kind=kind, text=f"{number} {kind}") for number, kind in enumerate(kinds)))
    assert [envelope.text for envelope in box.claim(4)] == ["2 alert", "5 alert", "3 confirmation", "1 digest"]
    assert [envelope.text for envelope in box.claim(4)] == ["4 reminder", "0 announcement"]
    assert box.claim(4) == []


def test_a_priority_of_its_own_beats_the_kinds(box: Box) -> None:
    box.put(message(kind="alert"), message(kind="announcement", priority=-1, text="primero"))
    assert box.claim(1)[0].text == "primero"
    assert PRIORITY["alert"] < PRIORITY["confirmation"] < PRIORITY["digest"]


def test_what_is_not_due_waits(box: Box) -> None:
    box.put(message(not_before=box.now + MINUTE))
    assert box.claim() == []
    box.now += MINUTE
    assert len(box.claim()) == 1


def test_each_channel_claims_its_own(box: Box) -> None:
    box.put(message(channel="a"), message(channel="b"))
    assert [envelope.channel for envelope in box.claim(channel="b")] == ["b"]


def test_what_waited_past_its_time_expires_instead_of_going(box: Box) -> None:
    box.put(*(message(expires_at=box.now + MINUTE) for _ in range(12)), message(text="sigue"))
    box.now += MINUTE
    assert [envelope.text for envelope in box.claim(5)] == ["sigue"]
    assert box.states() == {"expired": 12, "sending": 1}


def test_a_message_without_an_end_waits_a_fortnight(box: Box) -> None:
    box.put(message())
    box.now += LIFE
    assert box.run(lambda conn: expire(conn, box.now)) == 1
    assert box.states() == {"expired": 1}


def test_a_row_that_does_not_open_fails_and_stops_nobody(box: Box) -> None:
    broken, whole = message(kind="alert"), message()
    box.put(broken, whole)
    box.run(lambda conn: conn.execute(update(OUTBOUND).where(OUTBOUND.c.id == broken.id).values(text_sealed=b"x")))
    assert [envelope.id for envelope in box.claim(1)] == [whole.id]
    assert (box.row(broken.id).state, box.row(broken.id).error) == ("failed", "unreadable")


def test_the_providers_yes_is_kept_with_its_try(box: Box) -> None:
    new = message()
    box.put(new)
    [envelope] = box.claim()
    assert box.sent(envelope, Sent("SM7", segments=2))
    row = box.row(new.id)
    assert (row.state, row.provider_id, row.segments, row.attempts) == ("sent", "SM7", 2, 1)
    assert (row.lease, row.sent_at) == (None, box.now)
    assert box.attempts(new.id) == [(1, "sent")]


def test_a_temporary_failure_waits_longer_each_time_and_keeps_each_try(box: Box) -> None:
    new = message()
    box.put(new)
    for number in range(1, 4):
        [envelope] = box.claim()
        assert envelope.attempt == number
        assert box.failed(envelope, errors.Unavailable(detail={"status": 503})) == "queued"
        assert box.row(new.id).not_before > box.now
        assert box.claim() == []
        box.now = box.row(new.id).not_before
    assert box.attempts(new.id) == [(1, "unavailable"), (2, "unavailable"), (3, "unavailable")]


def test_a_final_failure_is_final(box: Box) -> None:
    new = message()
    box.put(new)
    assert box.failed(box.claim()[0], errors.InvalidAddress()) == "failed"
    box.now += DAY
    assert box.claim() == []
    assert box.row(new.id).error == "invalid_address"


def test_being_offline_uses_no_attempt_and_loses_no_place(box: Box) -> None:
    first, second = message(), message()
    box.put(first, second)
    for _ in range(200):
        [envelope] = box.claim(1)
        assert envelope.id == first.id
        assert box.failed(envelope, errors.Offline()) == "queued"
    assert box.row(first.id).attempts == 0
    assert box.attempts(first.id) == []


def test_a_try_that_would_come_after_the_end_expires(box: Box) -> None:
    new = message(expires_at=box.now + timedelta(seconds=1))
    box.put(new)
    assert box.failed(box.claim()[0], errors.Deferred(retry_after=MINUTE)) == "expired"


def test_who_opts_out_gets_nothing_that_waits_but_the_last_answer(box: Box, seals: Sealer) -> None:
    box.put(message(kind="digest"), message(kind="confirmation", text="adios"), message(to=BEATRIZ))
    to_hash = seals.hash("address", ANA)
    assert box.run(lambda conn: cancel_for(conn, to_hash, keep_kinds=["confirmation"])) == 1
    assert {envelope.to for envelope in box.claim() if envelope.text != "adios"} == {BEATRIZ}


def test_a_leased_message_can_be_cancelled_or_given_back(box: Box) -> None:
    box.put(message(), message())
    first, second = box.claim()
    box.run(lambda conn: cancel_leased(conn, [first], error="opted_out"))
    box.run(lambda conn: give_back(conn, [second]))
    assert box.states() == {"cancelled": 1, "queued": 1}
    assert box.row(second.id).unsure_since is None


@pytest.mark.parametrize("how", ["failed", "expired"])
def test_a_dead_message_can_be_tried_again(box: Box, how: str) -> None:
    new = message(expires_at=box.now + MINUTE)
    box.put(new)
    if how == "failed":
        box.failed(box.claim()[0], errors.Refused())
    box.now += MINUTE
    box.run(lambda conn: expire(conn, box.now))
    assert box.run(lambda conn: retry_dead(conn, new.id, box.now)) is True
    [again] = box.claim()
    assert again.attempt == 1
    assert box.run(lambda conn: retry_dead(conn, new.id, box.now)) is False


def test_what_waits_is_told_by_channel(box: Box) -> None:
    box.put(message(), message(), message(channel="mail"))
    box.failed(box.claim(1)[0], errors.Refused())
    box.put(message(channel="mail", not_before=box.now - MINUTE))
    [dead] = box.claim(1, channel="mail")
    box.sent(dead)
    told = box.run(waiting)
    assert told == {"sms": Waiting(1, box.now, 1), "mail": Waiting(1, box.now, 0)}


def test_the_due_query_walks_the_partial_index(box: Box, database: str) -> None:
    if database == "sqlite":
        plan = box.explain("EXPLAIN QUERY PLAN ")
        assert "ix_outbound_message_due" in plan
        assert "TEMP B-TREE" not in plan
    else:
        assert "ix_outbound_message_due" in box.explain("EXPLAIN ")


@pytest.mark.parametrize("due", [True, False], ids=["all due", "none due"])
def test_an_alert_is_claimed_at_once_though_a_hundred_thousand_wait(box: Box, due: bool) -> None:
    box.put(message(kind="digest", not_before=box.now if due else box.now + DAY))
    box.run(lambda conn: conn.execute(text(_copies(box.engine.dialect.name, 100_000))))
    alert = message(kind="alert")
    box.put(alert)
    began = time.monotonic()
    [claimed] = box.claim(1)
    assert claimed.id == alert.id
    box.sent(claimed)
    assert time.monotonic() - began < 1


def _copies(dialect: str, number: int) -> str:
    """SQL that copies the one message there is."""
    columns = ", ".join(column.name for column in OUTBOUND.columns if column.name != "id")
    series = f"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {number}) SELECT i FROM n)"
    new_id = "lower(hex(randomblob(16)))" if dialect == "sqlite" else "gen_random_uuid()"
    return (
        f"INSERT INTO outbound_message (id, {columns}) SELECT {new_id}, {columns} FROM outbound_message, {series} AS s"
    )
