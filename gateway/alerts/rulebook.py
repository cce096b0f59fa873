"""The rules admins edit: by which reports become alerts. Obeyed by the next text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.alerts.rules import RULE, load_rules
from gateway.errors import NotFound, UsageError
from gateway.house import touch_config
from parsers import Codebook

NAME_LENGTH = 80
WORDS_AT_MOST = 50
WORD_LENGTH = 60
REPORTS = range(2, 1001)
DAYS = range(1, 366)
SHIPPED = "urgente"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a rule asks for; what is empty does not matter."""

    name: str
    urgent: bool = False
    categories: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    reports: int | None = None
    days: int | None = None


def make_wish(
    codebook: Codebook, name: str, *, urgent: bool = False, categories: str = "", places: str = "", words: str = "",
    reports: str = "", days: str = "",
) -> Wish:  # fmt: skip
    """Read what a person typed: codes and words with commas between them. Raises UsageError saying what is wrong."""
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise UsageError(f"Give the rule a name of at most {NAME_LENGTH} characters.")
    kinds = _codes(categories.upper(), codebook.categories, "category")
    where = _codes(places, codebook.places, "place")
    said = tuple(dict.fromkeys(" ".join(word.split()) for word in words.split(",") if word.strip()))
    if len(said) > WORDS_AT_MOST or any(len(word) > WORD_LENGTH for word in said):
        raise UsageError(f"At most {WORDS_AT_MOST} words, each of at most {WORD_LENGTH} characters.")
    if any(not any(char.isalnum() for char in word) for word in said):
        raise UsageError("A word needs a letter or a figure.")
    if bool(reports.strip()) != bool(days.strip()):
        raise UsageError("Give both: how many reports, within how many days.")
    wish = Wish(name, urgent, kinds, where, said, _number(reports, REPORTS, "reports"), _number(days, DAYS, "days"))
    if not (wish.urgent or wish.categories or wish.places or wish.words or wish.reports):
        raise UsageError("The rule would make an alert of every report. Say of which.")
    return wish


def _codes(typed: str, known: Iterable[str], what: str) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(code for code in re.split(r"[|,; ]+", typed) if code))
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise UsageError(f"There is no {what} {unknown[0][:20]!r}.")
    return codes


def _number(typed: str, allowed: range, what: str) -> int | None:
    typed = typed.strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and int(typed) in allowed):
        raise UsageError(f"The number of {what} is from {allowed.start} to {allowed.stop - 1}.")
    return int(typed)


def first_rule(connection: Connection, now: datetime) -> None:
    """What a new installation starts with: urgent reports are alerts."""
    _insert(connection, Wish(SHIPPED, urgent=True), now)


def add(connection: Connection, wish: Wish, *, now: datetime, actor: str) -> UUID:
    key = _insert(connection, wish, now)
    _changed(connection, key, "alert_rule.add", now, actor)
    return key


def _insert(connection: Connection, wish: Wish, now: datetime) -> UUID:
    key = uuid7()
    row = {
        "id": key, "name": wish.name, "urgent": wish.urgent, "categories": list(wish.categories),
        "places": list(wish.places), "words": list(wish.words), "reports": wish.reports, "days": wish.days,
        "active": True, "created_at": now, "changed_at": now,
    }  # fmt: skip
    connection.execute(insert(RULE), [row])
    return key


def standing(connection: Connection) -> list[Row[Any]]:
    """Rules that were not removed, paused ones too, oldest first."""
    query = select(RULE).where(RULE.c.removed_at.is_(None))
    return list(connection.execute(query.order_by(RULE.c.created_at, RULE.c.id)))


def find(rows: Iterable[Row[Any]], typed: str) -> UUID:
    """The one whose id is or ends with `typed`, or has that name. Raises NotFound, or UsageError when several do."""
    wanted = typed.strip().lower()
    found = [row.id for row in rows if wanted in (str(row.id), row.name.lower())] or [
        row.id for row in rows if len(wanted) >= 4 and str(row.id).endswith(wanted)
    ]
    if not found:
        raise NotFound("There is no such rule. `vocero alert-rule list` shows them.")
    if len(found) > 1:
        raise UsageError("Several rules are called so; give the whole id.")
    key: UUID = found[0]
    return key


def remove(connection: Connection, key: UUID, *, now: datetime, actor: str) -> None:
    """Take it away for good; what it alerted stays on record. Raises NotFound."""
    _update(connection, key, {"active": False, "removed_at": now, "changed_at": now})
    _changed(connection, key, "alert_rule.remove", now, actor)


def set_active(connection: Connection, key: UUID, active: bool, *, now: datetime, actor: str) -> None:
    """Pause or take up again. Raises NotFound."""
    _update(connection, key, {"active": active, "changed_at": now})
    _changed(connection, key, "alert_rule.resume" if active else "alert_rule.pause", now, actor)


def _update(connection: Connection, key: UUID, values: dict[str, Any]) -> None:
    there = (RULE.c.id == key, RULE.c.removed_at.is_(None))
    if not connection.execute(update(RULE).where(*there).values(values)).rowcount:
        raise NotFound("There is no such rule. `vocero alert-rule list` shows them.")


def _changed(connection: Connection, key: UUID, action: str, now: datetime, actor: str) -> None:
    audit.record(connection, at=now, actor=actor, action=action, target=str(key))
    touch_config(connection)


def alerts_urgent(connection: Connection) -> bool:
    """Whether some rule that holds now makes an alert of every urgent report."""
    return any(
        rule.urgent and not (rule.categories or rule.places or rule.words or rule.reports)
        for rule in load_rules(connection)
    )
