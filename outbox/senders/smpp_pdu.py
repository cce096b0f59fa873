"""The PDUs of SMPP 3.4 that carry texts: submit_sm is written, deliver_sm is read, leniently.

Nothing an SMSC sends makes reading fail: a coding that is not known or does not fit leaves the raw octets beside the
text. Short texts are octets; GSM-7 comes as one septet an octet (SMPP 3.4, 5.2.19).
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from outbox.segments import BASIC, EXTENDED

HEADER = struct.Struct("!IIII")
SUBMIT_SM = 0x00000004
DELIVER_SM_RESP = 0x80000005
UDHI = 0x40
RECEIPT_BITS = 0x3C
MESSAGE_PAYLOAD, RECEIPTED_ID, MESSAGE_STATE = 0x0424, 0x001E, 0x0427
SAR_REF, SAR_TOTAL, SAR_SEQ = 0x020C, 0x020E, 0x020F
STATES = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
CODINGS = {1: "latin-1", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8", 8: "utf-16-be"}
# What GSM 03.38's extension table holds behind the escape septet.
_ESCAPED = dict(zip(EXTENDED, b"\x0a\x14\x28\x29\x2f\x3c\x3d\x3e\x40\x65", strict=True))
_PLAIN = dict(zip((c for c in BASIC), (n for n in range(128) if n != 0x1B), strict=True))
_READ = {code: c for c, code in _PLAIN.items()}
_READ_ESCAPED = {code: c for c, code in _ESCAPED.items()}

_RECEIPT = re.compile(r"\bid:\s*(\S+).{0,120}?\bstat:\s*([A-Za-z]{1,10})", re.IGNORECASE | re.DOTALL)
_ERROR = re.compile(r"\berr:\s*([0-9A-Za-z]{1,8})", re.IGNORECASE)
_BARE_RECEIPT = re.compile(r"id:\S+ sub:\d+ dlvrd:\d+ submit date:\d+ done date:\d+ stat:[A-Z]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SmppReceipt:
    """What an SMSC says became of a message: its id and a state word such as DELIVRD."""

    id: str
    state: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A deliver_sm. `raw` holds the octets in hexadecimal when the text may not say all they did."""

    source: str
    destination: str
    text: str
    part: tuple[int, int, int] | None = None
    receipt: SmppReceipt | None = None
    raw: str | None = None
    tlvs: Mapping[int, bytes] = field(default_factory=dict)


def to_gsm(text: str) -> bytes:
    """Unpacked septets, escapes as two. Raises KeyError for what GSM-7 does not know."""
    return b"".join(bytes((0x1B, _ESCAPED[c])) if c in _ESCAPED else bytes((_PLAIN[c],)) for c in text)


def from_gsm(octets: bytes) -> tuple[str, bool]:
    """The text of unpacked septets, and whether each octet was one."""
    text, whole, escaped = [], True, False
    for octet in octets:
        if octet == 0x1B and not escaped:
            escaped = True
            continue
        known = _READ_ESCAPED.get(octet) if escaped else None
        character = known or _READ.get(octet)
        whole = whole and character is not None
        text.append(character or "\ufffd")
        escaped = False
    return "".join(text), whole


def read_delivery(body: bytes, alphabet: str = "gsm7") -> Delivery:
    """A deliver_sm's body (what follows the header). `alphabet`: of data_coding 0, `gsm7`, `latin-1` or `ascii`.

    A body that ends too early gives what could be read of it, with `raw`.
    """
    reader = _Reader(body)
    reader.text()
    reader.skip(2)
    source = reader.text()
    reader.skip(2)
    destination = reader.text()
    esm_class = reader.byte()
    reader.skip(2)
    reader.text(), reader.text()
    reader.skip(2)
    coding = reader.byte()
    reader.skip(1)
    octets = reader.take(reader.byte())
    tlvs = reader.tlvs()
    octets = tlvs.get(MESSAGE_PAYLOAD, b"") or octets
    part = _sar(tlvs)
    if esm_class & UDHI:
        found, octets = _cut_header(octets)
        part = found or part
    text, whole = decode(octets, coding, alphabet)
    receipt = _receipt(esm_class, text, tlvs)
    raw = None if whole and not reader.broken else body.hex()
    return Delivery(source, destination, text, part, receipt, raw, tlvs)


def decode(octets: bytes, coding: int, alphabet: str = "gsm7") -> tuple[str, bool]:
    """Text of `octets` in a data_coding, and whether it says all of them."""
    if coding & 0xF0 == 0xF0:
        coding = 4 if coding & 0x04 else 0
    if coding == 0 and alphabet == "gsm7":
        return from_gsm(octets)
    if coding == 8 and len(octets) % 2:
        return octets.decode("latin-1"), False
    name = alphabet if coding == 0 else CODINGS.get(coding, "")
    try:
        return octets.decode(name or "latin-1"), bool(name)
    except UnicodeDecodeError:
        return octets.decode(name, "replace"), False


