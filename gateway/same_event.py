"""Reports that may tell of one event: proposed by comparing, a little after they were kept, and settled by a person.

Another source of the same place, kind and day corroborates; the same words heard twice are a possible duplicate, which
never counts as a source. The comparing is done apart from the intake, by index, and goes on where it stopped.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, exists, func, or_, select, tuple_
from uuid_utils.compat import uuid7

from gateway.house import House
from gateway.models import Message, ReportLink
from gateway.reports import EVENT, REPORT
from gateway.upkeep import SETTING, put_setting
from parsers import Codebook

LINK = ReportLink.__table__  # type: ignore[attr-defined]
MESSAGE = Message.__table__  # type: ignore[attr-defined]

MARK = "same_event_until"
# Longer than any transaction takes, so that no report of an earlier time is committed behind the mark.
SETTLED_AFTER = timedelta(seconds=10)
FIRST_LOOK_BACK = timedelta(days=1)
DAYS = timedelta(days=1)
HEARD_WITHIN = timedelta(days=3)
PIECE = 100
PIECES_AT_ONCE = 10
COMPARED = 20
PROPOSED_AT_MOST = 3
FORMS = ("incident", "urgent")
STANDING = ("open", "closed")
OTHER = "other"

COLUMNS: tuple[Any, ...] = (
    REPORT.c.id, REPORT.c.place, REPORT.c.category, REPORT.c.event_date, REPORT.c.contact_id, REPORT.c.registered,
    REPORT.c.verification, REPORT.c.created_at, MESSAGE.c.sender_hash, MESSAGE.c.channel, MESSAGE.c.fold_hash,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the events of reports were looked at: the time and id of the last one."""

    at: datetime
    id: UUID


def propose(house: House) -> int:
    """Compare what was reported since the last time; returns how many links were proposed."""
    total = 0
    for _ in range(PIECES_AT_ONCE):
        mark, last, links = house.read_now(lambda connection: _look(connection, house))
        if last == mark:
            return total
        total += house.writer.write_now(partial(_write, links=links, last=last, now=house.clock()))
    return total


def _look(connection: Connection, house: House) -> tuple[Mark, Mark, list[dict[str, Any]]]:
    mark = _mark(connection, house.clock())
    until = house.clock() - SETTLED_AFTER
    last, reports = _new_events(connection, mark, until)
    codebook = house.codebook(connection)
    links = [link for row in reports for link in _links_of(connection, row, codebook)]
    return mark, last, links


def _mark(connection: Connection, now: datetime) -> Mark:
    """Where to go on; a mark of the future (the clock was set back) counts for nothing."""
    found = connection.scalar(select(SETTING.c.value).where(SETTING.c.name == MARK))
    if found is not None:
        mark = Mark(datetime.fromisoformat(found["at"]), UUID(found["id"]))
        if mark.at <= now:
            return mark
    return Mark(now - FIRST_LOOK_BACK, UUID(int=0))


def _new_events(connection: Connection, mark: Mark, until: datetime) -> tuple[Mark, list[Row[Any]]]:
    """The next events and the reports they are of, as these stand now."""
    after = tuple_(EVENT.c.at, EVENT.c.id) > tuple_(mark.at, mark.id)
    query = select(EVENT.c.at, EVENT.c.id, EVENT.c.report_id).where(EVENT.c.at >= mark.at, after, EVENT.c.at < until)
    events = list(connection.execute(query.order_by(EVENT.c.at, EVENT.c.id).limit(PIECE)))
    if not events:
        return mark, []
    ids = {row.report_id for row in events}
    reports = _reports().where(REPORT.c.id.in_(ids)).order_by(REPORT.c.created_at, REPORT.c.id)
    return Mark(events[-1].at, events[-1].id), list(connection.execute(reports))


def _reports() -> Select[Any]:
    """Reports that can be compared at all: events with a place, a day and a kind, no drafts and no practice."""
    return select(*COLUMNS).join(MESSAGE, MESSAGE.c.id == REPORT.c.message_id).where(
        REPORT.c.form.in_(FORMS), REPORT.c.state.in_(STANDING), REPORT.c.practice.is_(False),
        REPORT.c.place.is_not(None), REPORT.c.event_date.is_not(None), REPORT.c.category.is_not(None),
    )  # fmt: skip


def _links_of(connection: Connection, new: Row[Any], codebook: Codebook) -> Iterator[dict[str, Any]]:
    others = _alike(connection, new, codebook)
    twin = next((one for one in others if _is_twin(new, one)), None)
    if twin is not None:
        yield _link("possible_duplicate", new, _first_of(connection, new) or twin)
        return
    sources = {one.fold_hash or one.id: one for one in others if _is_source(new, one)}
    for other in list(sources.values())[:PROPOSED_AT_MOST]:
        yield _link("corroborates", new, other)


