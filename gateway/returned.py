"""Mail of ours that comes back: the bounce is linked to the message it is about, in the transaction that keeps it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from gateway.routes import ways
from gateway.sealing import Sealer
from outbox.queue import record_receipt
from outbox.receipts import Status
from outbox.rows import OUTBOUND
from parsers.mail_bounce import Bounce

# `bounced` counts against the address, `bounced_temporary` (its server was away, its mailbox full) does not.
FATES: dict[str, tuple[Status, str | None]] = {
    "failed": ("failed", "bounced"), "gave_up": ("failed", "bounced_temporary"), "delivered": ("delivered", None),
}  # fmt: skip

_c = OUTBOUND.c


def note_bounce(connection: Connection, bounce: Bounce, *, now: datetime, sealer: Sealer) -> UUID | None:
    """Record what became of the message a bounce names; its id, or None when it names none of ours.

    A server that still tries changes nothing: it will say how it ended.
    """
    found = _named(connection, bounce, sealer)
    if found is None or bounce.fate not in FATES:
        return found[0] if found else None
    message_id, channel = found
    status, error = FATES[bounce.fate]
    record_receipt(
        connection, channel=channel, status=status, our_id=message_id, provider_id=None, error=error, at=now, now=now,
        seals=sealer,
    )  # fmt: skip
    return message_id


def _named(connection: Connection, bounce: Bounce, sealer: Sealer) -> tuple[UUID, str] | None:
    """The message and its channel: by our own marks, else by the Message-ID it went out with."""
    own = [*bounce.ours, *(one.strip("<>").partition("@")[0] for one in bounce.message_ids)]
    by_id = select(_c.id, _c.channel).where(_c.id.in_(_uuids(own))).limit(1)
    hashes = [sealer.hash("provider", one) for one in bounce.message_ids]
    names = [way.name for way in ways(connection)]
    by_hash = select(_c.id, _c.channel).where(_c.channel.in_(names), _c.provider_hash.in_(hashes)).limit(1)
    row = connection.execute(by_id).first() or connection.execute(by_hash).first()
    return (row.id, row.channel) if row is not None else None


def _uuids(words: Iterable[str]) -> list[UUID]:
    found = []
    for word in words:
        try:
            found.append(UUID(word))
        except ValueError:
            continue
    return found
