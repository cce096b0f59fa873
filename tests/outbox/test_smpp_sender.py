import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import smpp34
from outbox_cast import NOW, envelope_of
from outbox_smsc import BIND, BIND_TRANSMITTER, HANG, Smsc, delivery, smsc, tlv

from outbox import errors
from outbox.senders.base import Sent
from outbox.senders.smpp import SmppSender, canonical_id
from outbox.senders.smpp_pdu import Delivery
from outbox.senders.smpp_session import SmppSession
from tests.served import free_port


def session_to(port: int, on_delivery: Callable[[Delivery], Awaitable[None]] | None = None, **how: Any) -> SmppSession:
    values = {"host": "127.0.0.1", "system_id": "vocero", "password": "secret", "answer_s": 2.0, "retry_ms": 50}
    return SmppSession(port=port, on_delivery=on_delivery, **(values | how))


def send(server: Smsc | None, port: int = 0, config: dict[str, str] | None = None, **changes: Any) -> Sent:
    """Sends one message in a loop of its own; what came is then in `server`."""

    async def story() -> Sent:
        if server is None:
            return await sent(port)
        async with smsc(server):
            return await sent(server.port)

    async def sent(at: int) -> Sent:
        session = session_to(at, answer_s=0.4)
        sender = SmppSender({"from": "1500", **(config or {})}, session, bind_s=0.5, clock=lambda: NOW)
        try:
            return await sender.send(envelope_of(**changes))
        finally:
            await sender.close()

    return asyncio.run(story())


def test_a_text_goes_to_the_short_message_centre_and_its_id_comes_back() -> None:
    server = Smsc()
    assert send(server, text="Recibido 3001 ñ", expires_at=NOW + timedelta(hours=2)) == Sent("1", segments=1)
    assert server.binds == [BIND_TRANSMITTER]
    [body] = server.submits
    read = smpp34.decode((16 + len(body)).to_bytes(4) + (4).to_bytes(4) + bytes(4) + (1).to_bytes(4) + body)
    assert isinstance(read, smpp34.SubmitSm)
    assert (read.source_addr, read.source_addr_ton) == ("1500", 3)
    assert (read.destination_addr, read.dest_addr_ton, read.dest_addr_npi) == ("50255550101", 1, 1)
    assert (read.short_message, read.data_coding, read.registered_delivery) == (b"Recibido 3001 \x7d", 0, 1)
    assert read.validity_period == "000000020000000R"


def test_what_gsm_lacks_goes_as_ucs2_and_long_texts_in_parts() -> None:
    server = Smsc()
    assert send(server, text="’" * 100) == Sent("2", segments=2)
    assert [("’" * 67).encode("utf-16-be") in body for body in server.submits] == [True, False]


def test_the_alphabet_of_the_centre_is_a_setting() -> None:
    server = Smsc()
    send(server, config={"alphabet": "latin-1"}, text="señor")
    assert "señor".encode("latin-1") in server.submits[0]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (0x58, errors.Throttled), (0x14, errors.Throttled), (0x08, errors.Unavailable), (0x0B, errors.InvalidAddress),
        (0x0A, errors.Misconfigured), (0x01, errors.TooLong), (0x64, errors.Deferred), (0x66, errors.Refused),
        (0x400, errors.Refused), (HANG, errors.UnknownResult),
    ],
)  # fmt: skip
def test_each_status_means_what_the_standard_says(status: int, error: type[errors.SendError]) -> None:
    with pytest.raises(error):
        send(Smsc(status=lambda _: status))


def test_a_wrong_password_stops_the_channel() -> None:
    with pytest.raises(errors.AuthFailed):
        send(Smsc(bind_status=0x0E))


def test_nobody_there_is_a_pause() -> None:
    with pytest.raises(errors.Offline):
        send(None, port=free_port())


def test_mail_is_not_for_this_channel() -> None:
    with pytest.raises(errors.Unsupported):
        send(Smsc(), to="mailto:ana@example.org")


