"""Who may open the pages: accounts, and the one-time links by which a person chooses a password."""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import House
from gateway.models import User, UserLink
from gateway.models.user import ROLES

USER: Table = User.__table__  # type: ignore[attr-defined]
LINK: Table = UserLink.__table__  # type: ignore[attr-defined]

FIRST_NAME = "admin"
LINK_LIFE = timedelta(hours=48)
FREE_FAILURES = 5
LONGEST_LOCK = timedelta(minutes=15)
_NAME = re.compile(r"[\w.@-]{2,48}")


@dataclass(frozen=True, slots=True)
class LinkOwner:
    """Whom a setup link is for; `first` when no admin has a password yet, who may choose the name too."""

    user_id: UUID
    name: str
    role: str
    first: bool


def clean_name(text: str) -> str:
    """A login name as it is kept: lower case, 2 to 48 letters, digits or `. _ @ -`. Raises UsageError."""
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if not _NAME.fullmatch(name):
        raise UsageError("A user name has 2 to 48 letters, digits or . _ @ - and no spaces.")
    return name


def token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def add_user(
    connection: Connection, *, name: str, role: str, at: datetime, actor: str, contact_id: UUID | None = None,
    language: str = "es",
) -> str:  # fmt: skip
    """Add an account without a password and return the token of its one-time link.

    Raises UsageError on a bad name or role, Conflict when the name is taken.
    """
    name = clean_name(name)
    if role not in ROLES:
        raise UsageError(f"There is no role {role!r}. Roles: {', '.join(ROLES)}.")
    if connection.execute(select(USER.c.id).where(USER.c.name == name)).first():
        raise Conflict(f"There is a user {name} already.")
    user_id = _insert(connection, name, role, at, contact_id, language)
    audit.record(connection, at=at, actor=actor, action="user.add", target=str(user_id), data={"role": role})
    return make_link(connection, user_id, at)


def make_link(connection: Connection, user_id: UUID, at: datetime, token: str | None = None) -> str:
    """A new one-time link for the account; returns its token. Earlier ones stay open until one is used."""
    token = token or secrets.token_urlsafe(32)
    row = {"token_hash": token_hash(token), "user_id": user_id, "expires_at": at + LINK_LIFE, "used_at": None}
    if not connection.execute(update(LINK).where(LINK.c.token_hash == row["token_hash"]).values(row)).rowcount:
        connection.execute(insert(LINK), [row])
    return token


def link_url(base_url: str, token: str) -> str:
    return f"{base_url}/setup/{token}"


def setup_link(house: House) -> str | None:
    """Address of the first admin's one-time link, the same at every start until it is used; None once it was."""
    return house.writer.write_now(lambda connection: _setup_link(connection, house))


def _setup_link(connection: Connection, house: House) -> str | None:
    if _has_admin(connection):
        return None
    waiting = select(USER.c.id).where(USER.c.role == "admin").order_by(USER.c.created_at).limit(1)
    user_id = connection.scalar(waiting)
    at = house.clock()
    if user_id is None:
        user_id = _insert(connection, FIRST_NAME, "admin", at, None, "es")
    token = house.sealer.hash("setup-link", str(house.node_id)).hex()
    return link_url(house.settings.base_url, make_link(connection, user_id, at, token))


def _has_admin(connection: Connection) -> bool:
    able = (USER.c.role == "admin", USER.c.password_hash.is_not(None))
    return connection.execute(select(USER.c.id).where(*able).limit(1)).first() is not None


def _insert(connection: Connection, name: str, role: str, at: datetime, contact_id: UUID | None, language: str) -> UUID:
    user_id: UUID = uuid7()
    row = {
        "id": user_id, "name": name, "role": role, "contact_id": contact_id, "password_hash": None,
        "language": language, "active": True, "failures": 0, "created_at": at,
    }  # fmt: skip
    connection.execute(insert(USER), [row])
    return user_id


def link_owner(connection: Connection, token: str, at: datetime) -> LinkOwner | None:
    """Whom an open link belongs to; None when it was used, is too old, or never was."""
    row = connection.execute(
        select(USER.c.id, USER.c.name, USER.c.role)
        .join(LINK, LINK.c.user_id == USER.c.id)
        .where(LINK.c.token_hash == token_hash(token), LINK.c.used_at.is_(None), LINK.c.expires_at > at, USER.c.active)
    ).first()
    return LinkOwner(row.id, row.name, row.role, not _has_admin(connection)) if row else None


