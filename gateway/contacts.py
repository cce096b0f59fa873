"""People: taking them from a table, finding them by an address, letting them in and out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.contact_file import BadContacts, ContactRow
from gateway.errors import NotFound, UsageError
from gateway.house import touch_config
from gateway.models import Contact, ContactAddress
from gateway.models.contact import STATUSES
from gateway.sealing import Sealer
from outbox.address import Address, parse_mail, parse_phone

CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
ADDRESS: Table = ContactAddress.__table__  # type: ignore[attr-defined]
LOOK_UP = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """How many were new and how many were known and brought up to date."""

    added: int
    updated: int


@dataclass(frozen=True, slots=True)
class Person:
    """A contact, opened. `addresses` are `tel:` and `mailto:` strings, the preferred of each kind first."""

    id: UUID
    name: str
    role: str
    status: str
    village: str | None
    home_place: str | None
    places: tuple[str, ...]
    language: str
    addresses: tuple[str, ...]

    def address(self, scheme: str) -> str | None:
        """Where to reach the person by `tel` or `mailto`."""
        return next((found for found in self.addresses if found.startswith(scheme + ":")), None)


def parse_address(text: str) -> str:
    """A phone or e-mail address typed by a person, as an address string. Raises UsageError."""
    mail = parse_mail(text) if "@" in text else None
    phone = parse_phone(text) if mail is None else None
    if mail is None and phone is None:
        raise UsageError("That is neither a phone number nor an e-mail address.")
    return str(Address("mailto", mail) if mail else Address("tel", phone or ""))


def find(connection: Connection, address: str, sealer: Sealer) -> UUID | None:
    """The contact with that address, whatever its status."""
    wanted = sealer.hash("address", address)
    return connection.scalar(select(ADDRESS.c.contact_id).where(ADDRESS.c.address_hash == wanted))


def require(connection: Connection, address: str, sealer: Sealer) -> UUID:
    """As `find`; raises NotFound."""
    found = find(connection, address, sealer)
    if found is None:
        raise NotFound("No contact has that phone or e-mail address. Add it with `vocero contact add` or `import`.")
    return found


def people(connection: Connection, sealer: Sealer, *, only: Iterable[UUID] | None = None) -> list[Person]:
    """Contacts with their addresses, oldest first; `only` those ids."""
    query, addresses = select(CONTACT), select(ADDRESS)
    if only is not None:
        ids = list(only)
        query, addresses = query.where(CONTACT.c.id.in_(ids)), addresses.where(ADDRESS.c.contact_id.in_(ids))
    reached: dict[UUID, list[str]] = {}
    for row in connection.execute(addresses.order_by(ADDRESS.c.preferred.desc(), ADDRESS.c.created_at, ADDRESS.c.id)):
        opened = sealer.open("contact_address", "address", row.id, row.address_sealed)
        reached.setdefault(row.contact_id, []).append(opened)
    rows = connection.execute(query.order_by(CONTACT.c.created_at, CONTACT.c.id))
    return [_person(row, reached.get(row.id, ()), sealer) for row in rows]


def _person(row: Row[Any], addresses: Sequence[str], sealer: Sealer) -> Person:
    return Person(
        row.id, sealer.open("contact", "name", row.id, row.name_sealed), row.role, row.status,
        sealer.open_optional("contact", "village", row.id, row.village_sealed), row.home_place, tuple(row.places),
        row.language, tuple(addresses),
    )  # fmt: skip


def import_contacts(
    connection: Connection, rows: Sequence[ContactRow], *, sealer: Sealer, now: datetime, actor: str
) -> Imported:
    """Take all rows or, raising BadContacts, none. A row whose phone or e-mail is known brings that contact up to date.

    A further phone or mailbox of a known contact is added and preferred; the old one stays.
    """
    hashes = {address: sealer.hash("address", address) for row in rows for address in row.addresses}
    owners = _owners(connection, list(hashes.values()))
    targets = [{owners[hashes[a]] for a in row.addresses if hashes[a] in owners} for row in rows]
    _refuse_mixed(rows, targets)
    added = []
    for row, target in zip(rows, targets, strict=True):
        if target:
            _update(connection, next(iter(target)), row, sealer, now)
        else:
            added.append((uuid7(), row))
    if added:
        connection.execute(insert(CONTACT), [_contact_row(key, row, sealer, now) for key, row in added])
    reached = [(next(iter(target)), row) for row, target in zip(rows, targets, strict=True) if target] + added
    new = [(key, a) for key, row in reached for a in row.addresses if hashes[a] not in owners]
    for key in {key for key, _ in new} & set[UUID]().union(*targets):
        _prefer_new(connection, key, [a for k, a in new if k == key])
    _insert_addresses(connection, new, sealer, now)
    done = Imported(len(added), len(rows) - len(added))
    counts = {"added": done.added, "updated": done.updated}
    audit.record(connection, at=now, actor=actor, action="contact.import", data=counts)
    touch_config(connection)
    return done


def _owners(connection: Connection, hashes: Sequence[bytes]) -> dict[bytes, UUID]:
    owners: dict[bytes, UUID] = {}
    for start in range(0, len(hashes), LOOK_UP):
        some = hashes[start : start + LOOK_UP]
        query = select(ADDRESS.c.address_hash, ADDRESS.c.contact_id).where(ADDRESS.c.address_hash.in_(some))
        owners.update((row.address_hash, row.contact_id) for row in connection.execute(query))
    return owners


def _refuse_mixed(rows: Sequence[ContactRow], targets: Sequence[set[UUID]]) -> None:
    problems = [
        (row.line, "phone and email belong to two different contacts")
        for row, target in zip(rows, targets, strict=True)
        if len(target) > 1
    ]
    seen: dict[UUID, int] = {}
    for row, target in zip(rows, targets, strict=True):
        for key in target:
            if key in seen:
                problems.append((row.line, f"the same contact stands on line {seen[key]}"))
            seen.setdefault(key, row.line)
    if problems:
        raise BadContacts(sorted(problems))


def _values(key: UUID, row: ContactRow, sealer: Sealer, now: datetime) -> dict[str, Any]:
    return {
        "role": row.role, "status": row.status, "name_sealed": sealer.seal("contact", "name", key, row.name),
        "village_sealed": sealer.seal_optional("contact", "village", key, row.village), "home_place": row.place,
        "places": list(row.places), "language": row.language, "changed_at": now,
    }  # fmt: skip


def _contact_row(key: UUID, row: ContactRow, sealer: Sealer, now: datetime) -> dict[str, Any]:
    return {"id": key, "created_at": now, "discreet": False, **_values(key, row, sealer, now)}


def _update(connection: Connection, key: UUID, row: ContactRow, sealer: Sealer, now: datetime) -> None:
    connection.execute(update(CONTACT).where(CONTACT.c.id == key).values(**_values(key, row, sealer, now)))


def _prefer_new(connection: Connection, contact_id: UUID, addresses: Sequence[str]) -> None:
    kinds = {address.partition(":")[0] for address in addresses}
    older = (ADDRESS.c.contact_id == contact_id) & ADDRESS.c.kind.in_(kinds)
    connection.execute(update(ADDRESS).where(older).values(preferred=False))


def _insert_addresses(connection: Connection, new: Sequence[tuple[UUID, str]], sealer: Sealer, now: datetime) -> None:
    if not new:
        return
    rows = []
    for contact_id, address in new:
        key, kind = uuid7(), address.partition(":")[0]
        rows.append({
            "id": key, "contact_id": contact_id, "kind": kind, "address_hash": sealer.hash("address", address),
            "address_sealed": sealer.seal("contact_address", "address", key, address), "preferred": True,
            "created_at": now,
        })  # fmt: skip
    connection.execute(insert(ADDRESS), rows)


def set_status(connection: Connection, contact_id: UUID, status: str, *, now: datetime, actor: str) -> None:
    """Let a contact in (`active`), stop it at once (`suspended`), or note that it has `left`."""
    if status not in STATUSES:
        raise UsageError(f"The status must be one of {', '.join(STATUSES)}.")
    changed = connection.execute(
        update(CONTACT).where(CONTACT.c.id == contact_id).values(status=status, changed_at=now)
    )
    if not changed.rowcount:
        raise NotFound("There is no such contact.")
    audit.record(
        connection, at=now, actor=actor, action="contact.status", target=str(contact_id), data={"status": status}
    )
    touch_config(connection)