def test_ids_have_one_spelling() -> None:
    assert canonical_id("000002AF", hexadecimal=False) == canonical_id("2af", hexadecimal=False)
    assert canonical_id("2AF", hexadecimal=True) == canonical_id("0000000687", hexadecimal=False)


def test_a_link_cut_in_the_middle_leaves_the_result_unknown_and_is_bound_again() -> None:
    async def story() -> None:
        async with smsc(Smsc(status=lambda number: HANG if number == 1 else 0)) as server:
            session = session_to(server.port)
            sender = SmppSender({"from": "1500"}, session)
            try:
                first = asyncio.create_task(sender.send(envelope_of()))
                await server.until(lambda: bool(server.submits))
                server.cut()
                with pytest.raises(errors.UnknownResult):
                    await first
                await server.until(lambda: len(server.binds) == 2)
                assert await sender.send(envelope_of()) == Sent("2", segments=1)
            finally:
                await sender.close()

    asyncio.run(story())


def test_the_link_is_tried_when_nobody_speaks_and_given_up_when_no_answer_comes() -> None:
    async def story() -> None:
        async with smsc() as server:
            session = session_to(server.port, enquire_s=0.1)
            session.begin()
            try:
                await server.until(lambda: server.enquiries >= 2)
            finally:
                await session.end()

    asyncio.run(story())


class Kept:
    """Keeps what is delivered; refuses the first `refusals`."""

    def __init__(self, refusals: int = 0) -> None:
        self.texts: list[Delivery] = []
        self.refusals = refusals

    async def __call__(self, heard: Delivery) -> None:
        if self.refusals:
            self.refusals -= 1
            raise RuntimeError("busy")
        self.texts.append(heard)


def test_a_text_is_answered_after_it_is_kept_and_refused_when_it_was_not() -> None:
    async def story() -> None:
        kept = Kept(refusals=1)
        async with smsc() as server:
            session = session_to(server.port, kept)
            session.begin()
            try:
                await server.until(lambda: server.binds == [BIND])
                assert await server.deliver(delivery(b"INC ROB NEBAJ"), 1) == 0x64
                assert kept.texts == []
                assert await server.deliver(delivery(b"INC ROB NEBAJ"), 2) == 0
                assert [one.text for one in kept.texts] == ["INC ROB NEBAJ"]
                assert await server.deliver(delivery(b"\xff", coding=245), 3) == 0
                assert await server.deliver(b"", 4) == 0
            finally:
                await session.end()

    asyncio.run(story())


def test_parts_and_receipts_are_handed_on_one_by_one() -> None:
    async def story() -> None:
        kept = Kept()
        async with smsc() as server:
            session = session_to(server.port, kept)
            session.begin()
            try:
                await server.until(lambda: bool(server.binds))
                await server.deliver(delivery(b"\x05\x00\x03\x2a\x02\x02 NEBAJ", esm_class=0x40), 1)
                await server.deliver(delivery(b"", esm_class=4, tlvs=tlv(0x001E, b"7\0") + tlv(0x0427, b"\x02")), 2)
            finally:
                await session.end()
        assert kept.texts[0].part == (42, 2, 2)
        assert kept.texts[1].receipt is not None and kept.texts[1].receipt.state == "DELIVRD"

    asyncio.run(story())


def test_a_hundred_texts_at_once_are_kept_side_by_side() -> None:
    async def story() -> None:
        waiting, most, gate = 0, 0, asyncio.Event()

        async def slow(_heard: Delivery) -> None:
            nonlocal waiting, most
            waiting, most = waiting + 1, max(most, waiting + 1)
            if waiting == 20:
                gate.set()
            await gate.wait()
            waiting -= 1

        async with smsc() as server:
            session = session_to(server.port, slow)
            session.begin()
            try:
                await server.until(lambda: bool(server.binds))
                answers = await asyncio.gather(*(server.deliver(delivery(b"x"), number) for number in range(1, 21)))
            finally:
                await session.end()
        assert answers == [0] * 20 and most == 20

    asyncio.run(story())
