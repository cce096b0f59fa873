"""What is remembered of the senders of a batch: one query for each kind of memory, whatever the number of senders."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, func, literal_column, or_, select, text

from gateway.answer_by import wanted_addresses
from gateway.bulk import Lookup
from gateway.conversation import Asked, Known, Part, Repeat, Standing, own_words
from gateway.drafts import is_practice, load_report
from gateway.models import Contact, ContactAddress, Message, OpenQuestion, OptOut, OutboundMessage, Report
from gateway.sealing import Sealer

ADDRESS = ContactAddress.__table__  # type: ignore[attr-defined]
CONTACT = Contact.__table__  # type: ignore[attr-defined]
MESSAGE = Message.__table__  # type: ignore[attr-defined]
OPT_OUT = OptOut.__table__  # type: ignore[attr-defined]
OUTBOUND = OutboundMessage.__table__  # type: ignore[attr-defined]
QUESTION = OpenQuestion.__table__  # type: ignore[attr-defined]
REPORT = Report.__table__  # type: ignore[attr-defined]

KNOWN_COLUMNS: tuple[Any, ...] = (
    CONTACT.c.id, CONTACT.c.role, CONTACT.c.status, CONTACT.c.home_place, CONTACT.c.village_sealed,
    CONTACT.c.language, CONTACT.c.discreet, CONTACT.c.poll_month, CONTACT.c.last_heard_at,
    CONTACT.c.answer_by,
)  # fmt: skip
QUESTION_COLUMNS: tuple[Any, ...] = (
    QUESTION.c.id, QUESTION.c.sender_hash, QUESTION.c.ask, QUESTION.c.choices, QUESTION.c.report_id,
    QUESTION.c.message_id, QUESTION.c.draft_sealed, QUESTION.c.expires_at,
)  # fmt: skip
PART_COLUMNS: tuple[Any, ...] = (
    MESSAGE.c.id, MESSAGE.c.sender_hash, MESSAGE.c.part_ref, MESSAGE.c.part_seq, MESSAGE.c.part_total,
    MESSAGE.c.text_sealed,
)  # fmt: skip
# A literal, not a parameter: only then does the database use the partial index.
OPEN: ColumnElement[bool] = literal_column("open_question.state = 'open'")
HELD: ColumnElement[bool] = literal_column("message.state = 'held'")
EXEMPT = "alert"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def _known(hashes: Sequence[Any]) -> Select[Any]:
    standing = or_(CONTACT.c.status == "active", CONTACT.c.status == "pending")
    query = select(ADDRESS.c.address_hash, *KNOWN_COLUMNS).join(CONTACT, CONTACT.c.id == ADDRESS.c.contact_id)
    return query.where(ADDRESS.c.address_hash.in_(hashes), standing)


def _questions(hashes: Sequence[Any]) -> Select[Any]:
    query = select(*QUESTION_COLUMNS, REPORT.c.ref, REPORT.c.contact_id).outerjoin(
        REPORT, REPORT.c.id == QUESTION.c.report_id
    )
    mine = (OPEN, QUESTION.c.sender_hash.in_(hashes), QUESTION.c.expires_at > bindparam("now"))
    return query.where(*mine)


def _parts(hashes: Sequence[Any]) -> Select[Any]:
    recent = MESSAGE.c.heard_at > bindparam("since")
    query = select(*PART_COLUMNS).where(HELD, MESSAGE.c.sender_hash.in_(hashes), recent)
    return query.order_by(MESSAGE.c.heard_at)


def _answered(hashes: Sequence[Any]) -> Select[Any]:
    last_hour = func.sum(case((OUTBOUND.c.queued_at > bindparam("hour"), 1), else_=0))
    columns = (OUTBOUND.c.to_hash, OUTBOUND.c.text_hash)
    mine = (OUTBOUND.c.to_hash.in_(hashes), OUTBOUND.c.queued_at > bindparam("day"))
    query = select(*columns, func.count().label("of_day"), last_hour.label("of_hour")).where(*mine)
    return query.where(OUTBOUND.c.kind != EXEMPT, OUTBOUND.c.message_id.is_not(None)).group_by(*columns)


def _silent(hashes: Sequence[Any]) -> Select[Any]:
    return select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(hashes))


KNOWN, QUESTIONS, PARTS = Lookup(_known), Lookup(_questions), Lookup(_parts)
ANSWERED, SILENT = Lookup(_answered), Lookup(_silent)


@dataclass(slots=True)
class Answered:
    """How much a sender was answered: in the last hour, in the last day, and per text in the last hour."""

    hour: int = 0
    day: int = 0
    texts: dict[bytes, int] = field(default_factory=dict)


@dataclass(slots=True)
class Memory:
    """The standings of a batch by sender hash, and what limits the answers to them."""

    standings: dict[bytes, Standing]
    answered: dict[bytes, Answered]
    opted_out: set[bytes]

    def questions(self) -> frozenset[UUID]:
        """Ids of the open questions, to see whether they are still the same when the batch is written."""
        return frozenset(s.asked.id for s in self.standings.values() if s.asked and s.asked.id)


def lock_senders(connection: Connection, senders: Collection[bytes]) -> None:
    """On Postgres: hold the senders' advisory locks until the transaction ends, taken in ascending order."""
    if connection.dialect.name != "postgresql":
        return
    keys = sorted({int.from_bytes(sender[:8], "big", signed=True) for sender in senders})
    statement = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")
    connection.execute(statement, {"keys": keys})


