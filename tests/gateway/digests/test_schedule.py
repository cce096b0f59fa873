"""Digests: once per subscription and period, everything once, whatever the clock and other processes do."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from gateway import subscriptions
from gateway.digests import run_due
from gateway.digests.collect import ENTRY
from gateway.digests.schedule import RUN
from gateway.house import House
from gateway.standing import OPT_OUT
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.digests.office import DAY, EVENING, HOUR, MORNING, add_channel, run_at, subscribe, told
from tests.gateway.rows import MARTA, add_event, add_people, add_report


def test_a_digest_tells_the_reports_of_its_places_once(office: House, clock: HandClock) -> None:
    subscribe(office)
    _, here = add_report(office, MORNING - 3 * HOUR)
    _, there = add_report(office, MORNING - 2 * HOUR, place="0705", category="LIN")
    add_report(office, MORNING - 2 * HOUR, place="1301")
    (run,) = run_at(office, clock, MORNING)
    assert run.refs == (here, there)
    assert (run.period_from, run.period_to) == (MORNING - DAY, MORNING)
    assert len(run.outbox) == 1
    assert run_at(office, clock, MORNING) == []
    assert told(run_at(office, clock, EVENING)) == [()]


def test_nothing_is_due_before_the_first_hour_after_subscribing(office: House, clock: HandClock) -> None:
    clock.now = MORNING
    subscribe(office)
    assert run_at(office, clock, EVENING - timedelta(seconds=1)) == []
    assert len(run_at(office, clock, EVENING)) == 1


def test_what_was_reported_before_the_subscription_is_not_told(office: House, clock: HandClock) -> None:
    add_report(office, MORNING - 2 * DAY)
    subscribe(office)
    assert told(run_at(office, clock, MORNING)) == [()]


def test_a_report_after_the_hour_waits_for_the_next_digest_however_late_the_tick(
    office: House, clock: HandClock
) -> None:
    subscribe(office)
    _, late = add_report(office, MORNING + timedelta(seconds=5))
    assert told(run_at(office, clock, MORNING + timedelta(minutes=20))) == [()]
    assert told(run_at(office, clock, EVENING)) == [(late,)]


def test_a_machine_that_slept_for_three_days_makes_one_digest_of_all(office: House, clock: HandClock) -> None:
    subscribe(office)
    run_at(office, clock, MORNING)
    refs = [add_report(office, MORNING + day * DAY + HOUR)[1] for day in range(3)]
    (run,) = run_at(office, clock, MORNING + 3 * DAY + 2 * HOUR)
    assert run.refs == tuple(refs)
    assert (run.period_from, run.period_to) == (MORNING, MORNING + 3 * DAY)


def test_a_transaction_that_commits_after_the_digest_is_told_in_the_next(office: House, clock: HandClock) -> None:
    subscribe(office)
    assert told(run_at(office, clock, MORNING)) == [()]
    _, slow = add_report(office, MORNING - timedelta(minutes=30))
    assert told(run_at(office, clock, EVENING)) == [(slow,)]
    assert told(run_at(office, clock, EVENING + timedelta(hours=12))) == [()]


def test_each_subscription_is_told_for_itself(office: House, clock: HandClock) -> None:
    subscribe(office)
    subscribe(office, by="sms")
    subscribe(office, "mailto:eulalio@oficina.example")
    _, here = add_report(office, MORNING - HOUR)
    assert sorted(told(run_at(office, clock, MORNING))) == [(), (here,), (here,)]


def test_an_admin_without_places_is_told_of_all_also_of_no_place(office: House, clock: HandClock) -> None:
    subscribe(office, "mailto:admin@oficina.example")
    refs = [add_report(office, MORNING - HOUR, place=place)[1] for place in ("1413", "1301", None)]
    assert told(run_at(office, clock, MORNING)) == [tuple(sorted(refs))]


def test_places_of_the_subscription_go_before_those_of_the_contact(office: House, clock: HandClock) -> None:
    subscribe(office, places="1405,13")
    add_report(office, MORNING - HOUR, place="1413")
    refs = [add_report(office, MORNING - HOUR, place=place)[1] for place in ("1405", "1301", "13")]
    assert told(run_at(office, clock, MORNING)) == [tuple(refs)]


def test_practice_is_never_told(office: House, clock: HandClock) -> None:
    subscribe(office)
    add_report(office, MORNING - HOUR, practice=True)
    assert told(run_at(office, clock, MORNING)) == [()]


def test_a_correction_of_a_report_told_before_is_told_as_one(office: House, clock: HandClock) -> None:
    subscribe(office)
    report, ref = add_report(office, MORNING - HOUR)
    run_at(office, clock, MORNING)
    add_event(office, report, "corrected", MORNING + HOUR, fields={"injured": 3})
    assert told(run_at(office, clock, EVENING)) == [(ref,)]
    assert told(run_at(office, clock, EVENING + 12 * HOUR)) == [()]


def test_a_report_withdrawn_before_it_was_told_is_not(office: House, clock: HandClock) -> None:
    subscribe(office)
    report, _ = add_report(office, MORNING - 2 * HOUR)
    add_event(office, report, "withdrawn", MORNING - HOUR)
    assert told(run_at(office, clock, MORNING)) == [()]


def test_nobody_who_opted_out_or_was_suspended_is_told_until_they_come_back(office: House, clock: HandClock) -> None:
    subscribe(office)
    _, ref = add_report(office, MORNING - HOUR)
    silent = {"address_hash": office.sealer.hash("address", MARTA), "since": MORNING, "source": "sms"}
    office.writer.write_now(lambda conn: conn.execute(insert(OPT_OUT), [silent]))
    assert run_at(office, clock, MORNING) == []
    office.writer.write_now(lambda conn: conn.execute(OPT_OUT.delete()))
    assert told(run_at(office, clock, EVENING)) == [(ref,)]


def test_without_a_channel_the_digest_waits(house: House, clock: HandClock) -> None:
    clock.now = MORNING - DAY
    add_people(house)
    subscribe(house)
    _, ref = add_report(house, MORNING - HOUR)
    assert run_at(house, clock, MORNING) == []
    add_channel(
        house, "smtp", "correo", {"host": "127.0.0.1", "port": "25", "tls": "none", "from": "v@oficina.example"}
    )
    assert told(run_at(house, clock, EVENING)) == [(ref,)]


def test_a_paused_or_removed_subscription_is_not_told(office: House, clock: HandClock) -> None:
    paused, removed = subscribe(office), subscribe(office, by="sms")
    office.writer.write_now(lambda conn: subscriptions.set_active(conn, paused, False, now=clock.now, actor="cli"))
    office.writer.write_now(lambda conn: subscriptions.remove(conn, removed, now=clock.now, actor="cli"))
    _, ref = add_report(office, MORNING - HOUR)
    assert run_at(office, clock, MORNING) == []
    office.writer.write_now(lambda conn: subscriptions.set_active(conn, paused, True, now=clock.now, actor="cli"))
    assert told(run_at(office, clock, EVENING)) == [(ref,)]


JUMPS = {"an hour back": -HOUR, "a day back": -DAY, "to 1970": datetime(1970, 1, 2, tzinfo=UTC) - MORNING}


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())
def test_what_came_while_the_clock_stood_behind_is_told_once(office: House, clock: HandClock, jump: timedelta) -> None:
    subscribe(office)
    assert len(run_at(office, clock, MORNING)) == 1
    wrong = MORNING + timedelta(minutes=10) + jump
    assert run_at(office, clock, wrong) == []
    _, ref = add_report(office, wrong + timedelta(minutes=1))
    assert told(run_at(office, clock, EVENING)) == [(ref,)]
    assert told(run_at(office, clock, EVENING + 12 * HOUR)) == [()]


@pytest.mark.parametrize("jump", [DAY, 3650 * DAY], ids=["a day", "ten years"])
def test_a_clock_that_ran_ahead_neither_doubles_nor_swallows(office: House, clock: HandClock, jump: timedelta) -> None:
    subscribe(office)
    run_at(office, clock, MORNING)
    ahead = MORNING + jump + HOUR
    _, first = add_report(office, ahead)
    _, never_seen_ahead = add_report(office, ahead + 13 * HOUR)
    assert told(run_at(office, clock, ahead + 12 * HOUR)) == [(first,)]
    _, second = add_report(office, MORNING + 2 * HOUR)
    assert told(run_at(office, clock, EVENING)) == [tuple(sorted((never_seen_ahead, second)))]  # type: ignore[type-var]
    assert all(run.refs == () for at in (12, 24, 36) for run in run_at(office, clock, EVENING + at * HOUR))


def test_a_subscription_made_by_a_clock_that_ran_ahead_is_served(office: House, clock: HandClock) -> None:
    clock.now = MORNING + 3650 * DAY
    subscribe(office)
    _, ref = add_report(office, MORNING + HOUR)
    assert told(run_at(office, clock, EVENING)) == [(ref,)]


def test_a_later_time_may_be_given_and_an_earlier_one_makes_nothing(office: House, clock: HandClock) -> None:
    subscribe(office)
    _, ref = add_report(office, MORNING - HOUR)
    assert run_due(office, MORNING - 2 * DAY) == []
    assert told(run_due(office, MORNING)) == [(ref,)]
    assert run_due(office, MORNING) == []


def test_the_message_waits_if_and_only_if_the_run_was_made(office: House, clock: HandClock) -> None:
    subscribe(office)
    add_report(office, MORNING - HOUR)
    (run,) = run_at(office, clock, MORNING)
    row = office.read_now(lambda conn: conn.execute(select(OUTBOUND)).one())
    assert (row.id, row.kind, row.channel, row.state) == (run.outbox[0], "digest", "correo", "queued")
    assert row.not_before <= clock.now
    made = office.read_now(lambda conn: conn.execute(select(RUN.c.id, RUN.c.period_to)).all())
    assert [tuple(one) for one in made] == [(row.digest_run_id, MORNING)]
    assert office.read_now(lambda conn: conn.scalar(select(func.count()).select_from(ENTRY))) == 1


def test_a_period_told_late_by_a_clock_set_back_loses_nothing_after_it(office: House, clock: HandClock) -> None:
    """The clock ran ahead over two periods, told them as one, and stands again between them."""
    subscribe(office)
    run_at(office, clock, MORNING)
    run_at(office, clock, MORNING + DAY + HOUR)
    back = EVENING + 2 * HOUR
    clock.now = back
    run_due(office)
    _, before = add_report(office, EVENING - HOUR)
    assert told(run_at(office, clock, back)) == [(before,)]
    _, after = add_report(office, back - HOUR)
    assert told(run_at(office, clock, MORNING + 2 * DAY)) == [(after,)]
