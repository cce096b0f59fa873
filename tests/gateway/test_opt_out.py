"""Who said BAJA gets the one confirmation and then nothing, whatever would send it; who says ALTA gets all again."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, update
from uuid_utils.compat import uuid7

from gateway import outages, route_rules
from gateway.announcing import Target, announce, preview, queue_announcements
from gateway.channels import registry
from gateway.contacts import CONTACT
from gateway.digests.schedule import run_due
from gateway.errors import Conflict
from gateway.house import House
from gateway.last_look import LastLook, allowed
from gateway.rerouting import mail_instead, reroute
from gateway.silence_watch import watch_silence
from gateway.stopped import note_stopped
from gateway.telling import tell_admins
from gateway.trying_channels import send_test
from outbox.models import KINDS
from outbox.queue import NewMessage, claim_due, enqueue
from outbox.review import reviewed
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.desk import MARTA, TOMAS, Desk
from tests.gateway.digests.office import subscribe
from tests.gateway.rows import contact_of

BOX = "mailto:marta.coordinadora@oficina.example"
BY_DAY = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)
URGENT = "ALERTA en nebaj tienen amarrado a un joven en el parque dicen q lo van a quemar"


def write(desk: Desk, job: Callable[[Connection], Any]) -> Any:
    return desk.house.writer.write_now(job)


def change_marta(desk: Desk, **values: object) -> None:
    key = contact_of(desk.house, MARTA)
    write(desk, lambda conn: conn.execute(update(CONTACT).where(CONTACT.c.id == key).values(**values)))


def confirmation(desk: Desk, _clock: HandClock) -> None:
    desk.say(MARTA, "inc rob nebaj ayer 2 heridos")
    desk.say(BOX, "inc rob cotzal ayer 1 herido", channel="mail")


def question(desk: Desk, _clock: HandClock) -> None:
    desk.say(MARTA, "inc rob ayer")


def alert(desk: Desk, _clock: HandClock) -> None:
    desk.say(TOMAS, URGENT)


def notice(desk: Desk, _clock: HandClock) -> None:
    change_marta(desk, role="admin")
    write(desk, lambda conn: tell_admins(conn, desk.house, ["El disco se llena."]))


def digest(desk: Desk, clock: HandClock) -> None:
    for by in ("sms", "email"):
        subscribe(desk.house, MARTA, by=by)
    desk.say(TOMAS, "inc rob nebaj ayer 2 heridos")
    clock.now += timedelta(days=1)
    run_due(desk.house)


def reminder(desk: Desk, clock: HandClock) -> None:
    write(desk, lambda conn: conn.execute(update(CONTACT).values(rhythm_days=0)))
    change_marta(desk, role="monitor", rhythm_days=7, last_heard_at=clock.now - timedelta(days=30))
    watch_silence(desk.house)


def announcement(desk: Desk, _clock: HandClock) -> None:
    for target in (Target("all"), Target("contact", str(contact_of(desk.house, MARTA)))):
        write(desk, partial(_announce, desk.house, target))
    queue_announcements(desk.house)


def _announce(house: House, target: Target, connection: Connection) -> None:
    shown = preview(connection, house, "Reunion el viernes", target)
    announce(connection, house, uuid7(), shown, target, "user:x")


def trial(desk: Desk, _clock: HandClock) -> None:
    for channel, to in (("modem", MARTA), ("mail", BOX)):
        with suppress(Conflict):
            write(desk, partial(_try, desk.house, channel, to))


def _try(house: House, channel: str, to: str, connection: Connection) -> None:
    send_test(connection, house, channel, to.partition(":")[2], actor="cli")


def mail_of_a_failed_sms(desk: Desk, clock: HandClock) -> None:
    put(desk, "tel:+50255559999", "notice")
    failed = {"state": "failed", "error": "invalid_address", "leased_at": clock.now}
    write(desk, lambda conn: conn.execute(update(OUTBOUND).where(OUTBOUND.c.state == "queued").values(**failed)))
    mail_instead(desk.house)


def by_another_channel(desk: Desk, clock: HandClock) -> None:
    """Queued for a channel that fails, as if nobody had looked; it moves to another, and is looked at there."""
    write(desk, lambda conn: registry.add(
        conn, desk.house.sealer, kind="simulator", name="other", values={}, at=clock.now, actor="test"
    ))  # fmt: skip
    write(desk, lambda conn: route_rules.add(conn, "all", ["modem", "other"], at=clock.now, actor="test"))
    put(desk, MARTA, "digest")
    write(desk, lambda conn: outages.begin(conn, "modem", "offline", clock.now))
    clock.now += timedelta(hours=1)
    assert reroute(desk.house) >= 1


def put(desk: Desk, to: str, kind: str) -> None:
    message = NewMessage(
        id=uuid7(), kind=kind, channel="modem", to=to, text="aviso", contact_id=contact_of(desk.house, MARTA)
    )
    write(desk, lambda conn: enqueue(conn, [message], seals=desk.house.sealer, now=desk.house.clock()))


MAKERS = {
    made.__name__: made
    for made in (
        confirmation, question, alert, notice, digest, reminder, announcement, trial, mail_of_a_failed_sms,
        by_another_channel,
    )
}  # fmt: skip


def going(desk: Desk) -> list[tuple[str, str]]:
    """Kind and channel of what a sender would take for Marta's phone and mailbox."""
    hashes = {desk.house.sealer.hash("address", address) for address in (MARTA, BOX)}

    def take(connection: Connection) -> list[tuple[str, str]]:
        taken, now, seals = [], desk.house.clock(), desk.house.sealer
        for channel in ("modem", "mail", "other"):
            due = claim_due(
                connection, channel=channel, limit=200, now=now, lease=timedelta(minutes=1), owner="x", seals=seals
            )
            fit = allowed(connection, due)
            look = LastLook(desk.house)
            going = reviewed(connection, [one for one in due if one.id in fit], look.review, now)
            taken += [(one.kind, channel) for one in going if one.to_hash in hashes]
        return taken

    found: list[tuple[str, str]] = write(desk, take)
    return found


