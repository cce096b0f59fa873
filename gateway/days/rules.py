"""The settings of a day: those of the environment, and the limits that an admin changes while the gateway runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.days.lines import DayError, Node
from gateway.days.moments import read_span
from gateway.errors import UsageError
from gateway.limits import LIMITS
from gateway.settings import Settings

# What belongs to the machine and not to the day.
FIXED = (
    "data_dir", "database_url", "key_file", "host", "port", "public_url", "allow_http", "log_level", "log_format",
    "simulator", "pack",
)  # fmt: skip
SETTINGS = tuple(name for name in Settings.model_fields if name not in FIXED)
# Two limits that people say in one breath.
PAIRS = {
    "quiet_hours": ("quiet_from", "quiet_until"),
    "escalation_minutes": ("alert_next_minutes", "alert_admin_minutes"),
}  # fmt: skip
OTHER_NAMES = {
    "silence_days": "rhythm_days", "silence": "rhythm_days", "digests": "digest_hours", "quiet": "quiet_hours",
    "escalation": "escalation_minutes", "escalate_after": "escalation_minutes", "digest": "digest_hours",
    "silence_coordinator_hours": "silence_hours", "coordinator_hours": "silence_hours", "max_reminders": "reminders",
}  # fmt: skip
UNITS = {"_days": timedelta(days=1), "_hours": timedelta(hours=1), "_minutes": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True)
class Rules:
    """Checked values by name; `digest_hours` is for subscriptions that name no hours of their own."""

    settings: Mapping[str, str]
    limits: Mapping[str, str]
    digest_hours: str = ""


def read_settings(node: Node) -> Rules:
    """Raises DayError for a name that is none or a value that cannot be."""
    fields = node.fields((*LIMITS, *PAIRS, "digest_hours", *SETTINGS), "settings", OTHER_NAMES)
    chosen: dict[str, Node] = {}
    for name, value in fields.items():
        chosen |= _pair(name, value) if name in PAIRS else {name: value}
    return Rules(
        {name: chosen[name].text(name).strip() for name in SETTINGS if name in chosen},
        {name: _limit(name, chosen[name]) for name in LIMITS if name in chosen},
        ",".join(chosen["digest_hours"].words("digest_hours")) if "digest_hours" in chosen else "",
    )  # fmt: skip


def _pair(name: str, node: Node) -> dict[str, Node]:
    """`20:00-08:30`, `[15, 30]` or `{from: 20:00, until: 08:30}`, under the names of the two."""
    if isinstance(node.value, dict):
        both = list(node.value.values())
    elif isinstance(node.value, list):
        both = node.value
    else:
        text = node.value.replace(" to ", "-").replace(",", "-").replace("/", "-")
        both = [Node(node.line, part.strip()) for part in text.split("-")]
    if len(both) != 2:
        raise node.wrong(f"{name} needs two values")
    return dict(zip(PAIRS[name], both, strict=True))


def _limit(name: str, node: Node) -> str:
    """The value as text; `7d` and `24h` are turned into the unit that the name tells."""
    text = node.text(name).strip()
    unit = next((unit for ending, unit in UNITS.items() if name.endswith(ending)), None)
    if unit is not None and not text.isdigit():
        count = read_span(node, name) / unit
        text = str(int(count)) if count == int(count) else str(count)
    try:
        return str(LIMITS[name].check(text))
    except UsageError as error:
        raise DayError(node.line, f"{name}: {error}") from error
