"""Which channel a message goes by, which stands in when it cannot, and what never moves."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import update
from uuid_utils.compat import uuid7

from gateway import outages, route_rules
from gateway.channels import registry
from gateway.errors import Conflict, NotFound, UsageError
from gateway.rerouting import mail_instead, reroute
from gateway.routes import CHANNEL, choose, ways
from outbox import errors
from outbox.queue import NewMessage, claim_due, enqueue, record_failure
from outbox.retry import RetryPolicy
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.desk import ANA, MARTA, TOMAS, Desk
from tests.gateway.rows import contact_of

MINUTES = timedelta(minutes=1)
TIGO, CLARO = "tel:+50240001111", "tel:+50250001111"
REPORT = "inc rob nebaj ayer 2 heridos"


def write(desk: Desk, job: Any) -> Any:
    return desk.house.writer.write_now(job)


def add_channel(desk: Desk, name: str, kind: str = "http", **values: str) -> None:
    settings = {"token": "a-token-of-the-test", "send_url": "http://127.0.0.1:9/send"} if kind == "http" else values
    write(desk, lambda conn: registry.add(
        conn, desk.house.sealer, kind=kind, name=name, values=settings, at=desk.house.clock(), actor="test"
    ))  # fmt: skip


def add_rule(desk: Desk, name: str, channels: list[str], *prefixes: str) -> None:
    write(desk, lambda conn: route_rules.add(conn, name, channels, prefixes, at=desk.house.clock(), actor="test"))


@pytest.fixture
def office(desk: Desk) -> Desk:
    """A desk with three ways to send SMS."""
    add_channel(desk, "telefono")
    add_channel(desk, "nube")
    return desk


def cut(desk: Desk, name: str) -> None:
    write(desk, lambda conn: outages.begin(conn, name, "offline", desk.house.clock()))


def mend(desk: Desk, name: str) -> None:
    write(desk, lambda conn: outages.end(conn, name, desk.house.clock()))


def waiting(desk: Desk) -> dict[str, int]:
    found = [row.channel for row in desk.outbox() if row.state == "queued"]
    return {name: found.count(name) for name in sorted(set(found))}


def test_an_answer_goes_out_where_the_text_came_in_whatever_the_rules_say(office: Desk) -> None:
    add_rule(office, "todos", ["telefono", "modem", "nube"])
    office.say(ANA, REPORT)
    assert waiting(office) == {"modem": 1}


def test_a_rule_by_prefix_orders_the_channels_for_what_the_gateway_begins(office: Desk) -> None:
    add_rule(office, "tigo", ["telefono", "modem"], "+5024")
    add_rule(office, "claro", ["nube", "modem"], "+5025", "+5023")
    found = office.house.read_now(ways)
    assert [choose(found, TIGO), choose(found, CLARO)] == ["telefono", "nube"]


def test_without_a_rule_nothing_moves_however_long_the_channel_is_away(office: Desk, clock: HandClock) -> None:
    office.say(ANA, REPORT)
    cut(office, "modem")
    clock.now += 300 * MINUTES
    assert reroute(office.house) == 0
    assert waiting(office) == {"modem": 1}


def test_what_waits_goes_by_the_next_channel_after_ten_minutes_and_says_why(office: Desk, clock: HandClock) -> None:
    add_rule(office, "todos", ["modem", "telefono", "nube"])
    cut(office, "modem")
    office.say(ANA, REPORT)
    clock.now += 9 * MINUTES
    assert reroute(office.house) == 0
    clock.now += 2 * MINUTES
    assert reroute(office.house) == 1
    assert waiting(office) == {"telefono": 1}
    [row] = [row for row in office.outbox() if row.state == "queued"]
    assert (row.moved_from, row.moved_why, row.moved_at) == ("modem", "offline", clock.now)


def test_an_alert_moves_after_one_minute(office: Desk, clock: HandClock) -> None:
    add_rule(office, "todos", ["modem", "telefono"])
    cut(office, "modem")
    office.say(TOMAS, "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar")
    clock.now += MINUTES
    reroute(office.house)
    alert = next(row for row in office.outbox() if row.kind == "alert" and row.segments)
    assert alert.channel == "telefono"


def test_a_channel_that_is_away_too_is_passed_over_and_a_paused_one_keeps_what_it_holds(
    office: Desk, clock: HandClock
) -> None:
    add_rule(office, "todos", ["modem", "telefono", "nube"])
    office.say(ANA, REPORT)
    cut(office, "modem")
    cut(office, "telefono")
    clock.now += 11 * MINUTES
    reroute(office.house)
    assert waiting(office) == {"nube": 1}
    write(office, lambda conn: registry.set_state(
        conn, name="nube", state="paused", at=clock.now, actor="test"
    ))  # fmt: skip
    mend(office, "modem")
    clock.now += 60 * MINUTES
    assert reroute(office.house) == 0


def test_what_may_have_been_handed_over_stays_where_it_is(office: Desk, clock: HandClock) -> None:
    """The provider may hold it: by another channel it would come twice."""
    add_rule(office, "todos", ["modem", "telefono"])
    office.say(ANA, REPORT)
    seals = office.house.sealer

    def try_once(connection: Any) -> None:
        [envelope] = claim_due(
            connection, channel="modem", limit=1, now=clock.now, lease=MINUTES, owner="one", seals=seals
        )
        record_failure(
            connection, envelope, errors.UnknownResult(), now=clock.now, policy=RetryPolicy(), rng=Random(1)
        )  # fmt: skip

    write(office, try_once)
    cut(office, "modem")
    clock.now += 60 * MINUTES
    assert reroute(office.house) == 0
    assert waiting(office) == {"modem": 1}


def test_a_message_that_is_being_sent_does_not_move(office: Desk, clock: HandClock) -> None:
    add_rule(office, "todos", ["modem", "telefono"])
    office.say(ANA, REPORT)
    seals = office.house.sealer
    write(office, lambda conn: claim_due(
        conn, channel="modem", limit=1, now=clock.now, lease=90 * MINUTES, owner="one", seals=seals
    ))  # fmt: skip
    cut(office, "modem")
    clock.now += 60 * MINUTES
    assert reroute(office.house) == 0


def test_many_messages_move_although_others_have_no_other_way(office: Desk, clock: HandClock) -> None:
    add_rule(office, "tigo", ["modem", "telefono"], "+5024")
    rows = [(f"tel:+50250{number:06}" if number < 230 else f"tel:+50240{number:06}") for number in range(250)]
    write(office, lambda conn: enqueue_all(conn, office, rows))
    cut(office, "modem")
    clock.now += 11 * MINUTES
    assert reroute(office.house) == 20
    assert waiting(office) == {"modem": 230, "telefono": 20}


def enqueue_all(connection: Any, office: Desk, addresses: list[str]) -> None:

    messages = [
        NewMessage(id=uuid7(), kind="notice", channel="modem", to=to, text=f"aviso {to[-6:]}") for to in addresses
    ]
    enqueue(connection, messages, seals=office.house.sealer, now=office.house.clock())


def failed(office: Desk, clock: HandClock) -> None:
    """Everything that waits for a phone has failed for good."""
    values = {"state": "failed", "error": "invalid_address", "leased_at": clock.now}
    write(office, lambda conn: conn.execute(update(OUTBOUND).where(OUTBOUND.c.segments > 0).values(values)))


def test_an_sms_that_failed_for_good_goes_by_mail_once_to_who_has_a_mailbox(office: Desk, clock: HandClock) -> None:
    key = contact_of(office.house, MARTA)
    write(office, lambda conn: enqueue_all(conn, office, [MARTA, "tel:+50250001234"]))
    hashed = office.house.sealer.hash("address", MARTA)
    write(office, lambda conn: conn.execute(
        update(OUTBOUND).where(OUTBOUND.c.to_hash == hashed).values(contact_id=key)
    ))  # fmt: skip
    failed(office, clock)
    assert mail_instead(office.house) == 1
    assert mail_instead(office.house) == 0
    [mail] = [row for row in office.outbox() if row.state == "queued"]
    assert mail.channel == "mail"
    assert mail.instead_of is not None


def test_alerts_are_not_sent_again_by_mail(office: Desk, clock: HandClock) -> None:
    office.say(TOMAS, "ALERTA tienen amarrado a un joven en el parque dicen q lo van a quemar")
    failed(office, clock)
    before = len(office.outbox())
    mail_instead(office.house)
    assert [row for row in office.outbox()[before:] if row.kind == "alert"] == []


@pytest.mark.parametrize(
    ("channels", "prefixes", "words"),
    [
        ([], (), "at least one channel"),
        (["nada"], (), "no channel nada"),
        (["modem"], ("4000",), "no beginning"),
        (["modem"], ("@x.org",), "no beginning"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_the_reason(
    office: Desk, channels: list[str], prefixes: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        add_rule(office, "una", channels, *prefixes)


def test_rules_have_names_of_their_own_and_an_order_that_can_be_changed(office: Desk) -> None:
    add_rule(office, "una", ["modem"])
    with pytest.raises(Conflict):
        add_rule(office, "una", ["nube"])
    add_rule(office, "otra", ["nube"])
    assert choose(office.house.read_now(ways), TIGO) == "modem"
    write(office, lambda conn: route_rules.put_first(conn, "otra", at=office.house.clock(), actor="test"))
    assert choose(office.house.read_now(ways), TIGO) == "nube"
    write(office, lambda conn: route_rules.remove(conn, "otra", at=office.house.clock(), actor="test"))
    with pytest.raises(NotFound):
        write(office, lambda conn: route_rules.remove(conn, "otra", at=office.house.clock(), actor="test"))


def test_the_way_of_an_address_is_explained(office: Desk) -> None:
    add_rule(office, "todos", ["modem", "telefono", "nube"])
    cut(office, "modem")
    write(office, lambda conn: conn.execute(update(CHANNEL).where(CHANNEL.c.name == "nube").values(state="disabled")))
    rule, stops = office.house.read_now(lambda conn: route_rules.explain(conn, TIGO))
    assert rule == "todos"
    assert [(stop.channel, stop.why) for stop in stops] == [
        ("modem", "offline"), ("telefono", "usable"), ("nube", "disabled"),
    ]  # fmt: skip
