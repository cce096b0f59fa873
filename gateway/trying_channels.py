"""A message that tries one channel: queued like any other, told in the audit log, never sent another way."""

from datetime import timedelta

from sqlalchemy import Connection, Table, select
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.contacts import parse_address
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import House
from gateway.models import OptOut
from gateway.replies import Replies
from gateway.routes import CHANNEL, Way, can_carry
from outbox.queue import NewMessage, enqueue

OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
LIVES = timedelta(hours=1)
CANNOT = "The channel does not send there."
SAID_STOP = "Who has this address does not want messages."


def send_test(connection: Connection, house: House, channel: str, typed: str, *, actor: str) -> None:
    """Queue a test to a phone or mailbox. Raises NotFound, UsageError and, for who said BAJA, Conflict."""
    row = connection.execute(select(CHANNEL).where(CHANNEL.c.name == channel)).first()
    if row is None:
        raise NotFound(f"There is no channel {channel}.")
    to = parse_address(typed)
    if row.state != "active" or not can_carry(Way(row.name, row.kind, row.state, row.config), to):
        raise UsageError(CANNOT)
    if connection.scalar(select(OPT_OUT.c.since).where(OPT_OUT.c.address_hash == house.sealer.hash("address", to))):
        raise Conflict(SAID_STOP)
    now, is_mail = house.clock(), to.startswith("mailto:")
    text = Replies(house.codebook(connection)).text("channel_test", channel=channel)
    message = NewMessage(
        id=uuid7(), kind="test", channel=channel, to=to, text=text, subject=text[:70] if is_mail else None,
        headers={"Auto-Submitted": "auto-generated"} if is_mail else None, expires_at=now + LIVES,
    )  # fmt: skip
    enqueue(connection, [message], seals=house.sealer, now=now)
    audit.record(connection, at=now, actor=actor, action="channel.test", target=channel, data={})