def recall(
    connection: Connection, senders: Collection[bytes], folds: Collection[bytes], *, now: datetime,
    repeat_hours: int, sealer: Sealer,
) -> Memory:  # fmt: skip
    """What is remembered of `senders`; of their earlier texts only those whose key is in `folds`."""
    standings = {sender: Standing() for sender in senders}
    elsewhere = _recall_known(connection, standings, sealer)
    _recall_questions(connection, standings, now, sealer)
    _recall_repeats(connection, standings, folds, now - timedelta(hours=repeat_hours))
    _recall_parts(connection, standings, now, sealer)
    answered = _recall_answered(connection, standings, elsewhere, now)
    opted_out = {row.address_hash for row in SILENT.rows(connection, senders)}
    for sender in opted_out:
        standings[sender].opted_out = True
    return Memory(standings, answered, opted_out)


def open_question_ids(connection: Connection, senders: Collection[bytes], now: datetime) -> frozenset[UUID]:
    query = select(QUESTION.c.id).where(_open_questions(senders, now))
    return frozenset(connection.scalars(query))


def _recall_known(
    connection: Connection, standings: dict[bytes, Standing], sealer: Sealer
) -> dict[bytes, tuple[bytes, ...]]:
    """Gives back the hash of where answers go instead, with the senders whose answers go there."""
    rows = KNOWN.rows(connection, standings)
    wishes = {row.id for row in rows if row.answer_by is not None}
    wanted = wanted_addresses(connection, wishes, sealer) if wishes else {}
    elsewhere: dict[bytes, tuple[bytes, ...]] = {}
    for row in rows:
        known, other = known_of(row, sealer), wanted.get(row.id)
        if other is not None:
            known = replace(known, answer_to=other.address)
            elsewhere[other.hash] = (*elsewhere.get(other.hash, ()), row.address_hash)
        standings[row.address_hash].known = known
        standings[row.address_hash].last_exchange = row.last_heard_at
    return elsewhere


def known_of(row: Any, sealer: Sealer) -> Known:
    return Known(
        contact_id=row.id,
        role=row.role,
        status=row.status,
        home_place=row.home_place,
        village=sealer.open_optional("contact", "village", row.id, row.village_sealed),
        language=row.language,
        discreet=row.discreet,
        poll_month=row.poll_month,
    )


def _open_questions(senders: Collection[bytes], now: datetime) -> Any:
    return (QUESTION.c.state == "open") & QUESTION.c.sender_hash.in_(list(senders)) & (QUESTION.c.expires_at > now)


