"""A text from a borrowed phone counts for whose personal number it gives; nobody guesses numbers for long."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, select
from uuid_utils.compat import uuid7

from gateway.conversation import Known, Standing, Words, gather
from gateway.models import PinAttempt
from gateway.sealing import Sealer
from gateway.standing import ADDRESS, CONTACT, OPT_OUT, known_of
from parsers import Codebook, find_pin

ATTEMPT = PinAttempt.__table__  # type: ignore[attr-defined]

WRONG_AT_MOST = 3
WRONG_IN_ALL = 30
LOCKED_FOR = timedelta(hours=1)
ANSWER_WITHIN = timedelta(hours=1)

Attempt = dict[str, Any]


@dataclass(slots=True)
class Speaker:
    """Who writes, as the text says: `known` and `address_hash` are the contact's, None when the number is refused.

    `refused` is the reply that says so; `addresses` are the keyed hashes of all the contact's addresses.
    """

    standing: Standing
    known: Known | None = None
    address_hash: bytes | None = None
    addresses: tuple[bytes, ...] = ()
    refused: Literal["pin_wrong", "pin_locked", "unproved"] | None = None
    locks: bool = False
    """With this wrong number the phone is locked."""

    @property
    def contact_id(self) -> UUID | None:
        return self.known.contact_id if self.known else None


def identify(
    connection: Connection, words: Words, sender: bytes, standing: Standing, codebook: Codebook, *,
    tries: list[Attempt], sealer: Sealer, now: datetime,
) -> Speaker | None:  # fmt: skip
    """The speaker of a text that gives a personal number; None for any other. A wrong number is added to `tries`."""
    if words.part is None and not standing.parts and find_pin(words.text, codebook) is None:
        return None
    whole = gather(words, standing, codebook)
    pin = None if whole.waits_as else find_pin(whole.text, codebook)
    if pin is None or not pin.digits.isdigit():
        return None
    pin_hash = sealer.hash("pin", pin.digits)
    made = _attempts(connection, tries, now)
    if _is_locked([at for phone, _, at in made if phone == sender], now) or _is_locked(
        [at for _, number, at in made if number == pin_hash], now
    ):
        return _refuse(standing, "pin_locked")
    if _is_locked([at for _, _, at in made], now, WRONG_IN_ALL):
        return _refuse(standing, "pin_locked")
    query = select(CONTACT).where(CONTACT.c.pin_hash == pin_hash, CONTACT.c.status == "active")
    row = connection.execute(query).first()
    if row is not None:
        return _speaker(connection, row, standing, sender, sealer)
    tries.append({"id": uuid7(), "sender_hash": sender, "pin_hash": pin_hash, "at": now})
    mine = [at for phone, _, at in [*made, (sender, pin_hash, now)] if phone == sender]
    locks = _is_locked(mine, now)
    return _refuse(standing, "pin_locked" if locks else "pin_wrong", locks=locks)


def goes_on(connection: Connection, sender: bytes, standing: Standing, sealer: Sealer) -> Speaker | None:
    """The speaker whose open question waits on a phone that is another's, for a text that gives no number."""
    asked = standing.asked
    owner = standing.known.contact_id if standing.known else None
    if asked is None or asked.contact_id is None or asked.contact_id == owner:
        return None
    query = select(CONTACT).where(CONTACT.c.id == asked.contact_id, CONTACT.c.status == "active")
    row = connection.execute(query).first()
    return _speaker(connection, row, standing, sender, sealer) if row is not None else None


def unproved(standing: Standing) -> Speaker:
    """Who wrote a mail that our own server does not vouch for: nobody that is known, and nothing is done for it."""
    return Speaker(replace(standing, known=None, asked=None), refused="unproved")


def _refuse(standing: Standing, word: Literal["pin_wrong", "pin_locked"], *, locks: bool = False) -> Speaker:
    """Read as a stranger's: neither the phone's owner nor anybody else is held to it."""
    asked_nothing = replace(standing, known=None, asked=None, borrowed=True)
    return Speaker(asked_nothing, refused=word, locks=locks)


def _speaker(connection: Connection, row: Row[Any], standing: Standing, sender: bytes, sealer: Sealer) -> Speaker:
    """A coordinator's commands are for the coordinator's own phone: from a borrowed one everybody is a monitor."""
    known = replace(known_of(row, sealer), role="monitor")
    query = select(ADDRESS.c.address_hash, ADDRESS.c.kind).where(ADDRESS.c.contact_id == row.id)
    found = list(connection.execute(query.order_by(ADDRESS.c.kind.desc(), ADDRESS.c.preferred.desc(), ADDRESS.c.id)))
    hashes = tuple(one.address_hash for one in found)
    silent = _is_silent(connection, [one.address_hash for one in found if one.kind == "tel"] or hashes)
    asked = standing.asked if standing.asked and standing.asked.contact_id == known.contact_id else None
    own = replace(standing, known=known, asked=asked, borrowed=True, opted_out=silent, last_exchange=row.last_heard_at)
    return Speaker(own, known, hashes[0] if hashes else sender, hashes)


def _is_silent(connection: Connection, hashes: Collection[bytes]) -> bool:
    """Whether a person said BAJA on every phone, or on everything where there is no phone."""
    said = connection.scalars(select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(list(hashes)))).all()
    return bool(hashes) and set(said) >= set(hashes)


def _attempts(connection: Connection, tries: Sequence[Attempt], now: datetime) -> list[tuple[bytes, bytes, datetime]]:
    """Wrong numbers of the last two hours: few, for none is taken while a lock holds."""
    query = select(ATTEMPT.c.sender_hash, ATTEMPT.c.pin_hash, ATTEMPT.c.at).where(ATTEMPT.c.at > now - 2 * LOCKED_FOR)
    found = [(row.sender_hash, row.pin_hash, row.at) for row in connection.execute(query.order_by(ATTEMPT.c.at))]
    return [*found, *((one["sender_hash"], one["pin_hash"], one["at"]) for one in tries)]


def _is_locked(times: Sequence[datetime], now: datetime, most: int = WRONG_AT_MOST) -> bool:
    """Whether `most` wrong numbers came within an hour, the last of them less than an hour ago."""
    runs = zip(times, times[most - 1 :], strict=False)
    return any(last - first <= LOCKED_FOR and last > now - LOCKED_FOR for first, last in runs)
