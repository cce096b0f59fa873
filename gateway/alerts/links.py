"""The link of an alert mail: signed, for one person and one alert, and only for some days."""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hmac import compare_digest
from typing import NamedTuple
from uuid import UUID

from gateway.sealing import Sealer

PURPOSE = "alert_link"
PATH = "/acknowledge"
MAC = 16
SHAPE = struct.Struct(">16s16sQ")


class Linked(NamedTuple):
    """What a token stands for."""

    alert_id: UUID
    contact_id: UUID
    until: datetime


def make_link(sealer: Sealer, base_url: str, alert_id: UUID, contact_id: UUID, until: datetime) -> str:
    """An address under `base_url`. It holds ids and a time, nothing else, and proves itself by a keyed hash."""
    said = SHAPE.pack(alert_id.bytes, contact_id.bytes, int(until.timestamp()))
    token = urlsafe_b64encode(said + _mac(sealer, said)).rstrip(b"=").decode()
    return f"{base_url}{PATH}/{token}"


def read_token(sealer: Sealer, token: str, now: datetime) -> Linked | None:
    """What the token stands for; None when it is not ours, was changed, or its time is over."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    said, mac = raw[: SHAPE.size], raw[SHAPE.size :]
    if len(raw) != SHAPE.size + MAC or not compare_digest(mac, _mac(sealer, said)):
        return None
    alert_id, contact_id, until = SHAPE.unpack(said)
    found = Linked(UUID(bytes=alert_id), UUID(bytes=contact_id), datetime.fromtimestamp(until, UTC))
    return found if now < found.until else None


def _mac(sealer: Sealer, said: bytes) -> bytes:
    return sealer.hash(PURPOSE, said.hex())
