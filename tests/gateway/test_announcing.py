"""Announcements: who gets one and what it costs is shown first; each goes once, by day, and last."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.announcing import Preview, Target, announce, preview, progress, queue_announcements
from gateway.contacts import CONTACT, set_status
from gateway.errors import NotFound, UsageError
from gateway.failing import ADDRESS
from gateway.house import open_house
from gateway.models import AuditEntry
from tests.conftest import HandClock
from tests.gateway.desk import ANA, EULALIO, GASPAR, LUCIA, MARTA, TOMAS, Desk
from tests.gateway.post import Post
from tests.gateway.rows import contact_of

TEXT = "Reunión de monitores el viernes a las 9 en la oficina de Nebaj"
SENT = "Reunion de monitores el viernes a las 9 en la oficina de Nebaj"
AUDIT = AuditEntry.__table__
MARTAS = ("14", "07")
ALL = Target("all")


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk.house)


def look(desk: Desk, target: Target, text: str = TEXT) -> Preview:
    return desk.house.read_now(lambda conn: preview(conn, desk.house, text, target))


def send(desk: Desk, target: Target, key: UUID | None = None, text: str = TEXT) -> bool:
    key, shown = key or uuid7(), look(desk, target, text)
    return desk.house.writer.write_now(lambda conn: announce(conn, desk.house, key, shown, target, "user:marta"))


def set_contact(desk: Desk, address: str, **values: object) -> None:
    key = contact_of(desk.house, address)
    desk.house.writer.write_now(lambda conn: conn.execute(update(CONTACT).where(CONTACT.c.id == key).values(**values)))


def by_day(clock: HandClock) -> None:
    clock.now = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("target", "number", "sms"),
    [
        (ALL, 25, 24), (Target("all", None, MARTAS), 10, 10), (Target("place", "16"), 6, 5),
        (Target("place", "1413"), 2, 2), (Target("place", "1413", MARTAS), 2, 2),
    ],
)  # fmt: skip
def test_who_gets_it_and_what_it_costs_is_shown_first(
    desk: Desk, clock: HandClock, target: Target, number: int, sms: int
) -> None:
    by_day(clock)
    desk.house.writer.write_now(lambda conn: limits.change(conn, "segment_price", "0.25", at=clock.now, actor="test"))
    shown = look(desk, target)
    assert (len(shown.recipients), shown.skipped, shown.segments) == (number, 0, sms)
    assert shown.cost == sms * Decimal("0.25")
    assert (shown.text, shown.first_at) == (SENT, clock.now)
    assert desk.outbox() == [], "nothing goes by looking"


@pytest.mark.parametrize("target", [Target("place", "1301", MARTAS), Target("place", "9999"), Target("contact", "x"),
                                    Target("contact", "00000000-0000-0000-0000-000000000000")])  # fmt: skip
def test_nobody_is_found_outside_the_askers_places(desk: Desk, target: Target) -> None:
    with pytest.raises(NotFound):
        look(desk, target)


def test_a_person_of_another_coordinator_is_not_found(desk: Desk) -> None:
    lucia = str(contact_of(desk.house, LUCIA))
    assert len(look(desk, Target("contact", lucia)).recipients) == 1
    with pytest.raises(NotFound):
        look(desk, Target("contact", lucia, MARTAS))


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 161, "ñ" * 161])
def test_a_text_is_one_sms_or_is_refused(desk: Desk, text: str) -> None:
    with pytest.raises(UsageError):
        look(desk, ALL, text)


def test_a_form_sent_twice_is_one_announcement_and_each_person_gets_it_once(
    desk: Desk, clock: HandClock, post: Post
) -> None:
    by_day(clock)
    key = uuid7()
    assert send(desk, Target("place", "14"), key) is True
    assert send(desk, Target("place", "14"), key) is False
    assert queue_announcements(desk.house) == queue_announcements(desk.house) + 6
    post.send()
    assert [post.told(address) for address in (ANA, GASPAR, MARTA, LUCIA)] == [[SENT], [SENT], [SENT], []]
    (found,) = desk.house.read_now(lambda conn: progress(conn, desk.house.sealer))
    assert (found.id, found.text, found.recipients, dict(found.states)) == (key, SENT, 6, {"sent": 6})
    actions = desk.house.read_now(lambda conn: list(conn.scalars(select(AUDIT.c.action))))
    assert actions.count("announcement.send") == 1


def test_what_was_broken_off_in_the_middle_is_gone_on_with(desk: Desk, clock: HandClock, post: Post) -> None:
    by_day(clock)
    send(desk, ALL)
    queue_announcements(desk.house)
    desk.house.writer.write_now(lambda conn: conn.exec_driver_sql("UPDATE announcement SET queued_at = NULL"))
    desk.house.writer.write_now(
        lambda conn: conn.exec_driver_sql(
            "DELETE FROM outbound_message WHERE id IN (SELECT id FROM outbound_message LIMIT 9)"
        )
    )
    assert queue_announcements(desk.house) == 9
    assert len({row.contact_id for row in desk.outbox()}) == len(desk.outbox()) == 25


def test_who_said_baja_left_or_cannot_be_reached_is_passed_over(desk: Desk, clock: HandClock, post: Post) -> None:
    by_day(clock)
    for sender in (ANA, GASPAR):
        desk.say(sender, "BAJA")
    before = len(desk.outbox())
    key = contact_of(desk.house, TOMAS)
    desk.house.writer.write_now(lambda conn: set_status(conn, key, "left", now=clock.now, actor="test"))
    set_contact(desk, MARTA, discreet=True)
    desk.house.writer.write_now(
        lambda conn: conn.execute(
            update(ADDRESS)
            .where(ADDRESS.c.contact_id == contact_of(desk.house, GASPAR))
            .values(failing_since=clock.now)
        )
    )
    shown = look(desk, Target("place", "14"))
    assert shown.skipped == 2, "Gaspar has no address left, Marta is discreet; Tomas is gone"
    assert {one.to for one in shown.recipients} & {ANA, GASPAR, MARTA, TOMAS} == set()
    send(desk, Target("place", "14"))
    queue_announcements(desk.house)
    told = [row for row in desk.outbox() if row.kind == "announcement"]
    assert len(told) == len(shown.recipients) == len(desk.outbox()) - before
    assert len(look(desk, Target("contact", str(contact_of(desk.house, MARTA)))).recipients) == 1


def test_who_says_baja_between_the_form_and_the_sending_gets_nothing(desk: Desk, clock: HandClock, post: Post) -> None:
    by_day(clock)
    send(desk, Target("place", "1405"))
    desk.say(GASPAR, "BAJA")
    queue_announcements(desk.house)
    post.send()
    assert SENT not in post.told(GASPAR)


def test_at_night_it_waits_for_the_morning_and_goes_after_everything_else(
    desk: Desk, clock: HandClock, post: Post
) -> None:
    clock.now = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)
    set_contact(desk, EULALIO, zone="Asia/Tokyo")
    morning = datetime(2026, 3, 11, 14, 30, tzinfo=UTC)
    assert look(desk, ALL).first_at == clock.now, "Eulalio is where it is day"
    assert look(desk, Target("place", "14")).first_at == morning
    send(desk, ALL)
    queue_announcements(desk.house)
    post.send()
    assert post.told(EULALIO) == [SENT]
    assert post.told(ANA) == []
    clock.now = morning
    desk.say(ANA, "inc rob nebaj ayer")
    post.send()
    kinds = [one.kind for one in post.modem.taken]
    assert kinds[1] == "confirmation"
    assert kinds.count("announcement") == 24
    assert {row.expires_at - row.not_before for row in desk.outbox() if row.kind == "announcement"} == {
        timedelta(days=3)
    }


def test_three_workers_at_once_queue_each_message_once(desk: Desk, clock: HandClock) -> None:
    by_day(clock)
    for _ in range(3):
        send(desk, ALL)
    houses = [open_house(desk.house.settings, clock) for _ in range(3)]
    try:
        with ThreadPoolExecutor(3) as workers:
            assert sum(workers.map(queue_announcements, houses)) == 75
    finally:
        for house in houses:
            house.close()
    pairs = [(row.about_id, row.contact_id) for row in desk.outbox()]
    assert len(pairs) == len(set(pairs)) == 75
