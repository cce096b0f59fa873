"""A phone in the browser: pick or type a number, write a text, see what comes back. No address holds the number."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select
from starlette.responses import Response
from uuid_utils.compat import uuid7

from gateway.contacts import people
from gateway.errors import Busy, NotFound, UsageError
from gateway.incoming import Incoming
from gateway.keeping import MESSAGE
from gateway.standing import ADDRESS, CONTACT
from gateway.web.labels import Labels, mask
from gateway.web.serving import ERRORS
from gateway.web.visit import Page, Visit
from outbox.address import Address, parse_phone
from outbox.rows import OUTBOUND

CHANNEL_NAME = "simulator"
PHONES_AT_MOST = 60
TALK_AT_MOST = 40
TEXT_AT_MOST = 1600


@dataclass(frozen=True, slots=True)
class Bubble:
    """One text of the talk; `mine` was written on the phone, the others were sent to it."""

    at: datetime
    text: str
    mine: bool
    state: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A contact whose phone may be picked; the number is told masked."""

    contact: UUID
    name: str
    shown: str


async def show(visit: Visit) -> Response:
    return await _page(visit, "")


async def pick(visit: Visit) -> Response:
    """Take the phone of a contact, or the number that was typed."""
    if visit.form.word("typed"):
        return await _page(visit, _number(visit, "typed"))
    chosen = visit.form.word("contact")
    found = await visit.house.read(lambda connection: people(connection, visit.house.sealer, only=_ids(chosen)))
    tel = found[0].address("tel") if found else None
    if tel is None:
        raise NotFound("phone")
    return await _page(visit, tel.partition(":")[2])


async def write(visit: Visit) -> Response:
    """The text goes through the same door as one from a real phone; when the door is shut it stays in the box."""
    number, text = _number(visit), visit.form.get("text", "")[:TEXT_AT_MOST]
    try:
        await _send(visit, number, text)
    except Busy as error:
        status, words = ERRORS[Busy]
        response = await _shown(visit, number, text=text, problem=visit.t(words), status=status)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    return await _shown(visit, number)


async def _send(visit: Visit, number: str, text: str) -> None:
    intake, at = visit.house.intake, visit.house.clock()
    if intake is None:
        raise Busy("no intake runs in this process")
    if text.strip():
        incoming = Incoming(CHANNEL_NAME, f"tel:{number}", text, at, external_id=uuid7().hex, sent_at=at)
        await intake.receive(incoming)


async def _shown(visit: Visit, number: str, *, text: str = "", problem: str = "", status: int = 200) -> Response:
    """After writing: the phone alone for a live page, else the whole page."""
    if visit.is_htmx:
        return await _part(visit, number, "phone.html", text=text, problem=problem, status=status)
    return await _page(visit, number, text=text, problem=problem, status=status)


async def listen(visit: Visit) -> Response:
    """The talk alone, asked for again and again by the open page."""
    return await _part(visit, _number(visit), "talk.html")


async def _part(
    visit: Visit, number: str, template: str, *, text: str = "", problem: str = "", status: int = 200
) -> Response:
    bubbles, labels = await visit.house.read(
        lambda connection: (talk(connection, visit, number), _labels(connection, visit))
    )
    return visit.render(template, status, talk=bubbles, number=number, labels=labels, text=text, problem=problem)


async def _page(visit: Visit, number: str, *, text: str = "", problem: str = "", status: int = 200) -> Response:
    def load(connection: Connection) -> tuple[list[Phone], list[Bubble], Labels]:
        spoken = talk(connection, visit, number) if number else []
        return phones(connection, visit), spoken, _labels(connection, visit)

    found, spoken, labels = await visit.house.read(load)
    return visit.render(
        "simulator.html", status, phones=found, talk=spoken, number=number, labels=labels, text=text, problem=problem
    )


def _labels(connection: Connection, visit: Visit) -> Labels:
    return Labels(visit.house.codebook(connection), visit.t)


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []


def _number(visit: Visit, field: str = "number") -> str:
    number = parse_phone(visit.form.word(field, 40))
    if number is None:
        raise UsageError("not a phone number")
    return number


def phones(connection: Connection, visit: Visit) -> list[Phone]:
    """Active contacts with a phone, the oldest first."""
    query = (
        select(CONTACT.c.id)
        .where(
            CONTACT.c.status == "active", CONTACT.c.id.in_(select(ADDRESS.c.contact_id).where(ADDRESS.c.kind == "tel"))
        )
        .order_by(CONTACT.c.created_at, CONTACT.c.id)
        .limit(PHONES_AT_MOST)
    )
    found = people(connection, visit.house.sealer, only=connection.scalars(query))
    reached = [(person, person.address("tel")) for person in found]
    return [Phone(person.id, person.name, mask(tel)) for person, tel in reached if tel]


def talk(connection: Connection, visit: Visit, number: str) -> list[Bubble]:
    """What this number wrote on the simulator and what was sent to it, the newest first."""
    sealer = visit.house.sealer
    key = sealer.hash("address", str(Address("tel", number)))
    heard = select(MESSAGE).where(MESSAGE.c.sender_hash == key, MESSAGE.c.channel == CHANNEL_NAME)
    heard = heard.order_by(MESSAGE.c.heard_at.desc(), MESSAGE.c.id.desc()).limit(TALK_AT_MOST)
    said = [
        Bubble(row.heard_at, sealer.open("message", "text", row.id, row.text_sealed), True, row.state)
        for row in connection.execute(
            heard.order_by(MESSAGE.c.heard_at.desc(), MESSAGE.c.id.desc()).limit(TALK_AT_MOST)
        )
    ]
    sent = select(OUTBOUND).where(OUTBOUND.c.to_hash == key)
    sent = sent.order_by(OUTBOUND.c.queued_at.desc(), OUTBOUND.c.id.desc()).limit(TALK_AT_MOST)
    came = [
        Bubble(row.queued_at, sealer.open(OUTBOUND.name, "text", row.id, row.text_sealed), False, row.state)
        for row in connection.execute(
            sent.order_by(OUTBOUND.c.queued_at.desc(), OUTBOUND.c.id.desc()).limit(TALK_AT_MOST)
        )
    ]
    return sorted([*came, *said], key=lambda bubble: (bubble.at, not bubble.mine), reverse=True)


PAGES = (
    Page("GET", "/simulator", "simulator", show),
    Page("POST", "/simulator", "simulator", pick),
    Page("POST", "/simulator/write", "simulator", write),
    Page("POST", "/simulator/talk", "simulator", listen, quiet=True),
)
