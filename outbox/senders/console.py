"""Writes that a message would go, for trying things out: the address masked, the text not at all."""

import logging
from collections.abc import Mapping
from typing import Any

from outbox.senders.base import Envelope, Sent

_log = logging.getLogger("vocero.console")


class ConsoleSender:
    """Settings and secrets: none."""

    parallel = 1

    def __init__(self, _config: Mapping[str, Any], _secrets: Mapping[str, str], **_wiring: Any) -> None:
        pass

    async def send(self, envelope: Envelope) -> Sent:
        _log.info("%s to %s: %d characters", envelope.kind, masked(envelope.to), len(envelope.text))
        return Sent(str(envelope.id))

    async def close(self) -> None:
        pass


def masked(address: str) -> str:
    """`tel:+502…01`, `mailto:…@example.org`: enough to tell channels apart, too little to tell people apart."""
    scheme, _, value = address.partition(":")
    if scheme == "mailto":
        return f"mailto:…@{value.rpartition('@')[2]}"
    return f"{scheme}:{value[:4]}…{value[-2:]}" if len(value) > 8 else f"{scheme}:…"
