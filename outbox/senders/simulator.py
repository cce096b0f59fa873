"""The phone in the browser: it shows what the outbox holds, so a message that is marked has arrived."""

from collections.abc import Mapping
from typing import Any

from outbox.errors import Unsupported
from outbox.senders.base import Envelope, Sent


class SimulatorSender:
    """Settings and secrets: none."""

    parallel = 20

    def __init__(self, _config: Mapping[str, Any], _secrets: Mapping[str, str], **_wiring: Any) -> None:
        pass

    async def send(self, envelope: Envelope) -> Sent:
        if not envelope.to.startswith("tel:"):
            raise Unsupported
        return Sent(str(envelope.id), state="delivered")

    async def close(self) -> None:
        pass
