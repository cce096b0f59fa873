"""Takes everything and sends nothing: what the queue itself can do, for measuring."""

from collections.abc import Mapping
from typing import Any

from outbox.senders.base import Envelope, Sent


class NullSender:
    """Counts what it was given. Settings: parallel."""

    def __init__(self, config: Mapping[str, Any], _secrets: Mapping[str, str], **_wiring: Any) -> None:
        self.parallel = int(config.get("parallel") or 100)
        self.taken = 0

    async def send(self, envelope: Envelope) -> Sent:
        self.taken += 1
        return Sent(f"null-{envelope.id}")

    async def close(self) -> None:
        pass
