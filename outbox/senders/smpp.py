"""A short code at an operator: SMPP 3.4 submit_sm over a session that may hear too.

A text longer than one message goes in parts whose reference comes from its words, so that a part sent again replaces
itself on the phone. The id on record is that of the last part; delivery is asked for that part alone.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from outbox.address import Address, parse_sender
from outbox.errors import (
    AuthFailed,
    Deferred,
    InvalidAddress,
    Misconfigured,
    Offline,
    Refused,
    SendError,
    Throttled,
    TooLong,
    Unavailable,
    Unsupported,
)
from outbox.segments import is_gsm7, split
from outbox.senders.base import Envelope, Sent
from outbox.senders.smpp_pdu import UDHI, parts_of, to_gsm, write_submit
from outbox.senders.smpp_session import SmppSession

WINDOW = 10
OK = 0x00
# Command statuses of SMPP 3.4, 5.1.3; what is not here is a refusal of the message.
STATUSES: Mapping[int, type[SendError]] = {
    0x01: TooLong, 0x08: Unavailable, 0x0A: Misconfigured, 0x0B: InvalidAddress, 0x14: Throttled, 0x45: Deferred,
    0x48: Misconfigured, 0x49: Misconfigured, 0x50: InvalidAddress, 0x51: InvalidAddress, 0x58: Throttled,
    0x64: Deferred, 0xFE: Unavailable, 0xFF: Unavailable,
}  # fmt: skip
# Type of number and numbering plan (5.2.5, 5.2.6) of what a message comes from.
SOURCES = {"phone": (1, 1), "short_code": (3, 0), "alpha": (5, 0)}


class SmppSender:
    """Settings: from, alphabet (of data_coding 0), window, message_ids. `session` may be shared with who listens."""

    def __init__(
        self, config: Mapping[str, Any], session: SmppSession, *, shared: bool = False, bind_s: float = 5.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.parallel = int(config.get("window") or WINDOW)
        self._session = session
        self._shared = shared
        self._bind_s = bind_s
        self._clock = clock
        self._alphabet = str(config.get("alphabet") or "gsm7")
        self._ids = str(config.get("message_ids") or "same")
        source = parse_sender(str(config.get("from") or ""))
        digits = source.value.removeprefix("+")
        self._source = (*SOURCES.get(source.kind, (0, 0)), digits)

    async def send(self, envelope: Envelope) -> Sent:
        address = Address.parse(envelope.to)
        if address.kind != "tel":
            raise Unsupported
        await self._bound()
        octets, coding = self._written(envelope.text)
        name = ""
        for number, part in enumerate(octets, 1):
            body = write_submit(
                source=self._source, destination=(1, 1, address.value.removeprefix("+")), octets=part, coding=coding,
                esm_class=UDHI if len(octets) > 1 else 0, receipt=number == len(octets),
                minutes=self._minutes_left(envelope), priority=1 if envelope.kind == "alert" else 0,
            )  # fmt: skip
            status, name = await self._session.submit(body)
            if status != OK:
                raise STATUSES.get(status, Refused)(detail={"provider_code": status})
        return Sent(canonical_id(name, hexadecimal=self._ids == "hex_answers") or None, segments=len(octets))

    async def _bound(self) -> None:
        self._session.begin()
        if not await self._session.wait_bound(self._bind_s):
            raise AuthFailed(detail={"provider_code": self._session.refused}) if self._session.refused else Offline

    def _written(self, text: str) -> tuple[list[bytes], int]:
        """The octets of each part and their data_coding: 0 where the SMSC's alphabet has all, else 8 (UCS-2)."""
        texts = split(text)
        if not is_gsm7(text):
            return parts_of([part.encode("utf-16-be", "surrogatepass") for part in texts], self._reference(text)), 8
        if self._alphabet == "gsm7":
            return parts_of([to_gsm(part) for part in texts], self._reference(text)), 0
        try:
            return parts_of([part.encode(self._alphabet) for part in texts], self._reference(text)), 0
        except UnicodeEncodeError:
            # Letters of GSM-7 that the SMSC's alphabet lacks; a part of 153 would not fit 70 characters.
            wide = [part.encode("utf-16-be")[at : at + 134] for part in texts for at in range(0, 2 * len(part), 134)]
            return parts_of(wide, self._reference(text)), 8

    @staticmethod
    def _reference(text: str) -> int:
        return sum(text.encode("utf-8", "surrogatepass")) & 0xFF

    def _minutes_left(self, envelope: Envelope) -> int | None:
        if envelope.expires_at is None:
            return None
        return max(1, int((envelope.expires_at - self._clock()).total_seconds() // 60))

    async def close(self) -> None:
        if not self._shared:
            await self._session.end()


def canonical_id(name: str, *, hexadecimal: bool) -> str:
    """One spelling for an SMSC's id, which may tell it padded, in capitals, or in hexadecimal in one place only."""
    plain = name.strip().lower().lstrip("0") or name.strip()
    if not hexadecimal:
        return plain
    try:
        return str(int(plain, 16))
    except ValueError:
        return plain
