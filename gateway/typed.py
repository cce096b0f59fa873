"""A text that somebody types for another at a terminal: kept like any other, its answer given back at once."""

from sqlalchemy import Connection, select
from uuid_utils.compat import uuid7

from gateway.errors import NotFound
from gateway.house import House
from gateway.incoming import Incoming, Receiver
from gateway.routes import CHANNEL
from outbox.rows import OUTBOUND


async def keep_typed(house: House, intake: Receiver, channel: str, sender: str, text: str) -> list[str]:
    """Keep `text` of the Address `sender`; the texts that answer it. Raises NotFound, and Busy when nothing was
    kept."""
    if not await house.read(lambda connection: _is_there(connection, channel)):
        raise NotFound(f"There is no channel {channel} for the terminal: vocero channel add console {channel}")
    heard = Incoming(channel=channel, sender=sender, text=text, heard_at=house.clock(), external_id=uuid7().hex)
    receipt = await intake.receive(heard)
    answers = select(OUTBOUND).where(OUTBOUND.c.message_id == receipt.message_id).order_by(OUTBOUND.c.id)
    hashed = house.sealer.hash("address", sender)
    rows = await house.read(lambda connection: list(connection.execute(answers.where(OUTBOUND.c.to_hash == hashed))))
    return [house.sealer.open(OUTBOUND.name, "text", row.id, row.text_sealed) for row in rows]


def _is_there(connection: Connection, channel: str) -> bool:
    wanted = (CHANNEL.c.name == channel, CHANNEL.c.kind == "console", CHANNEL.c.state != "disabled")
    return connection.scalar(select(CHANNEL.c.id).where(*wanted)) is not None
