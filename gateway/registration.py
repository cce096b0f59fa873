"""Who asks to join: a number a coordinator can answer, and what was sent since counts when the answer is yes."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, exists, func, or_, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.alerts import covers, receivers
from gateway.answering import Done
from gateway.contacts import set_status
from gateway.errors import NotFound
from gateway.house import touch_config
from gateway.keeping import Keeper
from gateway.models import Message
from gateway.plan import Heard
from gateway.replies import Replies
from gateway.reports import REPORT, Event, append_event
from gateway.routes import Way, choose, ways
from gateway.sealing import Sealer
from gateway.standing import ADDRESS, CONTACT, OPT_OUT
from outbox.queue import NewMessage
from outbox.rows import enqueue
from parsers import Codebook, ReportReading

MESSAGE = Message.__table__  # type: ignore[attr-defined]

TOLD_AN_HOUR = 5
DIGITS = 9


def next_number(connection: Connection) -> int:
    """The number of a new registration: 1, 2, 3 ... Two that take the same at once are told apart by the database."""
    return int(connection.scalar(select(func.max(CONTACT.c.registration))) or 0) + 1


def tell_coordinators(
    connection: Connection, contact: dict[str, Any], *, replies: Replies, found: Sequence[Way], sealer: Sealer,
    now: datetime,
) -> list[NewMessage]:  # fmt: skip
    """What the coordinators of the place are told, by mail where they have an address, else by SMS.

    At most five an hour in all, so that strangers cannot spend the credit; the list on the pages holds every one.
    """
    recent = select(func.count()).where(CONTACT.c.registration.is_not(None), CONTACT.c.created_at > now - _HOUR)
    if int(connection.scalar(recent) or 0) > TOLD_AN_HOUR:
        return []
    people = [row.id for row in receivers(connection, contact["home_place"], None)]
    text = replies.text(
        "registration_asked", ref=contact["registration"], place=replies.place(contact["home_place"])
    )  # fmt: skip
    return [
        NewMessage(
            id=uuid7(), kind="notice", channel=channel, to=to, text=text, contact_id=person,
            subject=text if to.startswith("mailto:") else None,
        )
        for person in people
        for to in _best_address(connection, person, sealer, ("mailto", "tel"))
        if (channel := choose(found, to)) is not None
    ]  # fmt: skip


_HOUR = timedelta(hours=1)


def _best_address(connection: Connection, contact_id: UUID, sealer: Sealer, kinds: Sequence[str]) -> Iterable[str]:
    """One address of a contact that did not say BAJA: of the first kind there is, the preferred one."""
    silent = exists().where(OPT_OUT.c.address_hash == ADDRESS.c.address_hash)
    query = select(ADDRESS).where(ADDRESS.c.contact_id == contact_id, ~silent)
    rows = list(connection.execute(query.order_by(ADDRESS.c.preferred.desc(), ADDRESS.c.id)))
    rows.sort(key=lambda row: kinds.index(row.kind))
    return [sealer.open("contact_address", "address", row.id, row.address_sealed) for row in rows[:1]]


def approve(
    connection: Connection, contact_id: UUID, *, codebook: Codebook, sealer: Sealer, now: datetime, actor: str
) -> None:
    """Let a contact in. Of one who asked to join, what was kept since then counts from its day, and the person is told.

    Once in, nothing more is changed by approving again. Raises NotFound.
    """
    row = connection.execute(select(CONTACT).where(CONTACT.c.id == contact_id).with_for_update()).first()
    if row is None:
        raise NotFound("There is no such contact.")
    if row.status == "active":
        return
    set_status(connection, contact_id, "active", now=now, actor=actor)
    if row.status != "pending":
        return
    counted = _count_since(connection, row, sealer, now, actor)
    audit.record(connection, at=now, actor=actor, action="contact.approve", target=str(contact_id), data=counted)
    touch_config(connection)
    enqueue(connection, _welcome(connection, contact_id, codebook, sealer), seals=sealer, now=now)


def _welcome(connection: Connection, contact_id: UUID, codebook: Codebook, sealer: Sealer) -> list[NewMessage]:
    text, found = Replies(codebook).text("approved"), ways(connection)
    return [
        NewMessage(
            id=uuid7(), kind="notice", channel=channel, to=to, text=text, contact_id=contact_id,
            subject=text if to.startswith("mailto:") else None,
        )
        for to in _best_address(connection, contact_id, sealer, ("tel", "mailto"))
        if (channel := choose(found, to)) is not None
    ]  # fmt: skip


def _count_since(
    connection: Connection, contact: Row[Any], sealer: Sealer, now: datetime, actor: str
) -> dict[str, int]:
    """Give the contact the texts and reports of its addresses since it asked, but for those said in another's name."""
    hashes = select(ADDRESS.c.address_hash).where(ADDRESS.c.contact_id == contact.id)
    own = (
        MESSAGE.c.sender_hash.in_(hashes), MESSAGE.c.kept_at >= contact.created_at, MESSAGE.c.contact_id.is_(None),
        or_(MESSAGE.c.form.is_(None), MESSAGE.c.form != "poll"),
        or_(MESSAGE.c.flags.is_(None), MESSAGE.c.flags.not_like("%pin_%")),
        or_(MESSAGE.c.flags.is_(None), MESSAGE.c.flags.not_like("%unproved%")),
    )  # fmt: skip
    texts = list(connection.scalars(select(MESSAGE.c.id).where(*own)))
    query = select(REPORT.c.id).where(REPORT.c.message_id.in_(texts), REPORT.c.registered.is_(False))
    reports = list(connection.scalars(query.order_by(REPORT.c.id)))
    for report_id in reports:
        append_event(connection, report_id, Event("noted", now, actor, {"registered": True}), sealer=sealer)
    owner = {"contact_id": contact.id}
    connection.execute(update(REPORT).where(REPORT.c.id.in_(reports)).values(registered=True, **owner))
    connection.execute(update(MESSAGE).where(MESSAGE.c.id.in_(texts)).values(**owner))
    return {"texts": len(texts), "reports": len(reports)}


def approve_by_message(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """APROBAR n, by a coordinator of the place or an admin; any other number is answered with where to look."""
    known, replies = keeper.known(heard), keeper.replies
    wanted = str(command.get("ref") or "")
    row = _find(keeper.connection, wanted)
    if known is None or row is None or not _may(keeper.connection, known.contact_id, known.role, row):
        return Done(replies.text("registration_not_found", ref=wanted[:10]), kind="notice")
    place = replies.place(row.home_place)
    if row.status == "active":
        return Done(replies.text("registration_known", ref=row.registration, place=place), kind="notice")
    keeper.flush()
    approve(
        keeper.connection, row.id, codebook=keeper.codebook, sealer=keeper.sealer, now=keeper.now,
        actor=keeper.actor(heard),
    )  # fmt: skip
    return Done(replies.form_reply("approve", ref=row.registration, place=place))


def _find(connection: Connection, wanted: str) -> Row[Any] | None:
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= DIGITS):
        return None
    open_to = CONTACT.c.status.in_(("pending", "active"))
    return connection.execute(select(CONTACT).where(CONTACT.c.registration == int(wanted), open_to)).first()


def _may(connection: Connection, contact_id: UUID, role: str, asked: Row[Any]) -> bool:
    if role == "admin":
        return True
    places = connection.scalar(select(CONTACT.c.places).where(CONTACT.c.id == contact_id)) or []
    return role == "coordinator" and covers(places, asked.home_place)