def use_link(
    connection: Connection, token: str, *, name: str | None, password_hash: str, language: str, at: datetime
) -> UUID:
    """Set the password behind an open link and close all links of the account.

    `name` renames the first admin and is ignored for others. Raises NotFound when the link is not open any more,
    Conflict when the name is taken.
    """
    owner = link_owner(connection, token, at)
    if owner is None:
        raise NotFound("This link was used or is too old.")
    new_name = clean_name(name) if owner.first and name else owner.name
    taken = select(USER.c.id).where(USER.c.name == new_name, USER.c.id != owner.user_id)
    if connection.execute(taken).first():
        raise Conflict(f"There is a user {new_name} already.")
    values = {"name": new_name, "password_hash": password_hash, "language": language, "failures": 0}
    connection.execute(update(USER).where(USER.c.id == owner.user_id).values(**values, locked_until=None))
    connection.execute(update(LINK).where(LINK.c.user_id == owner.user_id, LINK.c.used_at.is_(None)).values(used_at=at))
    actor = f"user:{new_name}"
    audit.record(connection, at=at, actor=actor, action="user.password", target=str(owner.user_id))
    return owner.user_id


def find_user(connection: Connection, name: str) -> Row[Any] | None:
    """The account row of a name as typed, or None; never raises on a bad name."""
    try:
        return connection.execute(select(USER).where(USER.c.name == clean_name(name))).first()
    except UsageError:
        return None


def is_locked(user: Row[Any], at: datetime) -> bool:
    """True while too many wrong passwords were given; a lock from a clock that ran ahead does not hold for ever."""
    return user.locked_until is not None and timedelta(0) < user.locked_until - at <= LONGEST_LOCK


def note_failure(connection: Connection, user_id: UUID, at: datetime) -> None:
    """Count a wrong password; from the fifth on the account is locked for a minute, doubling up to fifteen.

    A lock is audited, single failures are not: whoever guesses must not be able to fill the log.
    """
    failures = connection.execute(select(USER.c.failures).where(USER.c.id == user_id)).scalar_one() + 1
    over = failures - FREE_FAILURES
    locked = at + min(LONGEST_LOCK, timedelta(minutes=2 ** min(over, 10))) if over >= 0 else None
    connection.execute(update(USER).where(USER.c.id == user_id).values(failures=failures, locked_until=locked))
    if locked:
        data = {"failures": failures}
        audit.record(connection, at=at, actor="stranger", action="login.locked", target=str(user_id), data=data)


def note_success(connection: Connection, user_id: UUID) -> None:
    connection.execute(update(USER).where(USER.c.id == user_id).values(failures=0, locked_until=None))


def set_language(connection: Connection, user_id: UUID, language: str) -> None:
    connection.execute(update(USER).where(USER.c.id == user_id).values(language=language))


def set_password(connection: Connection, user_id: UUID, password_hash: str, *, at: datetime, actor: str) -> None:
    values = {"password_hash": password_hash, "failures": 0, "locked_until": None}
    connection.execute(update(USER).where(USER.c.id == user_id).values(**values))
    audit.record(connection, at=at, actor=actor, action="user.password", target=str(user_id))


def set_active(connection: Connection, user_id: UUID, *, active: bool, at: datetime, actor: str) -> None:
    """Let an account in or keep it out at once. Raises NotFound, and Conflict for the last admin who can log in."""
    row = connection.execute(select(USER).where(USER.c.id == user_id)).first()
    if row is None:
        raise NotFound("There is no such user.")
    others = (USER.c.role == "admin", USER.c.active, USER.c.password_hash.is_not(None), USER.c.id != user_id)
    if not active and row.role == "admin" and connection.execute(select(USER.c.id).where(*others)).first() is None:
        raise Conflict("The last admin cannot be locked out.")
    connection.execute(update(USER).where(USER.c.id == user_id).values(active=active))
    audit.record(connection, at=at, actor=actor, action="user.active", target=str(user_id), data={"active": active})
