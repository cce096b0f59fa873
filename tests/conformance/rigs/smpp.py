"""A short code: an SMSC that brings texts and takes messages over one bound session."""

import asyncio
from itertools import count

from outbox.address import Address
from outbox.segments import is_gsm7, split
from outbox.senders.smpp_pdu import decode, from_gsm, parts_of, to_gsm
from tests.conformance.rig import Delivery, Office, Rig
from tests.outbox.outbox_smsc import HANG, Smsc, SmscThread, delivery, tlv

PASSWORD = "smpp-9f2"
SAYS = {"throttled": 0x58, "refused": 0x66, "silent": HANG}
STATES = {"sent": b"\x06", "delivered": b"\x02", "failed": b"\x05"}


class SmppRig(Rig):
    kind = "smpp"
    names_deliveries = False
    secrets = (PASSWORD,)
    brings_parts = True
    cannot = {"stranger": "we call the operator: nobody calls us"}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._numbers = count(1)
        self._taken: list[tuple[str, str]] = []
        self._centre: SmscThread | None = SmscThread()

    def settings(self) -> dict[str, str]:
        return {
            "host": "127.0.0.1", "port": self._port(), "system_id": "vocero", "password": PASSWORD, "from": "1500",
            "timeout": "1",
        }  # fmt: skip

    def _port(self) -> str:
        assert self._centre is not None
        return str(self._centre.smsc.port)

    async def hear(self, _office: Office, delivery_: Delivery) -> bool:
        assert self._centre is not None
        for body in bodies(delivery_):
            status = await asyncio.to_thread(self._centre.deliver, body, next(self._numbers))
            if status:
                return False
        return True

    async def report(self, _office: Office, message: object, status: str) -> bool:
        assert self._centre is not None
        name = str(getattr(message, "provider_id", "")).encode()
        body = delivery(b"", esm_class=4, tlvs=tlv(0x001E, name + b"\0") + tlv(0x0427, STATES[status]))
        return await asyncio.to_thread(self._centre.deliver, body, next(self._numbers)) == 0

    def sent(self, _office: Office) -> list[tuple[str, str]]:
        return self._taken + (taken(self._centre.smsc) if self._centre is not None else [])

    def set_trouble(self, trouble: str) -> None:
        assert self._centre is not None
        if trouble == "offline":
            self.close()
        elif trouble == "wrong_key":
            self._centre.smsc.bind_status = 0x0E
            self._centre.cut()
        else:
            self._centre.smsc.status = lambda _number: SAYS[trouble]

    def mend(self) -> dict[str, str]:
        self.close()
        self._centre = SmscThread()
        return {"port": self._port()}

    def close(self) -> None:
        if self._centre is not None:
            self._taken = self.sent_so_far()
            self._centre.close()
            self._centre = None

    def sent_so_far(self) -> list[tuple[str, str]]:
        assert self._centre is not None
        return self._taken + taken(self._centre.smsc)


def bodies(heard: Delivery) -> list[bytes]:
    """The deliver_sm of a text, in as many parts as a phone makes of it."""
    coding = 0 if is_gsm7(heard.text) else 8
    texts = [to_gsm(part) if coding == 0 else part.encode("utf-16-be") for part in split(heard.text)]
    reference = int(heard.id[-2:], 16)
    source = heard.number.removeprefix("+")
    esm_class = 0x40 if len(texts) > 1 else 0
    return [delivery(part, source=source, coding=coding, esm_class=esm_class) for part in parts_of(texts, reference)]


def taken(centre: Smsc) -> list[tuple[str, str]]:
    """Address and text of each submit_sm that was not refused; parts are joined."""
    found: list[tuple[str, str]] = []
    for number, body in enumerate(centre.submits, 1):
        if centre.status(number) not in (0, HANG):
            continue
        to, text, begins = _read(body)
        if begins:
            found.append((to, text))
        else:
            found[-1] = (to, found[-1][1] + text)
    return found


def _read(body: bytes) -> tuple[str, str, bool]:
    """To whom a submit_sm goes, its words, and whether a message begins with it."""
    rest = body.split(b"\0", 1)[1][2:].split(b"\0", 1)[1][2:]
    digits, rest = rest.split(b"\0", 1)
    esm_class = rest[0]
    _validity, rest = rest[4:].split(b"\0", 1)
    coding, length = rest[2], rest[4]
    octets, first = rest[5 : 5 + length], True
    if esm_class & 0x40:
        octets, first = octets[6:], octets[5] == 1
    text = from_gsm(octets)[0] if coding == 0 else decode(octets, coding)[0]
    return str(Address.of_phone("+" + digits.decode())), text, first


RIG = SmppRig
