"""Adding and changing one contact, as a page does it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import Connection, delete, func, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.contact_file import NAME_LENGTH
from gateway.contacts import ADDRESS, CONTACT, find
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import touch_config
from gateway.sealing import Sealer
from gateway.words import ROLES
from outbox.address import Address, parse_mail, parse_phone

LANGUAGE_LENGTH = 8
RHYTHM_AT_MOST = 365


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of a person besides addresses; `places` are the codes a coordinator covers.

    `rhythm_days` within how many days a sign of life is expected, `zone` where the nights are, `answer_by`
    `tel` or `mailto`: see models.contact.
    """

    name: str
    role: str
    village: str | None
    home_place: str | None
    places: tuple[str, ...]
    language: str
    discreet: bool
    rhythm_days: int | None = None
    zone: str | None = None
    answer_by: str | None = None


class BadContact(UsageError):
    """`fields` names what cannot stand."""

    def __init__(self, fields: Collection[str]) -> None:
        super().__init__(", ".join(fields))
        self.fields = tuple(fields)


def read_details(typed: Mapping[str, str], places: Collection[str]) -> Details:
    """Raises BadContact. A place is a code, or a code with its name behind it."""
    name, home = typed.get("name", "").strip(), typed.get("home_place", "").strip().split(" ", 1)[0]
    covered = tuple(dict.fromkeys(typed.get("places", "").replace(",", " ").replace("|", " ").split()))
    language = typed.get("language", "").strip() or "es"
    wrong = []
    if not 0 < len(name) <= NAME_LENGTH:
        wrong.append("name")
    if typed.get("role") not in ROLES:
        wrong.append("role")
    if home and home not in places:
        wrong.append("home_place")
    if any(code not in places for code in covered):
        wrong.append("places")
    if not (language.isascii() and language.isalpha() and len(language) <= LANGUAGE_LENGTH):
        wrong.append("language")
    rhythm, zone = typed.get("rhythm_days", "").strip(), typed.get("zone", "").strip()
    if rhythm and not is_rhythm(rhythm):
        wrong.append("rhythm_days")
    if zone and zone not in available_timezones():
        wrong.append("zone")
    answer_by = typed.get("answer_by", "")
    if answer_by not in ("", "tel", "mailto"):
        wrong.append("answer_by")
    if wrong:
        raise BadContact(wrong)
    village = typed.get("village", "").strip()[:NAME_LENGTH] or None
    return Details(
        name, typed["role"], village, home or None, covered, language, "discreet" in typed,
        int(rhythm) if rhythm else None, zone or None, answer_by or None,
    )  # fmt: skip


def is_rhythm(typed: str) -> bool:
    """Whether it is a number of days a sign of life may be expected within; 0 for never."""
    return typed.isascii() and typed.isdigit() and int(typed) <= RHYTHM_AT_MOST


def set_rhythm(connection: Connection, contact_id: UUID, days: int | None, *, at: datetime, actor: str) -> None:
    """Expect a sign of life within `days`, never (0), or as usual (None). Raises NotFound."""
    change_of = update(CONTACT).where(CONTACT.c.id == contact_id).values(rhythm_days=days, changed_at=at)
    if not connection.execute(change_of).rowcount:
        raise NotFound("There is no such contact.")
    _changed(connection, "contact.rhythm", contact_id, at, actor, {"days": days})


def read_addresses(typed: Mapping[str, str]) -> list[str]:
    """The phone and the e-mail address of a form, as address strings; raises BadContact."""
    phone, mail = typed.get("phone", "").strip(), typed.get("email", "").strip()
    number, mailbox = parse_phone(phone) if phone else None, parse_mail(mail) if mail else None
    wrong = [name for name, text, found in (("phone", phone, number), ("email", mail, mailbox)) if text and not found]
    if wrong:
        raise BadContact(wrong)
    found = [Address("tel", number)] if number else []
    return [str(address) for address in [*found, *([Address("mailto", mailbox)] if mailbox else [])]]


