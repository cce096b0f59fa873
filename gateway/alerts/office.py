"""What telling people needs: the transaction, the words, the ways out; and the messages that tell them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, insert, select
from uuid_utils.compat import uuid7

from gateway.alerts.links import make_link
from gateway.alerts.rows import RECEIVER
from gateway.contacts import Person, people
from gateway.house import House
from gateway.locale import N_, translator
from gateway.models import OptOut
from gateway.replies import Replies
from gateway.routes import Way, choose, ways
from gateway.sealing import Sealer
from outbox.queue import NewMessage
from outbox.segments import count
from parsers import Codebook

OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]

EXPIRES_AFTER = timedelta(days=3)
NEWS_EXPIRES_AFTER = timedelta(days=1)
HOW_TO_ANSWER = N_(
    "To say that you attend to it, answer this mail with the one word VISTO, or open this page and press its button:"
)
ONLY_YOURS = N_("The page is for you alone and closes on {day}.")


@dataclass(frozen=True, slots=True)
class Office:
    """The caller's transaction and what is known in it. `prefer` is the channel an SMS should go by."""

    connection: Connection
    replies: Replies
    ways: Sequence[Way]
    sealer: Sealer
    base_url: str
    now: datetime
    prefer: str | None = None

    @property
    def codebook(self) -> Codebook:
        return self.replies.codebook

    def local(self, at: datetime) -> datetime:
        return at.astimezone(ZoneInfo(self.codebook.zone))


class About(NamedTuple):
    """The report that messages tell of, and the text that brought them about."""

    report_id: UUID
    ref: int | None
    message_id: UUID | None = None


def office_of(connection: Connection, house: House) -> Office:
    """The office of a house, for ticks, pages and commands."""
    replies = Replies(house.codebook(connection))
    return Office(connection, replies, ways(connection), house.sealer, house.settings.base_url, house.clock())


def tell_receivers(
    office: Office, alert_id: UUID, contacts: Iterable[UUID], text: str, about: About, *, step: int,
    by_sms: bool = True,
) -> list[NewMessage]:  # fmt: skip
    """Send an alert to people by SMS and by mail and note them as receivers. Not `by_sms`: mail, if there is one."""
    messages: list[NewMessage] = []
    rows = []
    found = _reached(office, contacts)
    for person, addresses in found:
        sms = _message(office, addresses.get("tel"), "alert", text, about, person)
        mail = _message(office, addresses.get("mailto"), "alert", text, about, person)
        if mail is not None:
            mail = replace(mail, text=_mail_text(office, text, alert_id, person))
            sms = sms if by_sms else None
        messages += [one for one in (sms, mail) if one is not None]
        rows.append({
            "id": uuid7(), "alert_id": alert_id, "contact_id": person.id, "step": step, "told_at": office.now,
            "sms_id": sms.id if sms else None, "mail_id": mail.id if mail else None,
        })  # fmt: skip
    if rows:
        office.connection.execute(insert(RECEIVER), rows)
    return messages


def tell_news(office: Office, contacts: Iterable[UUID], text: str, about: About) -> list[NewMessage]:
    """What became of an alert, by SMS; by mail to who has no phone. It goes as soon as the alert itself."""
    messages = []
    for person, addresses in _reached(office, contacts):
        has_phone = person.address("tel") is not None
        found = _message(office, addresses.get("tel" if has_phone else "mailto"), "notice", text, about, person)
        if found is not None:
            messages.append(replace(found, priority=0, expires_at=office.now + NEWS_EXPIRES_AFTER))
    return messages


def _reached(office: Office, contacts: Iterable[UUID]) -> list[tuple[Person, dict[str, str]]]:
    """The people in the order given, each with the addresses that did not opt out."""
    wanted = list(contacts)
    known = {person.id: person for person in people(office.connection, office.sealer, only=wanted)} if wanted else {}
    hashes = {
        address: office.sealer.hash("address", address) for person in known.values() for address in person.addresses
    }
    silent = select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(list(hashes.values())))
    opted_out = set(office.connection.scalars(silent)) if hashes else set()
    found = []
    for key in wanted:
        person = known[key]
        preferred = {scheme: person.address(scheme) for scheme in ("tel", "mailto")}
        open_ones = {scheme: to for scheme, to in preferred.items() if to and hashes[to] not in opted_out}
        found.append((person, open_ones))
    return found


def _message(office: Office, to: str | None, kind: str, text: str, about: About, person: Person) -> NewMessage | None:
    channel = choose(office.ways, to, office.prefer) if to else None
    if to is None or channel is None:
        return None
    return NewMessage(
        id=uuid7(), kind=kind, channel=channel, to=to, text=text, subject=text if "@" in to else None,
        message_id=about.message_id, report_id=about.report_id, ref=about.ref, contact_id=person.id,
        expires_at=office.now + EXPIRES_AFTER,
    )  # fmt: skip


def _mail_text(office: Office, text: str, alert_id: UUID, person: Person) -> str:
    t, until = translator(person.language), office.now + EXPIRES_AFTER
    link = make_link(office.sealer, office.base_url, alert_id, person.id, until)
    day = f"{office.local(until):%d/%m %H:%M}"
    return "\n".join((text, "", t(HOW_TO_ANSWER), link, "", t(ONLY_YOURS, day=day), ""))


def alert_text(office: Office, name: str, facts: Any, heard_at: datetime, **more: object) -> str:
    """An alert's SMS by the reply `name`, of a report's `ref`, `category`, `place` and whether it is `registered`.

    One segment: what does not fit is the word that the sender is not registered, then the category's name.
    """
    replies = office.replies
    category = replies.category(facts.category)
    marked = f"{category} ({replies.codebook.replies['word.unregistered']})"
    tried = (category, replies.codebook.replies["word.other"])
    for word in tried if facts.registered else (marked, *tried):
        text = replies.text(
            name, ref=facts.ref, category=word, place=replies.place(facts.place),
            time=f"{office.local(heard_at):%d/%m %H:%M}", **more,
        )  # fmt: skip
        if count(text).segments == 1:
            break
    return text