def write_submit(
    *, source: tuple[int, int, str], destination: tuple[int, int, str], octets: bytes, coding: int, esm_class: int = 0,
    receipt: bool = True, minutes: int | None = None, service_type: str = "", priority: int = 0,
) -> bytes:  # fmt: skip
    """The body of a submit_sm. Addresses are (type of number, numbering plan, digits); `minutes`: how long it is worth
    delivering, at most two days. `octets` over 254 travel as message_payload."""
    validity = b"" if minutes is None else _relative(minutes)
    short = octets if len(octets) <= 254 else b""
    payload = b"" if short or not octets else struct.pack("!HH", MESSAGE_PAYLOAD, len(octets)) + octets
    return b"".join((
        service_type.encode("ascii"), b"\0", _address(source), _address(destination),
        bytes((esm_class, 0, priority)), b"\0", validity, b"\0",
        bytes((int(receipt), 0, coding, 0, len(short))), short, payload,
    ))  # fmt: skip


def parts_of(texts: list[bytes], reference: int) -> list[bytes]:
    """Octets of each part behind the header that joins them (TS 23.040, 9.2.3.24.1)."""
    if len(texts) == 1:
        return texts
    head = (5, 0, 3, reference & 0xFF, len(texts))
    return [bytes((*head, number)) + text for number, text in enumerate(texts, 1)]


def _address(address: tuple[int, int, str]) -> bytes:
    ton, npi, digits = address
    return bytes((ton, npi)) + digits.encode("ascii", "replace") + b"\0"


def _relative(minutes: int) -> bytes:
    """Relative time, YYMMDDhhmmsstnnR (SMPP 3.4, 7.1.1)."""
    days, rest = divmod(max(1, min(minutes, 2 * 24 * 60)), 24 * 60)
    return f"0000{days:02}{rest // 60:02}{rest % 60:02}00000R".encode()


def _sar(tlvs: Mapping[int, bytes]) -> tuple[int, int, int] | None:
    values = [int.from_bytes(tlvs.get(tag, b"")[:2]) for tag in (SAR_REF, SAR_SEQ, SAR_TOTAL)]
    return _fitting(*values) if SAR_TOTAL in tlvs else None


def _cut_header(octets: bytes) -> tuple[tuple[int, int, int] | None, bytes]:
    """The part a user data header tells, and what follows the header; a header that does not fit is text."""
    length = octets[0] if octets else 0
    if not octets or length >= len(octets):
        return None, octets
    return part_of_header(octets[: length + 1]), octets[length + 1 :]


def part_of_header(header: bytes) -> tuple[int, int, int] | None:
    """Reference, number and count that a user data header tells, its length octet first (TS 23.040, 9.2.3.24)."""
    head, index, part = header[1:], 0, None
    while index + 2 <= len(head):
        kind, size = head[index], head[index + 1]
        data = head[index + 2 : index + 2 + size]
        if (kind, len(data)) in ((0, 3), (8, 4)):
            part = _fitting(int.from_bytes(data[:-2]), data[-1], data[-2])
        index += 2 + size
    return part


def _fitting(reference: int, seq: int, total: int) -> tuple[int, int, int] | None:
    return (reference, seq, total) if 1 <= seq <= total and total > 1 else None


def _receipt(esm_class: int, text: str, tlvs: Mapping[int, bytes]) -> SmppReceipt | None:
    if not esm_class & RECEIPT_BITS and not _BARE_RECEIPT.match(text):
        return None
    found = _RECEIPT.search(text)
    told = tlvs.get(RECEIPTED_ID, b"").rstrip(b"\0").decode("ascii", "replace")
    state = STATES.get(int.from_bytes(tlvs.get(MESSAGE_STATE, b"")[:1]), "")
    error = _ERROR.search(text)
    name = told or (found[1] if found else "")
    return SmppReceipt(name, (found[2].upper() if found else "") or state or "UNKNOWN", error[1] if error else None)


class _Reader:
    """Fields one after the other; past the end everything is empty, and `broken`."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at, self.broken = body, 0, False

    def take(self, length: int) -> bytes:
        piece = self._body[self._at : self._at + length]
        self.broken = self.broken or len(piece) < length
        self._at += length
        return piece

    def skip(self, length: int) -> None:
        self.take(length)

    def byte(self) -> int:
        return int.from_bytes(self.take(1))

    def text(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            self.broken, self._at = True, len(self._body)
            return ""
        piece = self._body[self._at : end]
        self._at = end + 1
        return piece.decode("latin-1")

    def tlvs(self) -> dict[int, bytes]:
        found = {}
        while self._at + 4 <= len(self._body):
            tag, length = struct.unpack_from("!HH", self._body, self._at)
            self._at += 4
            found[tag] = self.take(length)
        return found
