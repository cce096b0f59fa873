"""A mailbox over a real connection: nothing skipped, nothing twice, whatever happens to it meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.channels import mailbox
from gateway.channels.base import SettingError
from gateway.channels.imap import put_away
from gateway.channels.marks import Marks
from gateway.errors import UsageError
from gateway.house import House
from gateway.running import Running
from gateway.standing import MESSAGE
from tests.gateway.at_work import add_channel, at_work, until
from tests.gateway.channels.imap_server import ImapServer, imap_server

Story = Callable[[Running], Awaitable[None]]


def mail(number: int, text: str = "inc rob nebaj ayer") -> bytes:
    head = f"From: ana{number}@example.org\r\nMessage-ID: <{number}@example.org>\r\nSubject: informe {number}\r\n"
    return f"{head}\r\n{text} {number}\r\n".encode()


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with imap_server() as one:
        yield one


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(mailbox, "TURN_EVERY_S", 0.2)


def add_mailbox(house: House, server: ImapServer, **more: str) -> None:
    settings = {
        "imap_host": "127.0.0.1", "imap_port": str(server.port), "imap_tls": "none", "username": "vocero",
        "password": "pw", "first": "all",
    }  # fmt: skip
    add_channel(house, "imap", "buzon", **{**settings, **more})


def at_the_mailbox(house: House, story: Story) -> None:
    async def whole() -> None:
        async with at_work(house) as (running, _):
            async with asyncio.timeout(60):
                await story(running)

    asyncio.run(whole())


def kept(house: House) -> list[Any]:
    return house.read_now(lambda conn: list(conn.execute(select(MESSAGE).order_by(MESSAGE.c.id))))


def senders(house: House) -> list[str]:
    return [house.sealer.open("message", "sender", row.id, row.sender_sealed) for row in kept(house)]


async def until_kept(house: House, number: int) -> None:
    async def there() -> bool:
        return len(kept(house)) >= number

    await until(there, 20)


def mailtos(*numbers: int) -> list[str]:
    return [f"mailto:ana{number}@example.org" for number in numbers]


def test_mail_that_waits_is_kept_in_order_and_left_where_it_is(house: House, server: ImapServer) -> None:
    for number in (1, 2, 3):
        server.deliver(mail(number))
    add_mailbox(house, server)
    at_the_mailbox(house, lambda _: until_kept(house, 3))
    assert senders(house) == mailtos(1, 2, 3)
    assert [stored.flags for stored in server.inbox.mails] == [set(), set(), set()]
    raw = house.sealer.open("message", "raw", kept(house)[0].id, kept(house)[0].raw_sealed)
    assert raw.encode() == mail(1)


def test_news_is_heard_at_once_without_looking_again(house: House, server: ImapServer) -> None:
    async def story(_: Running) -> None:
        assert await asyncio.to_thread(server.idling.wait, 10)
        server.deliver(mail(1))
        await until_kept(house, 1)

    add_mailbox(house, server)
    at_the_mailbox(house, story)
    assert senders(house) == mailtos(1)


def test_a_new_channel_leaves_old_mail_alone(house: House, server: ImapServer) -> None:
    async def story(_: Running) -> None:
        assert await asyncio.to_thread(server.idling.wait, 10)
        server.deliver(mail(2))
        await until_kept(house, 1)

    server.deliver(mail(1))
    add_mailbox(house, server, first="new")
    at_the_mailbox(house, story)
    assert senders(house) == mailtos(2)


def test_mail_a_person_opened_first_is_not_skipped(house: House, server: ImapServer) -> None:
    server.deliver(mail(1))
    server.inbox.mails[0].flags.add("\\Seen")
    add_mailbox(house, server)
    at_the_mailbox(house, lambda _: until_kept(house, 1))


def test_a_connection_cut_in_the_middle_of_a_mail_costs_nothing(house: House, server: ImapServer) -> None:
    for number in (1, 2):
        server.deliver(mail(number))
    server.cut_fetches = 2
    add_mailbox(house, server)
    at_the_mailbox(house, lambda _: until_kept(house, 2))
    assert senders(house) == mailtos(1, 2)
    assert server.logins == 3


def test_a_connection_lost_while_idling_is_made_again(house: House, server: ImapServer) -> None:
    async def story(_: Running) -> None:
        assert await asyncio.to_thread(server.idling.wait, 10)
        server.hang_up()
        server.deliver(mail(1))
        await until_kept(house, 1)

    add_mailbox(house, server)
    at_the_mailbox(house, story)


def test_a_mailbox_made_anew_is_read_again_and_nothing_is_kept_twice(house: House, server: ImapServer) -> None:
    async def story(_: Running) -> None:
        await until_kept(house, 2)
        server.make_anew()
        server.inbox.add(mail(3))
        server.hang_up()
        await until_kept(house, 3)

    for number in (1, 2):
        server.deliver(mail(number))
    add_mailbox(house, server)
    at_the_mailbox(house, story)
    assert senders(house) == mailtos(1, 2, 3)


def test_what_was_there_before_the_channel_stays_unread_when_the_mailbox_is_made_anew(
    house: House, server: ImapServer
) -> None:
    async def story(_: Running) -> None:
        assert await asyncio.to_thread(server.idling.wait, 10)
        server.make_anew()
        server.inbox.add(mail(2), house.clock() + timedelta(minutes=1))
        server.hang_up()
        await until_kept(house, 1)

    server.deliver(mail(1), house.clock() - timedelta(hours=1))
    add_mailbox(house, server, first="new")
    at_the_mailbox(house, story)
    assert senders(house) == mailtos(2)


def test_a_stop_between_keeping_and_noting_keeps_nothing_twice(house: House, server: ImapServer) -> None:
    async def again(_: Running) -> None:
        server.deliver(mail(2))
        await until_kept(house, 2)

    server.deliver(mail(1))
    add_mailbox(house, server)
    at_the_mailbox(house, lambda _: until_kept(house, 1))
    marks = Marks(house, "test")
    mark = marks.get("buzon", mailbox.MARK)
    assert mark is not None
    marks.put("buzon", mailbox.MARK, {**mark, "uid": 0})
    at_the_mailbox(house, again)
    assert senders(house) == mailtos(1, 2)
    assert server.fetched == [1, 1, 2]


@pytest.mark.parametrize("capabilities", ["MOVE", "UIDPLUS", ""])
def test_mail_is_put_away_after_it_is_kept(house: House, capabilities: str) -> None:
    async def story(_: Running) -> None:
        async def gone() -> bool:
            return "Leidos" in server.folders and len(server.folders["Leidos"].mails) == 2

        await until(gone)

    with imap_server(capabilities=capabilities) as server:
        server.inbox.add(mail(1))
        server.inbox.mails[0].flags.add("\\Deleted")
        server.inbox.add(mail(2))
        add_mailbox(house, server, after="move:Leidos", poll="10")
        at_the_mailbox(house, story)
    assert senders(house) == mailtos(1, 2)
    assert not [command for command in server.commands if command == "EXPUNGE"]


def test_mail_is_marked_read_when_that_is_wished(house: House, server: ImapServer) -> None:
    async def story(_: Running) -> None:
        async def marked() -> bool:
            return server.inbox.mails[0].flags == {"\\Seen"}

        await until(marked)

    server.deliver(mail(1))
    add_mailbox(house, server, after="seen")
    at_the_mailbox(house, story)


def test_a_wrong_password_is_said_and_not_tried_over_and_over(house: House, server: ImapServer) -> None:
    async def story(running: Running) -> None:
        async def said() -> bool:
            return running.channels.troubles() == {"buzon": "auth_failed"}

        await until(said)
        await asyncio.sleep(0.5)

    add_mailbox(house, server, password="wrong")
    at_the_mailbox(house, story)
    assert server.logins == 1


def test_nothing_goes_to_a_distant_server_without_encryption(house: House, server: ImapServer) -> None:
    with pytest.raises(UsageError, match="imap_tls"):
        add_mailbox(house, server, imap_host="mail.example.org")


def test_a_server_without_the_encryption_that_was_asked_for_gets_no_password(house: House, server: ImapServer) -> None:
    async def story(running: Running) -> None:
        async def said() -> bool:
            return running.channels.troubles() == {"buzon": "insecure"}

        await until(said)

    add_mailbox(house, server, imap_tls="starttls")
    at_the_mailbox(house, story)
    assert server.logins == 0


def test_of_a_mail_too_large_the_first_part_is_read(house: House, server: ImapServer) -> None:
    big = mail(1) + b"\r\n-- \r\n" + b"x" * 11_000_000
    server.deliver(big)
    server.deliver(mail(2))
    add_mailbox(house, server)
    at_the_mailbox(house, lambda _: until_kept(house, 2))
    first = kept(house)[0]
    raw = house.sealer.open("message", "raw", first.id, first.raw_sealed)
    assert big.startswith(raw.encode()) and len(raw) == 512 * 1024
    assert senders(house) == mailtos(1, 2)


def test_nothing_is_passed_over_while_the_disk_is_full(house: House, server: ImapServer) -> None:
    async def story(running: Running) -> None:
        async def busy() -> bool:
            return running.channels.troubles() == {"buzon": "busy"}

        await until(busy)
        assert kept(house) == []

    async def later(_: Running) -> None:
        await until_kept(house, 1)

    server.deliver(mail(1))
    add_mailbox(house, server)
    house.settings.disk_reserve_mb, reserve = 10**9, house.settings.disk_reserve_mb
    at_the_mailbox(house, story)
    house.settings.disk_reserve_mb = reserve
    at_the_mailbox(house, later)


def test_one_process_of_several_reads(house: House, server: ImapServer) -> None:
    async def story(_: Running) -> None:
        await asyncio.sleep(0.6)
        # SQLite is served by one process, which waits for no other.
        assert server.logins == (1 if house.settings.sqlite_path else 0)
        other.end_turn("buzon")
        await until_kept(house, 1)

    other = Marks(house, "another process")
    assert other.take_turn("buzon")
    assert other.take_turn("buzon")
    assert not Marks(house, "a third").take_turn("buzon")
    server.deliver(mail(1))
    add_mailbox(house, server)
    at_the_mailbox(house, story)


@pytest.mark.parametrize("word", ["shred", "move", "move:", "leave:it", ""])
def test_what_cannot_be_done_with_a_mail_is_refused(word: str) -> None:
    with pytest.raises(SettingError):
        put_away(word)