def _alike(connection: Connection, new: Row[Any], codebook: Codebook) -> Sequence[Row[Any]]:
    """Reports of the same place, family and day, the nearest in time first; those that repeat another are left out.

    A twin of `new` stays in: one of many that say the same leads to the first of them.
    """
    repeats = exists().where(LINK.c.report_id == REPORT.c.id, LINK.c.kind == "possible_duplicate")
    same_words = MESSAGE.c.fold_hash == new.fold_hash if new.fold_hash else REPORT.c.id.is_(None)
    low, high = new.created_at - HEARD_WITHIN, new.created_at + HEARD_WITHIN
    query = _reports().where(
        REPORT.c.place == new.place, REPORT.c.created_at.between(low, high), REPORT.c.id != new.id,
        REPORT.c.category.in_(_family(new.category, codebook)), REPORT.c.event_date >= new.event_date - DAYS,
        REPORT.c.event_date <= new.event_date + DAYS, or_(same_words, ~repeats),
    )  # fmt: skip
    return connection.execute(query.order_by(REPORT.c.created_at.desc(), REPORT.c.id.desc()).limit(COMPARED)).all()


def _family(category: str, codebook: Codebook) -> list[str]:
    """The kinds that one event may be called; what fits no kind is like nothing but itself."""
    known = codebook.categories.get(category)
    if known is None or known.group == OTHER:
        return [category]
    return [code for code, one in codebook.categories.items() if one.group == known.group]


def _is_twin(one: Row[Any], other: Row[Any]) -> bool:
    """The same words, whoever sent them; or the same person by another way, of the same kind and day."""
    if one.fold_hash is not None and one.fold_hash == other.fold_hash:
        return True
    return (
        _same_person(one, other)
        and one.channel != other.channel
        and (one.category, one.event_date) == (other.category, other.event_date)
    )


def _is_source(one: Row[Any], other: Row[Any]) -> bool:
    """Two people with phones of their own, at least one of them known to us, and something left to confirm."""
    if _same_person(one, other) or one.sender_hash == other.sender_hash:
        return False
    return (one.registered or other.registered) and "unverified" in (one.verification, other.verification)


def _same_person(one: Row[Any], other: Row[Any]) -> bool:
    return one.contact_id is not None and one.contact_id == other.contact_id


def _first_of(connection: Connection, new: Row[Any]) -> Row[Any] | None:
    """The first report of the place in the same words, so that many equal texts are one group around it."""
    if new.fold_hash is None:
        return None
    low, high = new.created_at - HEARD_WITHIN, new.created_at + HEARD_WITHIN
    query = _reports().where(
        REPORT.c.place == new.place, REPORT.c.created_at.between(low, high), REPORT.c.id != new.id,
        MESSAGE.c.fold_hash == new.fold_hash,
    )  # fmt: skip
    return connection.execute(query.order_by(REPORT.c.created_at, REPORT.c.id).limit(1)).first()


def _link(kind: str, one: Row[Any], other: Row[Any]) -> dict[str, Any]:
    later, earlier = sorted((one, other), key=lambda row: (row.created_at, row.id), reverse=True)
    return {"id": uuid7(), "kind": kind, "report_id": later.id, "other_id": earlier.id, "state": "proposed"}


def _write(connection: Connection, links: Iterable[dict[str, Any]], last: Mark, now: datetime) -> int:
    """What was proposed before, or settled, stays as it is."""
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    rows = [{**link, "proposed_at": now} for link in links if link["report_id"] != link["other_id"]]
    made = 0
    for row in rows:
        statement = dialect.insert(LINK).values(row).on_conflict_do_nothing(index_elements=["report_id", "other_id"])
        made += len(connection.execute(statement.returning(LINK.c.id)).all())
    put_setting(connection, MARK, {"at": last.at.astimezone(UTC).isoformat(), "id": str(last.id)}, now)
    return made


def count_sources(connection: Connection, report_id: UUID) -> int:
    """How many independent sources tell of a report: its own, and those a person confirmed. Repeats are none."""
    mine = or_(LINK.c.report_id == report_id, LINK.c.other_id == report_id)
    confirmed = select(func.count()).select_from(LINK)
    confirmed = confirmed.where(mine, LINK.c.kind == "corroborates", LINK.c.state == "confirmed")
    return 1 + int(connection.scalar(confirmed) or 0)
