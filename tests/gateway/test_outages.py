"""Outages: written once, ended by the first success, whoever noticed; seen also while nothing waits."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from gateway import outages
from gateway.activity import Activity
from gateway.doctor import examine_house
from gateway.links import knock, target, watch_links
from gateway.models import Channel
from gateway.outages import OUTAGE, Outage, span
from tests.conftest import HandClock
from tests.gateway.desk import TOMAS, Desk

CHANNEL = Channel.__table__
NINE = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
THREE = NINE + timedelta(hours=6)
GUATEMALA = ZoneInfo("America/Guatemala")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def settle(desk: Desk) -> None:
    """Wait until the writer has done what was handed to it."""
    desk.house.writer.write_now(lambda connection: None)


def logged(desk: Desk) -> list[Outage]:
    settle(desk)
    return desk.house.read_now(lambda conn: outages.within(conn, NINE - timedelta(days=9), NINE + timedelta(days=9)))


def set_config(desk: Desk, port: int, name: str = "mail") -> None:
    config = {"host": "127.0.0.1", "port": str(port), "tls": "none"}
    desk.house.writer.write_now(
        lambda conn: conn.execute(update(CHANNEL).where(CHANNEL.c.name == name).values(config=config))
    )


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return port_of(listening)


def test_an_outage_is_one_row_from_the_first_failure_to_the_first_success(desk: Desk, clock: HandClock) -> None:
    activity = Activity(desk.house)
    clock.now = NINE
    activity.on_state("mail", "offline", "offline")
    clock.advance(timedelta(hours=1))
    activity.on_state("mail", "offline", "unavailable")
    assert logged(desk) == [Outage("mail", "unavailable", NINE, None)]
    clock.now = THREE
    activity.on_state("mail", "online", "")
    (found,) = logged(desk)
    assert (found.began_at, found.ended_at) == (NINE, THREE)
    assert span(found, GUATEMALA) == "2026-03-10 09:00-15:00"


def test_an_outage_outlives_a_restart(desk: Desk, clock: HandClock) -> None:
    clock.now = NINE
    Activity(desk.house).on_state("mail", "offline", "offline")
    again = Activity(desk.house)
    clock.now = NINE + timedelta(hours=5)
    again.on_state("mail", "offline", "offline")
    clock.now = THREE
    again.on_state("mail", "online", "")
    assert [(one.began_at, one.ended_at) for one in logged(desk)] == [(NINE, THREE)]


def test_an_outage_of_a_process_that_died_ends_with_what_another_sends(desk: Desk, clock: HandClock) -> None:
    clock.now = NINE
    Activity(desk.house).on_state("mail", "offline", "offline")
    other = Activity(desk.house)
    clock.now = THREE
    other.on_state("mail", "sent", "1")
    done = other.flush()
    assert done is not None
    done.result()
    assert [one.ended_at for one in logged(desk)] == [THREE]
    assert desk.house.read_now(outages.lasting) == {}


def test_a_link_that_flaps_is_one_outage_and_patience_is_none(desk: Desk, clock: HandClock) -> None:
    activity = Activity(desk.house)
    clock.now = NINE
    for _ in range(5):
        activity.on_state("mail", "offline", "offline")
        clock.advance(timedelta(seconds=30))
        activity.on_state("mail", "online", "")
        clock.advance(timedelta(seconds=30))
    activity.on_state("modem", "offline", "throttled")
    assert [one.channel for one in logged(desk)] == ["mail"]


def test_two_processes_that_notice_at_once_write_one_row(desk: Desk) -> None:
    def both(connection: object) -> None:
        for reason in ("offline", "offline"):
            outages.begin(connection, "mail", reason, NINE)  # type: ignore[arg-type]

    desk.house.writer.write_now(both)
    assert desk.house.read_now(lambda conn: conn.scalar(select(func.count()).select_from(OUTAGE))) == 1


def test_a_dead_link_is_noticed_though_nothing_waits_and_so_is_its_return(
    desk: Desk, clock: HandClock, server: socket.socket
) -> None:
    clock.now = NINE
    set_config(desk, free_port())
    watch_links(desk.house)
    assert logged(desk) == [Outage("mail", "unreachable", NINE, None)]
    clock.now = THREE
    set_config(desk, port_of(server))
    watch_links(desk.house)
    assert [(one.began_at, one.ended_at) for one in logged(desk)] == [(NINE, THREE)]


def test_a_knock_does_not_end_what_a_sender_found_out(desk: Desk, clock: HandClock, server: socket.socket) -> None:
    set_config(desk, port_of(server))
    activity = Activity(desk.house)
    clock.now = NINE
    activity.on_state("mail", "auth_failed", "auth_failed")
    settle(desk)
    watch_links(desk.house)
    assert [one.ended_at for one in logged(desk)] == [None]
    activity.on_state("mail", "offline", "offline")
    desk.say(TOMAS, "alerta linchamiento sacapulas")
    watch_links(desk.house)
    assert [one.ended_at for one in logged(desk)] == [None], "a mail waits: it will tell"


def test_a_channel_that_just_sent_or_is_paused_is_left_alone(desk: Desk, clock: HandClock) -> None:
    clock.now = NINE
    set_config(desk, free_port())
    activity = Activity(desk.house)
    activity.on_state("mail", "sent", "1")
    done = activity.flush()
    assert done is not None
    done.result()
    watch_links(desk.house)
    assert logged(desk) == []
    clock.advance(timedelta(minutes=2))
    desk.house.writer.write_now(lambda conn: conn.execute(update(CHANNEL).values(state="paused")))
    watch_links(desk.house)
    assert logged(desk) == []


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("smtp", {"host": "mail.example", "tls": "tls"}, ("mail.example", 465)),
        ("smtp", {"host": "mail.example", "port": "2525"}, ("mail.example", 2525)),
        ("smtp", {"listen": "127.0.0.1:25"}, None),
        ("http", {"send_url": "https://sms.example/send"}, ("sms.example", 443)),
        ("http", {"send_url": "http://127.0.0.1:8080/send"}, ("127.0.0.1", 8080)),
        ("kannel", {"send_url": "http://127.0.0.1:13013/cgi-bin/sendsms"}, ("127.0.0.1", 13013)),
        ("android", {"send_url": "http://192.168.1.20:8080"}, ("192.168.1.20", 8080)),
        ("android", {}, None), ("smstools", {}, None),
        ("twilio", {"from": "+15005550006"}, ("api.twilio.com", 443)),
        ("twilio", {"from": "+15005550006", "api_base": "http://127.0.0.1:99"}, ("127.0.0.1", 99)),
        ("simulator", {}, None), ("console", {}, None), ("unheard_of", {}, None),
    ],
)  # fmt: skip
def test_where_to_knock(kind: str, config: dict[str, str], expected: tuple[str, int] | None) -> None:
    assert target(kind, config) == expected


def test_every_door_is_knocked_at_at_once(server: socket.socket) -> None:
    doors = {"a": ("127.0.0.1", port_of(server)), "b": ("127.0.0.1", free_port()), "c": ("127.0.0.1", 0)}
    assert knock(doors) == {"a": True, "b": False, "c": False}


def test_the_doctor_tells_of_outages_now_and_before(desk: Desk, clock: HandClock) -> None:
    activity = Activity(desk.house)
    clock.now = NINE
    activity.on_state("mail", "offline", "offline")
    settle(desk)
    told = {(found.level, found.words) for found in examine_house(desk.house)}
    assert ("bad", "mail (smtp) cannot send: offline") in told
    clock.now = THREE
    activity.on_state("mail", "online", "")
    settle(desk)
    told = {(found.level, found.words) for found in examine_house(desk.house)}
    assert ("ok", "mail: outage 2026-03-10 09:00-15:00") in told
