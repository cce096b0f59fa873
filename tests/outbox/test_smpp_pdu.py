import random

import pytest
import smpp34
from gsm0338 import Codec
from hypothesis import given
from hypothesis import strategies as st
from outbox_smsc import delivery, tlv

from outbox.segments import BASIC, EXTENDED, split
from outbox.senders.smpp_pdu import HEADER, decode, from_gsm, parts_of, read_delivery, to_gsm, write_submit

CODEC = Codec()
LONG = b"id:0000000042 sub:001 dlvrd:001 submit date:2611211930 done date:2611211930 stat:DELIVRD err:000 text:x"


@given(st.text(alphabet=BASIC + EXTENDED, max_size=200))
def test_gsm_octets_are_those_of_another_implementation(text: str) -> None:
    assert to_gsm(text) == CODEC.encode(text)[0]
    assert from_gsm(to_gsm(text)) == (text, True)


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        (b"Nebaj \x00 \x7d\x1b\x65", 0, "Nebaj @ ñ€"),
        (b"violacion", 1, "violacion"),
        ("señor Sáenz".encode("latin-1"), 3, "señor Sáenz"),
        ("K’iche’ 😀".encode("utf-16-be"), 8, "K’iche’ 😀"),
        (b"flash", 0xF0, "flash"),
    ],
)
def test_codings_are_read(octets: bytes, coding: int, text: str) -> None:
    assert decode(octets, coding) == (text, True)


@pytest.mark.parametrize(
    ("octets", "coding"), [(b"\xff\xfe\x80", 0), (b"abc", 8), (b"\xd8\x3d", 8), (b"xyz", 245), (b"x", 99)]
)
def test_what_does_not_fit_is_kept_beside_the_text(octets: bytes, coding: int) -> None:
    heard = read_delivery(delivery(octets, coding=coding))
    assert heard.raw is not None and octets.hex() in heard.raw


def test_a_text_is_read_as_another_implementation_writes_it() -> None:
    pdu = smpp34.DeliverSm(
        "50255550101", "1500", b"", data_coding=8, source_addr_ton=1,
        tlvs=[smpp34.Tlv(smpp34.TLV_MESSAGE_PAYLOAD, ("robo en Nebaj ñ " * 30).encode("utf-16-be"))],
    ).encode()  # fmt: skip
    heard = read_delivery(pdu[HEADER.size :])
    assert (heard.source, heard.destination, heard.text) == ("50255550101", "1500", "robo en Nebaj ñ " * 30)
    assert heard.raw is None and heard.part is None and heard.receipt is None


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (delivery(b"\x05\x00\x03\x2a\x02\x01INC", esm_class=0x40), (42, 1, 2)),
        (delivery(b"\x06\x08\x04\x01\x2a\x02\x02INC", esm_class=0x40), (298, 2, 2)),
        (delivery(b"\x0a\x24\x01\x05\x00\x03\x07\x03\x03\x25\x00INC", esm_class=0x40), (7, 3, 3)),
        (delivery(b"INC", tlvs=tlv(0x020C, b"\0\x09") + tlv(0x020E, b"\x02") + tlv(0x020F, b"\x01")), (9, 1, 2)),
        (delivery(b"INC", esm_class=0x40), None),
        (delivery(b"\x05\x00\x03\x2a\x02\x09INC", esm_class=0x40), None),
    ],
)
def test_parts_are_told_by_their_header_or_fields(body: bytes, part: tuple[int, int, int] | None) -> None:
    heard = read_delivery(body)
    assert (heard.text, heard.part) == ("INC", part)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (delivery(LONG, esm_class=4), ("0000000042", "DELIVRD", "000")),
        (delivery(b"", esm_class=4, tlvs=tlv(0x001E, b"2a\0") + tlv(0x0427, b"\x05")), ("2a", "UNDELIV", None)),
        (delivery(b"id:7 stat:REJECTD err:0B2", esm_class=4), ("7", "REJECTD", "0B2")),
        (delivery(b"ID:7 SUB:1 DLVRD:1 SUBMIT DATE:1 DONE DATE:1 STAT:EXPIRED"), ("7", "EXPIRED", None)),
        (delivery(b"nonsense", esm_class=4), ("", "UNKNOWN", None)),
    ],
)  # fmt: skip
def test_receipts_are_told_by_text_or_fields(body: bytes, told: tuple[str, str, str | None]) -> None:
    receipt = read_delivery(body).receipt
    assert receipt is not None
    assert (receipt.id, receipt.state, receipt.error) == told


def test_a_villager_who_writes_id_is_no_receipt() -> None:
    assert read_delivery(delivery(b"id: 1234 robo nebaj stat: mal")).receipt is None


def test_reading_never_fails_whatever_comes() -> None:
    rng = random.Random(11)
    whole = delivery(b"\x05\x00\x03\x2a\x02\x01INC ROB", esm_class=0x44, tlvs=tlv(0x0424, b"abc"))
    for _ in range(3000):
        body = bytearray(whole[: rng.randrange(len(whole) + 1)])
        for _ in range(rng.randrange(4)):
            if body:
                body[rng.randrange(len(body))] = rng.randrange(256)
        read_delivery(bytes(body))


def test_another_implementation_reads_what_is_written() -> None:
    for number, part in enumerate(parts_of([to_gsm(text) for text in split("Recibido {3} " * 20)], 300), 1):
        body = write_submit(
            source=(3, 0, "1500"), destination=(1, 1, "50255550101"), octets=part, coding=0, esm_class=0x40
        )  # fmt: skip
        read = smpp34.decode(HEADER.pack(HEADER.size + len(body), 4, 0, 9) + body)
        assert isinstance(read, smpp34.SubmitSm)
        assert read.short_message[:6] == bytes((5, 0, 3, 300 & 0xFF, 2, number))
        assert (read.source_addr, read.destination_addr, read.registered_delivery) == ("1500", "50255550101", 1)


def test_octets_that_fit_no_short_message_go_as_payload() -> None:
    body = write_submit(source=(1, 1, "1"), destination=(1, 1, "2"), octets=b"x" * 300, coding=0, minutes=90)
    read = smpp34.decode(HEADER.pack(HEADER.size + len(body), 4, 0, 9) + body)
    assert isinstance(read, smpp34.SubmitSm)
    assert read.short_message == b"" and read.tlvs[0].value == b"x" * 300
    assert read.validity_period == "000000013000000R"
