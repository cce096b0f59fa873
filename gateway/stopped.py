"""People who stopped our messages at the provider: its refusal is as good as a BAJA said to us."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Table, insert, select

from gateway import audit
from gateway.models import OptOut

OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
SOURCE = "provider"


def note_stopped(connection: Connection, channel: str, hashes: Collection[bytes], *, now: datetime) -> int:
    """Write that nothing more goes to these addresses (keyed hashes); returns how many that is news of."""
    known = set(connection.scalars(select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(hashes))))
    fresh = sorted(set(hashes) - known)
    if fresh:
        rows = [{"address_hash": one, "since": now, "channel": channel, "source": SOURCE} for one in fresh]
        connection.execute(insert(OPT_OUT), rows)
        audit.record(
            connection, at=now, actor="channel", action="opt_out", target=channel, data={"addresses": len(fresh)}
        )
    return len(fresh)
