"""Who may do what on the pages: default deny, one literal table; a coordinator is further bound to places."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, false, or_

PUBLIC = "public"
"""Open to anyone who may reach the pages: login, the one-time links, the language switch."""

ADMIN = frozenset({"admin"})
CASE_WORKERS = frozenset({"admin", "coordinator"})
EVERYONE = frozenset({"admin", "coordinator", "analyst", "signatory", "auditor"})

MATRIX: Mapping[str, frozenset[str]] = {
    "overview": EVERYONE,
    "account": EVERYONE,
    "messages": CASE_WORKERS,
    "messages.change": CASE_WORKERS,
    "reports": CASE_WORKERS,
    "reports.change": CASE_WORKERS,
    "alerts": CASE_WORKERS,
    "alerts.change": CASE_WORKERS,
    "alert_rules": ADMIN,
    "keywords": ADMIN,
    "outbox": ADMIN,
    "subscriptions": CASE_WORKERS,
    "announcements": CASE_WORKERS,
    "contacts": ADMIN,
    "channels": ADMIN,
    "limits": ADMIN,
    "users": ADMIN,
    "simulator": ADMIN,
    "mailbox": ADMIN,
    "health": ADMIN,
    "audit": frozenset({"admin", "auditor"}),
}


def may(role: str | None, need: str) -> bool:
    """Whether a role holds the right `need`; a right that is not in the table is held by nobody."""
    return role is not None and role in MATRIX.get(need, ())


def in_places(column: ColumnElement[str | None], places: tuple[str, ...] | None) -> ColumnElement[bool] | None:
    """A condition that `column` lies in one of the 2- or 4-digit `places`; None when there is no bound."""
    if places is None:
        return None
    departments = [code for code in places if len(code) == 2 and code.isascii() and code.isdigit()]
    inside = [(column >= code) & (column < f"{int(code) + 1:02d}") for code in departments]
    return or_(false(), column.in_([code for code in places if len(code) > 2]), *inside)


def covers(places: tuple[str, ...] | None, place: str | None) -> bool:
    """Whether a coordinator of `places` (None: no bound) may see what happened in `place`."""
    return places is None or (place is not None and any(place == code or place[:2] == code for code in places))