def _recall_questions(connection: Connection, standings: dict[bytes, Standing], now: datetime, sealer: Sealer) -> None:
    for row in QUESTIONS.rows(connection, standings, now=now):
        if row.draft_sealed is None:
            continue
        draft = sealer.open("open_question", "draft", row.id, row.draft_sealed)
        standings[row.sender_hash].asked = Asked(
            row.ask, load_report(draft), tuple(row.choices), row.id, row.report_id, row.message_id, row.ref,
            row.expires_at, row.contact_id, is_practice(draft),
        )  # fmt: skip


def _recall_repeats(
    connection: Connection, standings: dict[bytes, Standing], folds: Collection[bytes], since: datetime
) -> None:
    """Earlier texts of the same fold, and whether their repeat was answered already.

    A text from the future of `now` (the clock was set back) counts as recent.
    """
    if not folds:
        return
    query = select(MESSAGE.c.id, MESSAGE.c.sender_hash, MESSAGE.c.fold_hash, MESSAGE.c.duplicate_of).where(
        MESSAGE.c.sender_hash.in_(list(standings)), MESSAGE.c.heard_at > since, MESSAGE.c.fold_hash.in_(list(folds))
    )
    rows = list(connection.execute(query.order_by(MESSAGE.c.heard_at)))
    repeated = {row.duplicate_of for row in rows if row.duplicate_of}
    for row in rows:
        if row.duplicate_of is None:
            repeat = Repeat(row.id, answered=row.id in repeated)
            standings[row.sender_hash].repeats.setdefault(row.fold_hash, repeat)


def _recall_parts(connection: Connection, standings: dict[bytes, Standing], now: datetime, sealer: Sealer) -> None:
    parts: dict[bytes, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for row in PARTS.rows(connection, standings, since=now - DAY):
        held = own_words(sealer.open("message", "text", row.id, row.text_sealed), row.part_ref)
        parts[row.sender_hash][f"{row.part_ref}/{row.part_total}"].append(Part(row.id, row.part_seq, held))
    for sender, waiting in parts.items():
        standings[sender].parts = dict(waiting)


def _recall_answered(
    connection: Connection, standings: dict[bytes, Standing], elsewhere: Mapping[bytes, tuple[bytes, ...]],
    now: datetime,
) -> dict[bytes, Answered]:  # fmt: skip
    """Answers that go elsewhere count against who wrote, or there would be no limit to them."""
    found = {sender: Answered() for sender in standings}
    for row in ANSWERED.rows(connection, {*standings, *elsewhere}, day=now - DAY, hour=now - HOUR):
        own = (row.to_hash,) if row.to_hash in found else ()
        for sender in {*own, *elsewhere.get(row.to_hash, ())}:
            answered = found[sender]
            answered.day += row.of_day
            answered.hour += row.of_hour
            if row.text_hash is not None:
                answered.texts[row.text_hash] = answered.texts.get(row.text_hash, 0) + row.of_hour
    return found


def known_deliveries(connection: Connection, keys: Sequence[tuple[str, bytes]]) -> dict[tuple[str, bytes], Row[Any]]:
    """Messages already kept under (channel, external hash)."""
    channels, hashes = {channel for channel, _ in keys}, {external for _, external in keys}
    columns = (MESSAGE.c.id, MESSAGE.c.channel, MESSAGE.c.external_hash, MESSAGE.c.body_hash)
    query = select(*columns).where(MESSAGE.c.channel.in_(channels), MESSAGE.c.external_hash.in_(hashes))
    rows = connection.execute(query)
    return {(row.channel, row.external_hash): row for row in rows}


def recent_bodies(
    connection: Connection, senders: Collection[bytes], since: datetime, until: datetime
) -> dict[tuple[str, bytes, bytes], UUID]:
    """Messages of `senders` heard within [since, until] by (channel, sender, body): the deliveries without an id."""
    columns = (MESSAGE.c.id, MESSAGE.c.channel, MESSAGE.c.sender_hash, MESSAGE.c.body_hash)
    query = select(*columns).where(
        MESSAGE.c.sender_hash.in_(list(senders)), MESSAGE.c.heard_at >= since, MESSAGE.c.heard_at <= until
    )
    return {(row.channel, row.sender_hash, row.body_hash): row.id for row in connection.execute(query)}
