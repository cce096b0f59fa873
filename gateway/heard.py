"""One text of a batch on its way to be kept, and whether this very delivery was kept before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from gateway.borrowed import Speaker
from gateway.conversation import Asked, Decision, Words
from gateway.incoming import Incoming
from gateway.reports import ReportState
from gateway.sealing import Sealer
from gateway.sheet_rows import TableRows
from gateway.standing import known_deliveries, recent_bodies
from parsers import Reading


@dataclass(slots=True)
class Heard:
    """One text of a batch on its way to be kept.

    `asked` is the question that was open before it, `asks` the one it opens; `report_ids` are for the reading's
    reports in order. Without a decision the text is kept unread (`poison`). `speaker` is who writes on a borrowed
    phone, `text` and `raw` are what is kept.
    """

    incoming: Incoming
    words: Words
    message_id: UUID
    sender_hash: bytes
    body_hash: bytes
    external_hash: bytes
    text: str
    raw: str | None = None
    flags: list[str] = field(default_factory=list)
    speaker: Speaker | None = None
    decision: Decision | None = None
    asked: Asked | None = None
    asks: Asked | None = None
    report_ids: list[UUID] = field(default_factory=list)
    tables: list[TableRows] = field(default_factory=list)
    """What the rows of its files were read as; their reports stand after the text's own."""
    states: dict[int, ReportState] = field(default_factory=dict)
    """The reports as kept, by their place in the reading."""
    kept_as: UUID | None = None
    """Set when this delivery was kept before: the message it is."""

    @property
    def owner_hash(self) -> bytes:
        """Whose the reports are: the address of who gave a personal number, else the one that was heard."""
        speaker = self.speaker
        return speaker.address_hash if speaker is not None and speaker.address_hash else self.sender_hash

    @property
    def drafts(self) -> frozenset[int]:
        """Which of the reports are rows that lack something."""
        own = len(self.report_ids) - sum(len(table.reports) for table in self.tables)
        rows = [row for table in self.tables for row in table.rows if row.report is not None]
        return frozenset(own + index for index, row in enumerate(rows) if row.lacks)

    @property
    def reading(self) -> Reading | None:
        return self.decision.reading if self.decision else None


def hear(incoming: Incoming, sealer: Sealer) -> Heard:
    """Name the text: its id, its keyed hashes. An absent external id becomes the message's own."""
    message_id = uuid7()
    body = "\0".join((incoming.sender, incoming.subject or "", incoming.text))
    if incoming.part is not None:
        body += f"\0{incoming.part}"
    files = "\0".join(one.sha256 for one in incoming.files)
    body += f"\0{files}" if files else ""
    external = incoming.external_id or message_id.hex
    words = Words(
        incoming.text,
        incoming.heard_at,
        incoming.sent_at,
        incoming.subject,
        incoming.auto,
        incoming.part,
        files,
        incoming.tables,
    )
    return Heard(
        incoming,
        words,
        message_id,
        sealer.hash("address", incoming.sender),
        sealer.hash("body", body),
        sealer.hash("external", external),
        incoming.text,
        incoming.raw,
    )


def find_duplicates(connection: Connection, batch: Sequence[Heard], sealer: Sealer) -> None:
    """Set `kept_as` on every delivery that was kept before or stands earlier in the batch.

    An id that was used for another body is no duplicate: it gets a hash of its own and the flag `same_id`.
    """
    known = known_deliveries(connection, [(h.incoming.channel, h.external_hash) for h in batch if _has_id(h)])
    kept = {key: (row.id, row.body_hash) for key, row in known.items()}
    second: list[Heard] = []
    for heard in batch:
        if _has_id(heard) and not _same_delivery(heard, kept, (heard.incoming.channel, heard.external_hash)):
            second.append(heard)
    _find_other_bodies(connection, second, sealer)
    _find_without_id(connection, [h for h in batch if not _has_id(h)])


def _has_id(heard: Heard) -> bool:
    return heard.incoming.external_id is not None


Kept = dict[tuple[str, bytes], tuple[UUID, bytes]]


def _same_delivery(heard: Heard, kept: Kept, key: tuple[str, bytes]) -> bool:
    """True when settled: kept before (same body) or new; False when the id was used for another body."""
    found = kept.get(key)
    if found is None:
        kept[key] = (heard.message_id, heard.body_hash)
        return True
    if found[1] == heard.body_hash:
        heard.kept_as = found[0]
        return True
    return False


def _find_other_bodies(connection: Connection, batch: Sequence[Heard], sealer: Sealer) -> None:
    if not batch:
        return
    for heard in batch:
        heard.external_hash = sealer.hash("external", f"{heard.incoming.external_id}\0{heard.body_hash.hex()}")
        heard.flags.append("same_id")
    keys = [(h.incoming.channel, h.external_hash) for h in batch]
    kept: Kept = {key: (row.id, row.body_hash) for key, row in known_deliveries(connection, keys).items()}
    for heard in batch:
        _same_delivery(heard, kept, (heard.incoming.channel, heard.external_hash))


def _find_without_id(connection: Connection, batch: Sequence[Heard]) -> None:
    if not batch:
        return
    widest = timedelta(seconds=max(h.incoming.same_within_s for h in batch))
    times = [h.incoming.heard_at for h in batch]
    senders = {h.sender_hash for h in batch}
    recent = recent_bodies(connection, senders, min(times) - widest, max(times) + widest)
    for heard in batch:
        key = (heard.incoming.channel, heard.sender_hash, heard.body_hash)
        heard.kept_as = recent.setdefault(key, heard.message_id)
        if heard.kept_as == heard.message_id:
            heard.kept_as = None
