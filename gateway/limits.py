"""Numbers and hours that an admin may change while the gateway runs: rows of `setting`, obeyed at the next look."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from gateway import audit
from gateway.errors import NotFound, UsageError
from gateway.house import touch_config
from gateway.locale import N_
from gateway.models import Setting

SETTING: Table = Setting.__table__  # type: ignore[attr-defined]
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_MONEY = re.compile(r"\d{1,4}(\.\d{1,4})?", re.ASCII)
Value = int | str


@dataclass(frozen=True, slots=True)
class Limit:
    """One of them: `check` gives the value as it is kept or raises UsageError."""

    default: Value
    help: str
    check: Callable[[str], Value]


def whole(least: int, most: int) -> Callable[[str], int]:
    """A check for a whole number within [least, most]."""

    def check(typed: str) -> int:
        if not (typed.isascii() and typed.isdigit() and least <= int(typed) <= most):
            raise UsageError(f"It must be a whole number from {least} to {most}.")
        return int(typed)

    return check


def hour(typed: str) -> str:
    """An hour of the day as `08:30`."""
    found = _HOUR.fullmatch(typed)
    if found is None:
        raise UsageError("It must be an hour of the day like 08:30.")
    return f"{int(found[1]):02}:{found[2]}"


def money(typed: str) -> str:
    """An amount as `0.25`."""
    if _MONEY.fullmatch(typed) is None:
        raise UsageError("It must be an amount like 0.25.")
    return typed


LIMITS: Mapping[str, Limit] = {
    "rhythm_days": Limit(7, N_("Days within which a monitor is expected to write; 0 expects nobody."), whole(0, 365)),
    "reminders": Limit(1, N_("Reminders a silent monitor gets at most, a day apart."), whole(0, 5)),
    "silence_hours": Limit(24, N_("Hours after the first reminder until the coordinators are told."), whole(1, 720)),
    "quiet_from": Limit("20:00", N_("Hour from which the gateway starts no SMS of its own."), hour),
    "quiet_until": Limit(
        "08:30", N_("Hour from which it does again; the same as quiet_from for no quiet hours."), hour
    ),
    "segment_price": Limit("0", N_("What one segment of an SMS costs; shown before an announcement goes."), money),
    "alert_next_minutes": Limit(15, N_("Minutes without VISTO until the next coordinator is alerted."), whole(1, 1440)),
    "alert_admin_minutes": Limit(30, N_("Minutes without VISTO until the admins are alerted."), whole(1, 1440)),
    "fallback_minutes": Limit(
        10,
        N_("Minutes a message waits for a channel that cannot send until it goes by the next of its route."),
        whole(1, 1440),
    ),
    "fallback_alert_minutes": Limit(1, N_("The same for alerts."), whole(1, 1440)),
    "alert_more_minutes": Limit(10, N_("Minutes between two SMS that more is heard of one event."), whole(1, 1440)),
}


class Limits:
    """The limits as they stand; those nobody changed have their defaults."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def whole(self, name: str) -> int:
        return int(self.value(name))

    def hour(self, name: str) -> time:
        return time.fromisoformat(str(self.value(name)))

    def value(self, name: str) -> Value:
        found: Value = self._values.get(name, LIMITS[name].default)
        return found


def load(connection: Connection) -> Limits:
    rows = connection.execute(select(SETTING.c.name, SETTING.c.value).where(SETTING.c.name.in_(list(LIMITS))))
    return Limits({row.name: row.value for row in rows})


def change(connection: Connection, name: str, typed: str, *, at: datetime, actor: str) -> Value:
    """Give a limit another value. Raises NotFound for a name that is none and UsageError for a value it cannot have."""
    value = _known(name).check(typed.strip())
    connection.execute(delete(SETTING).where(SETTING.c.name == name))
    connection.execute(insert(SETTING), [{"name": name, "value": value, "changed_at": at}])
    audit.record(connection, at=at, actor=actor, action="limit.change", target=name, data={"value": value})
    touch_config(connection)
    return value


def reset(connection: Connection, name: str, *, at: datetime, actor: str) -> Value:
    """Back to the default."""
    limit = _known(name)
    connection.execute(delete(SETTING).where(SETTING.c.name == name))
    audit.record(connection, at=at, actor=actor, action="limit.reset", target=name)
    touch_config(connection)
    return limit.default


def _known(name: str) -> Limit:
    if name not in LIMITS:
        raise NotFound(f"There is no limit {name!r}. `vocero limit list` shows them.")
    return LIMITS[name]