def add(
    connection: Connection, details: Details, addresses: Collection[str], *, sealer: Sealer, at: datetime, actor: str
) -> UUID:
    """A new active contact. Raises BadContact without an address, Conflict when one belongs to somebody."""
    if not addresses:
        raise BadContact(("phone", "email"))
    contact_id: UUID = uuid7()
    row = {"id": contact_id, "status": "active", "created_at": at, **_columns(contact_id, details, sealer, at)}
    connection.execute(insert(CONTACT), [row])
    for address in addresses:
        _insert_address(connection, contact_id, address, sealer, at)
    _changed(connection, "contact.add", contact_id, at, actor, {"role": details.role})
    return contact_id


def change(
    connection: Connection, contact_id: UUID, details: Details, *, sealer: Sealer, at: datetime, actor: str
) -> None:
    columns = _columns(contact_id, details, sealer, at)
    if not connection.execute(update(CONTACT).where(CONTACT.c.id == contact_id).values(columns)).rowcount:
        raise NotFound("There is no such contact.")
    _changed(
        connection, "contact.change", contact_id, at, actor, {"role": details.role, "places": list(details.places)}
    )


def add_addresses(
    connection: Connection, contact_id: UUID, addresses: Collection[str], *, sealer: Sealer, at: datetime, actor: str
) -> None:
    """New addresses are preferred over older ones of their kind. Raises Conflict when one belongs to somebody."""
    for address in addresses:
        older = (ADDRESS.c.contact_id == contact_id, ADDRESS.c.kind == address.partition(":")[0])
        connection.execute(update(ADDRESS).where(*older).values(preferred=False))
        _insert_address(connection, contact_id, address, sealer, at)
    _changed(connection, "contact.address.add", contact_id, at, actor, {"number": len(addresses)})


def remove_address(connection: Connection, contact_id: UUID, address_id: UUID, *, at: datetime, actor: str) -> None:
    """Raises Conflict for the only address: a person that cannot be reached is suspended instead."""
    number = connection.scalar(select(func.count()).select_from(ADDRESS).where(ADDRESS.c.contact_id == contact_id))
    which = (ADDRESS.c.id == address_id, ADDRESS.c.contact_id == contact_id)
    if number == 1:
        raise Conflict("The only address of a contact cannot be taken away.")
    if not connection.execute(delete(ADDRESS).where(*which)).rowcount:
        raise NotFound("There is no such address.")
    _changed(connection, "contact.address.remove", contact_id, at, actor, {})


def _insert_address(connection: Connection, contact_id: UUID, address: str, sealer: Sealer, at: datetime) -> None:
    if find(connection, address, sealer) is not None:
        raise Conflict("Another contact has this address.")
    key = uuid7()
    row = {
        "id": key, "contact_id": contact_id, "kind": address.partition(":")[0], "preferred": True, "created_at": at,
        "address_hash": sealer.hash("address", address),
        "address_sealed": sealer.seal("contact_address", "address", key, address),
    }  # fmt: skip
    connection.execute(insert(ADDRESS), [row])


def _columns(contact_id: UUID, details: Details, sealer: Sealer, at: datetime) -> dict[str, Any]:
    return {
        "role": details.role, "name_sealed": sealer.seal("contact", "name", contact_id, details.name),
        "village_sealed": sealer.seal_optional("contact", "village", contact_id, details.village),
        "home_place": details.home_place, "places": list(details.places), "language": details.language,
        "discreet": details.discreet, "rhythm_days": details.rhythm_days, "zone": details.zone,
        "answer_by": details.answer_by, "changed_at": at,
    }  # fmt: skip


def _changed(
    connection: Connection, action: str, contact_id: UUID, at: datetime, actor: str, data: Mapping[str, Any]
) -> None:
    audit.record(connection, at=at, actor=actor, action=action, target=str(contact_id), data=data)
    touch_config(connection)
