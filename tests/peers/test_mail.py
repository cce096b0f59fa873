"""The real Postfix and Dovecot around a real server, and aiosmtpd as a relay in every mood."""

import asyncio
import imaplib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from gateway.house import House
from outbox.queue import NewMessage, enqueue
from outbox.rows import OUTBOUND
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel, at_work, until
from tests.outbox.outbox_mail import Relay
from tests.peers.conftest import need
from tests.peers.mail import PASSWORD, Dovecot, Postfix, letter
from tests.peers.table import Table
from tests.served import Served, free_port

pytestmark = [pytest.mark.peers, pytest.mark.timeout(240)]

PIPE, LMTP = "vocero@pipe.gw.test", "vocero@lmtp.gw.test"


def wait_for(condition: Callable[[], bool], seconds: float = 40.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return False


def heard(served: Served) -> Counter[str]:
    """How often the words of each mail were kept, bounces left out."""
    rows = served.export("messages")
    return Counter(row["text"] for row in rows if row["state"] not in ("auto_reply", "duplicate"))


def settled(table: Table, channel: str, peer: str, found: Counter[str], number: int, *faults: str, **more: int) -> None:
    lost, doubled = number - len(found), sum(found.values()) - len(found)
    table.row(channel, peer=peer, texts_in=len(found), faults=faults, lost=lost, doubled=doubled, **more)
    assert (lost, doubled) == (0, 0)


@pytest.fixture
def sink() -> Iterator[Relay]:
    relay = Relay()
    yield relay
    relay.close()


@pytest.fixture
def postfix(served: Served, sink: Relay) -> Iterator[Postfix]:
    """Postfix in front of a gateway with the channel `correo`."""
    need("postfix", "postqueue")
    one = Postfix(sink.port, free_port(), free_port())
    served.set_up()
    served.run(
        "channel", "add", "smtp", "correo", "--set", f"listen=127.0.0.1:{one.smtp}", "--set",
        f"lmtp=127.0.0.1:{one.lmtp}", "--set", f"from={LMTP}", "--set", "host=127.0.0.1", "--set", f"port={one.port}",
        "--set", "tls=none",
    )  # fmt: skip
    served.start()
    one.start()
    yield one
    one.close()


def test_mail_goes_through_postfix_both_ways_and_waits_there_while_the_gateway_is_down(
    postfix: Postfix, served: Served, sink: Relay, table: Table
) -> None:
    peer = Postfix.version()
    for number in range(20):
        postfix.bring(letter(number, PIPE if number % 2 else LMTP))
    assert wait_for(lambda: len(heard(served)) == 20)
    assert wait_for(lambda: len(sink.mails) == 20), len(sink.mails)
    out = Counter(mail.recipients[0] for mail in sink.mails)
    assert set(out.values()) == {1}

    served.kill()
    for number in range(20, 40):
        postfix.bring(letter(number, PIPE if number % 2 else LMTP))
    assert wait_for(lambda: "deferred" in (postfix.folder / "postfix.log").read_text())
    for _ in range(3):
        postfix.run_queue()
        time.sleep(2)
    assert postfix.waiting() == 20
    served.start()
    postfix.run_queue()
    assert wait_for(lambda: len(heard(served)) == 40)
    assert wait_for(lambda: len(sink.mails) == 40)
    assert wait_for(lambda: postfix.waiting() == 0)
    table.outage("smtp", peer=peer, down="killed; 4 queue runs", sent=20, arrived=len(heard(served)) - 20,
                 how="deferred by LMTP and by code 75")  # fmt: skip
    settled(table, "smtp", peer, heard(served), 40, "gateway killed", texts_out=len(sink.mails))


def test_a_gateway_killed_again_and_again_while_mail_comes_loses_and_doubles_none(
    postfix: Postfix, served: Served, table: Table
) -> None:
    for round_ in range(4):
        for number in range(round_ * 10, round_ * 10 + 10):
            postfix.bring(letter(number, PIPE if number % 2 else LMTP))
        served.kill()
        served.start()
    assert wait_for(lambda: postfix.run_queue() or time.sleep(1) or postfix.waiting() == 0)  # type: ignore[func-returns-value]
    settled(table, "smtp", Postfix.version(), heard(served), 40, "killed 4 times in the middle")


def test_a_mail_that_postfix_cannot_deliver_comes_back_and_is_linked(
    postfix: Postfix, served: Served, sink: Relay, table: Table
) -> None:
    sink.refuse["RCPT"] = ["550 5.1.1 no such user"]
    postfix.bring(letter(1, LMTP))
    assert wait_for(lambda: any(row["error"] == "bounced" for row in served.export("outbox")))
    (answer,) = served.export("outbox")
    assert answer["state"] == "failed"
    assert [row["state"] for row in served.export("messages")].count("auto_reply") == 1
    assert sink.mails == []
    table.row("smtp", peer=Postfix.version(), receipts=1, faults=("550 on the way",))


@pytest.fixture
def dovecot(served: Served) -> Iterator[Dovecot]:
    need("dovecot")
    one = Dovecot()
    one.start()
    served.set_up()
    yield one
    one.close()


def read_from(dovecot: Dovecot, served: Served, **more: str) -> None:
    settings = {
        "imap_host": "127.0.0.1", "imap_port": str(dovecot.imap), "imap_tls": "none", "username": "vocero",
        "password": PASSWORD, "first": "all", **more,
    }  # fmt: skip
    pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    served.run("channel", "add", "imap", "buzon", *pairs)
    served.start()


def person(dovecot: Dovecot) -> imaplib.IMAP4:
    """Somebody else who has the mailbox open."""
    client = imaplib.IMAP4("127.0.0.1", dovecot.imap)
    client.login("vocero", PASSWORD)
    client.select("INBOX")
    return client


def test_mail_is_pushed_by_dovecot_and_survives_all_that_can_happen_to_a_mailbox(
    dovecot: Dovecot, served: Served, table: Table
) -> None:
    peer = Dovecot.version()
    read_from(dovecot, served)
    dovecot.bring(letter(0, LMTP))
    assert wait_for(lambda: len(heard(served)) == 1)
    began = time.monotonic()
    dovecot.bring(letter(1, LMTP))
    assert wait_for(lambda: len(heard(served)) == 2, 20)
    assert time.monotonic() - began < 20
    reader = person(dovecot)
    served.kill()
    for number in range(2, 12):
        dovecot.bring(letter(number, LMTP))
    reader.noop()
    reader.store("1:8", "+FLAGS", r"(\Seen)")
    reader.logout()
    served.start()
    assert wait_for(lambda: len(heard(served)) == 12)
    table.outage("imap", peer=peer, down="killed", sent=10, arrived=len(heard(served)) - 2, how="waited in the mailbox")
    dovecot.stop()
    dovecot.start()
    for number in range(12, 16):
        dovecot.bring(letter(number, LMTP))
    assert wait_for(lambda: len(heard(served)) == 16)
    dovecot.stop()
    dovecot.make_anew()
    dovecot.start()
    for number in range(16, 20):
        dovecot.bring(letter(number, LMTP))
    assert wait_for(lambda: len(heard(served)) == 20)
    for number in range(20, 30):
        dovecot.bring(letter(number, LMTP))
        if number % 3 == 0:
            served.kill()
            served.start()
    assert wait_for(lambda: len(heard(served)) == 30)
    faults = ("gateway killed", "opened by a person", "server restarted", "UIDVALIDITY changed")
    settled(table, "imap", peer, heard(served), 30, *faults)


def test_mail_is_moved_away_after_it_is_kept_and_nothing_else_is_touched(
    dovecot: Dovecot, served: Served, table: Table
) -> None:
    for number in range(6):
        dovecot.bring(letter(number, LMTP))
    reader = person(dovecot)
    reader.store("2", "+FLAGS", r"(\Deleted)")
    read_from(dovecot, served, after="move:Leidos", idle="no", poll="10")
    assert wait_for(lambda: len(heard(served)) == 6)

    def moved() -> bool:
        kind, data = reader.select("Leidos")
        return kind == "OK" and data == [b"6"]

    assert wait_for(moved)
    reader.logout()
    settled(table, "imap", Dovecot.version(), heard(served), 6, "moved after keeping")


def test_a_relay_in_every_mood_gets_each_mail_once(house: House, clock: HandClock, sink: Relay, table: Table) -> None:
    """Greylisting, a busy mailbox, a line lost before and after the text, one address that does not exist."""
    people = [f"mailto:p{number}@ong.example" for number in range(10)]
    sink.refuse = {"RCPT": ["450 4.2.0 greylisted"] * 12 + ["550 5.1.1 no such user"], "DATA": ["451 4.3.0 busy"] * 3}
    sink.drop_after_dot = 1

    def states() -> Counter[str]:
        return Counter(house.read_now(lambda conn: conn.scalars(select(OUTBOUND.c.state)).all()))

    async def story() -> None:
        async with at_work(house, worker=True) as (running, _):

            async def done() -> bool:
                clock.advance(timedelta(minutes=11))
                assert running.dispatcher is not None
                running.dispatcher.wake()
                await asyncio.sleep(0.2)
                return set(states()) <= {"sent", "failed"}

            await until(done, 60)

    add_channel(house, "smtp", "correo", host="127.0.0.1", port=str(sink.port), tls="none", **{"from": LMTP})
    waiting = [NewMessage(id=uuid7(), kind="digest", channel="correo", to=one, text="Informe") for one in people]
    house.writer.write_now(lambda conn: enqueue(conn, waiting, seals=house.sealer, now=clock()))
    asyncio.run(story())
    ids: Any = Counter(mail.content.split(b"X-Vocero-Message: ")[1].split(b"\r\n")[0] for mail in sink.mails)
    assert states() == {"sent": 9, "failed": 1}
    assert len(ids) == 9
    # What was taken before the line broke is brought again under the same Message-ID, as RFC 5321 4.5.4.1 wants.
    assert sum(ids.values()) <= 10
    faults = ("450", "451", "550", "line lost after the dot")
    table.row("smtp", peer="aiosmtpd", texts_out=9, faults=faults, lost=9 - len(ids))
