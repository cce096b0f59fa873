"""Mail over real SMTP and LMTP connections."""

import asyncio
import smtplib
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from gateway.channels import mail_listener, mail_reading
from gateway.house import House
from gateway.inflight import PoisonList
from gateway.standing import MESSAGE
from tests.gateway.at_work import add_channel, at_work, mail_port

T = TypeVar("T")
RAW = b"From: ana@example.org\r\nMessage-ID: <1@example.org>\r\n\r\ninc rob nebaj ayer\r\n"


def with_mail(house: House, peer: Callable[[int, int], T]) -> T:
    """Run `peer(smtp port, lmtp port)` in a thread while the gateway listens."""

    async def story() -> T:
        async with at_work(house) as (running, _):
            ports = mail_port(running, "correo", 0), mail_port(running, "correo", 1)
            return await asyncio.wait_for(asyncio.to_thread(peer, *ports), 60)

    add_channel(house, "smtp", "correo", listen="127.0.0.1:0", lmtp="127.0.0.1:0", **{"from": "vocero@example.org"})
    return asyncio.run(story())


def kept(house: House) -> list[Any]:
    return house.read_now(lambda conn: list(conn.execute(select(MESSAGE).order_by(MESSAGE.c.id))))


def send(raw: bytes, mail_from: str = "ana@example.org") -> Callable[[int, int], int]:
    """Send by SMTP; gives the code of the final answer."""

    def peer(port: int, _lmtp: int) -> int:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            try:
                client.sendmail(mail_from, ["vocero@example.org"], raw)
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code
            return 250

    return peer


def by_lmtp(raw: bytes, recipients: int) -> Callable[[int, int], list[int]]:
    """Send by LMTP; gives the codes of the answers after the final dot."""

    def peer(_smtp: int, port: int) -> list[int]:
        client = smtplib.LMTP("127.0.0.1", port, timeout=10)
        client.ehlo("peer")
        client.mail("ana@example.org")
        for number in range(recipients):
            client.rcpt(f"box{number}@example.org")
        client.putcmd("DATA")
        assert client.getreply()[0] == 354
        client.send(raw + b"\r\n.\r\n")
        codes = [client.getreply()[0] for _ in range(recipients)]
        assert client.noop()[0] == 250
        client.quit()
        return codes

    return peer


def test_a_mail_is_kept_before_it_is_acknowledged(house: House) -> None:
    assert with_mail(house, send(RAW)) == 250
    (row,) = kept(house)
    assert house.sealer.open("message", "sender", row.id, row.sender_sealed) == "mailto:ana@example.org"
    raw = house.sealer.open("message", "raw", row.id, row.raw_sealed)
    assert raw.encode("utf-8", "surrogateescape") == RAW


def test_the_same_mail_twice_is_one_message(house: House) -> None:
    def twice(port: int, lmtp: int) -> tuple[int, list[int]]:
        return send(RAW)(port, lmtp), by_lmtp(b"Received: from a by b\r\n" + RAW, 1)(port, lmtp)

    assert with_mail(house, twice) == (250, [250])
    assert len(kept(house)) == 1


def test_lmtp_answers_each_recipient(house: House) -> None:
    def peer(smtp: int, lmtp: int) -> list[list[int]]:
        return [by_lmtp(RAW, recipients)(smtp, lmtp) for recipients in (1, 2, 5)]

    assert with_mail(house, peer) == [[250], [250] * 2, [250] * 5]
    assert len(kept(house)) == 1


def test_lmtp_refuses_each_recipient_of_a_mail_that_is_too_large(house: House) -> None:
    big = RAW + (b"x" * 998 + b"\r\n") * 11_000
    assert with_mail(house, by_lmtp(big, 2)) == [552, 552]
    assert kept(house) == []


ANA = b"From: ana@example.org\r\n"
SHAPES = {
    "one line of half a megabyte": ANA + b"\r\n" + b"x" * 500_000 + b"\r\n",
    "a header line of 100 kB": b"X: " + b"y" * 100_000 + b"\r\n" + ANA + b"\r\ninc\r\n",
    "NUL in the subject": b"Subject: inc\x00rob\r\n" + ANA + b"\r\ninc rob\r\n",
    "raw bytes of Latin-1": ANA + b"\r\n" + "violación".encode("latin-1") + b"\r\n",
    "lines that begin with dots": ANA + b"\r\n" + b"..\r\n.. a\r\n...\r\n",
    "no header at all": b"inc rob nebaj ayer\r\n",
    "nothing": b"\r\n",
}


def test_a_mail_of_odd_shape_is_kept(house: House) -> None:
    def peer(smtp: int, lmtp: int) -> dict[str, int]:
        return {label: send(raw)(smtp, lmtp) for label, raw in SHAPES.items()}

    assert with_mail(house, peer) == dict.fromkeys(SHAPES, 250)
    assert len(kept(house)) == len(SHAPES)


def test_a_full_disk_defers_the_mail(house: House) -> None:
    house.settings.disk_reserve_mb = 10**9
    assert with_mail(house, send(RAW)) == 452
    assert kept(house) == []


def test_a_bounce_is_kept_and_gets_no_answer(house: House) -> None:
    assert with_mail(house, send(RAW, mail_from="")) == 250
    (row,) = kept(house)
    assert row.state == "auto_reply"


def test_a_mail_that_breaks_its_reader_is_kept_whole(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(mail_reading, "incoming_of", broken)
    assert with_mail(house, send(RAW)) == 250
    (row,) = kept(house)
    assert house.sealer.open("message", "raw", row.id, row.raw_sealed) == RAW.decode()


def test_a_mail_that_ended_a_process_is_kept_whole_without_being_read(house: House) -> None:
    text = house.sealer.hash("body", RAW.decode())
    PoisonList(house.settings.data_dir / "poison").add([text], sure=True)
    assert with_mail(house, send(RAW)) == 250
    (row,) = kept(house)
    assert house.sealer.open("message", "raw", row.id, row.raw_sealed) == RAW.decode()
    assert house.sealer.open("message", "sender", row.id, row.sender_sealed) == "raw:"


def test_one_peer_cannot_take_every_connection(house: House) -> None:
    def many(port: int, _lmtp: int) -> list[int]:
        clients, codes = [], []
        for _ in range(mail_listener.OF_ONE_PEER + 2):
            client = smtplib.SMTP(timeout=10)
            codes.append(client.connect("127.0.0.1", port)[0])
            clients.append(client)
        for client in clients:
            client.close()
        return codes

    codes = with_mail(house, many)
    assert codes == [220] * mail_listener.OF_ONE_PEER + [421] * 2


def test_a_smuggled_end_of_data_is_no_second_mail(house: House) -> None:
    inner = b"inc\n.\nMAIL FROM:<evil@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\nFrom: evil@example.org\r\n"

    def peer(port: int, _lmtp: int) -> int:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.ehlo("peer")
            client.mail("ana@example.org")
            client.rcpt("vocero@example.org")
            client.putcmd("DATA")
            client.getreply()
            client.send(RAW + inner + b".\r\n")
            return client.getreply()[0]

    assert with_mail(house, peer) == 250
    assert len(kept(house)) == 1