@pytest.fixture
def at_day(desk: Desk, clock: HandClock) -> Desk:
    clock.now = BY_DAY
    return desk


def say_to_both(desk: Desk, word: str) -> None:
    desk.say(MARTA, word)
    desk.say(BOX, word, channel="mail")


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_nothing_goes_to_who_said_baja_but_one_confirmation(
    at_day: Desk, clock: HandClock, maker: Callable[[Desk, HandClock], None]
) -> None:
    say_to_both(at_day, "BAJA")
    assert going(at_day) == [("notice", "modem"), ("notice", "mail")]
    say_to_both(at_day, "BAJA")
    maker(at_day, clock)
    assert going(at_day) == []


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_what_waits_when_baja_comes_does_not_go(
    at_day: Desk, clock: HandClock, maker: Callable[[Desk, HandClock], None]
) -> None:
    maker(at_day, clock)
    say_to_both(at_day, "BAJA")
    assert [kind for kind, _ in going(at_day)] == ["notice", "notice"]


@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_who_says_alta_gets_all_again(
    at_day: Desk, clock: HandClock, maker: Callable[[Desk, HandClock], None]
) -> None:  # fmt: skip
    say_to_both(at_day, "BAJA")
    say_to_both(at_day, "ALTA")
    before = len(going(at_day))
    assert before == 4, "two last words, two welcomes"
    maker(at_day, clock)
    assert going(at_day) != []


def test_a_baja_is_for_the_address_it_came_from(at_day: Desk) -> None:
    at_day.say(MARTA, "BAJA")
    at_day.say(MARTA, "inc rob nebaj ayer 2 heridos")
    at_day.say(BOX, "inc rob cotzal ayer 1 herido", channel="mail")
    assert sorted(going(at_day)) == [("confirmation", "mail"), ("notice", "modem")]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_queued_behind_our_back_stops_at_the_last_look(at_day: Desk, clock: HandClock, kind: str) -> None:
    at_day.say(MARTA, "BAJA")
    clock.now += timedelta(minutes=1)
    put(at_day, MARTA, kind)
    assert going(at_day) == [("notice", "modem")], "the one confirmation"


def test_a_stop_at_the_provider_ends_what_waits_and_nothing_goes_by_mail_instead(
    at_day: Desk, clock: HandClock
) -> None:  # fmt: skip
    put(at_day, MARTA, "notice")
    put(at_day, MARTA, "digest")
    failed = {"state": "failed", "error": "opted_out", "leased_at": clock.now}
    write(at_day, lambda conn: conn.execute(update(OUTBOUND).where(OUTBOUND.c.kind == "digest").values(**failed)))
    hashed = at_day.house.sealer.hash("address", MARTA)
    write(at_day, lambda conn: note_stopped(conn, "modem", [hashed], now=clock.now))
    assert mail_instead(at_day.house) == 0
    assert going(at_day) == []
