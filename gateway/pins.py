"""Personal numbers: given to a contact, so that a text from a borrowed phone counts for the one who gives it."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from gateway import audit
from gateway.borrowed import ATTEMPT
from gateway.contacts import CONTACT
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import House
from gateway.sealing import Sealer

DIGITS = 6
SHORTEST, LONGEST = 4, 8
ATTEMPTS_KEPT = timedelta(days=1)
TRIES = 50


def give_pin(
    connection: Connection, contact_id: UUID, pin: str | None, *, sealer: Sealer, at: datetime, actor: str
) -> str:
    """Give a contact the number `pin`, or one drawn by lot, in place of any before; returns it, it is not kept.

    Raises UsageError for anything but 4 to 8 digits, Conflict for a number that another has, NotFound.
    """
    chosen = _checked(connection, pin, contact_id, sealer) if pin else _drawn(connection, sealer)
    _set(connection, contact_id, sealer.hash("pin", chosen), at)
    audit.record(connection, at=at, actor=actor, action="contact.pin", target=str(contact_id))
    return chosen


def take_pin(connection: Connection, contact_id: UUID, *, at: datetime, actor: str) -> None:
    """The contact's number is nobody's any more. Raises NotFound."""
    _set(connection, contact_id, None, at)
    audit.record(connection, at=at, actor=actor, action="contact.pin.remove", target=str(contact_id))


def forget_attempts(house: House) -> None:
    """Wrong numbers are of no use after a day."""
    old = ATTEMPT.c.at < house.clock() - ATTEMPTS_KEPT
    if house.read_now(lambda connection: connection.execute(select(ATTEMPT.c.id).where(old).limit(1)).first()):
        house.writer.write_now(lambda connection: connection.execute(delete(ATTEMPT).where(old)))


def _checked(connection: Connection, pin: str, contact_id: UUID, sealer: Sealer) -> str:
    digits = pin.strip()
    if not (digits.isascii() and digits.isdigit() and SHORTEST <= len(digits) <= LONGEST):
        raise UsageError(f"A personal number has {SHORTEST} to {LONGEST} digits.")
    if _owner(connection, digits, sealer) not in (None, contact_id):
        raise Conflict("That personal number cannot be given. Choose another.")
    return digits


def _drawn(connection: Connection, sealer: Sealer) -> str:
    for _ in range(TRIES):
        digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        if _owner(connection, digits, sealer) is None:
            return digits
    raise Conflict("No free personal number was found.")


def _owner(connection: Connection, digits: str, sealer: Sealer) -> UUID | None:
    return connection.scalar(select(CONTACT.c.id).where(CONTACT.c.pin_hash == sealer.hash("pin", digits)))


def _set(connection: Connection, contact_id: UUID, pin_hash: bytes | None, at: datetime) -> None:
    change = update(CONTACT).where(CONTACT.c.id == contact_id).values(pin_hash=pin_hash, changed_at=at)
    if not connection.execute(change).rowcount:
        raise NotFound("There is no such contact.")
