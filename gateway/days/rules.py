"""The settings of a day: those of the environment, and the limits that an admin changes while the gateway runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.days.lines import Node
from gateway.errors import UsageError
from gateway.limits import LIMITS
from gateway.settings import Settings

# What belongs to the machine and not to the day.
FIXED = (
    "data_dir", "database_url", "key_file", "host", "port", "public_url", "allow_http", "log_level", "log_format",
    "simulator", "pack",
)  # fmt: skip
SETTINGS = tuple(name for name in Settings.model_fields if name not in FIXED)
SPANS = {"quiet_hours": ("quiet_from", "quiet_until")}
OTHER_NAMES = {
    "silence_days": "rhythm_days", "silence": "rhythm_days", "digests": "digest_hours", "quiet": "quiet_hours",
    "silence_to_coordinator_hours": "silence_hours",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rules:
    """Checked values by name; `digest_hours` is for subscriptions that name no hours of their own."""

    settings: Mapping[str, str]
    limits: Mapping[str, str]
    digest_hours: str = ""


def read_settings(node: Node) -> Rules:
    """Raises DayError for a name that is none or a value that cannot be."""
    names = (*LIMITS, *SPANS, "digest_hours", *SETTINGS)
    fields = node.fields(names, "settings", OTHER_NAMES)
    chosen: dict[str, str] = {}
    for name, value in fields.items():
        if name in SPANS:
            begin, _, end = value.text(name).replace(" to ", "-").partition("-")
            chosen |= dict(zip(SPANS[name], (begin.strip(), end.strip()), strict=True))
        else:
            chosen[name] = ",".join(value.words(name)).strip()
    for name in chosen:
        if name in LIMITS:
            _check(fields.get(name) or node, name, chosen[name])
    return Rules(
        {name: chosen[name] for name in SETTINGS if name in chosen},
        {name: chosen[name] for name in LIMITS if name in chosen}, chosen.get("digest_hours", ""),
    )  # fmt: skip


def _check(node: Node, name: str, value: str) -> None:
    try:
        LIMITS[name].check(value)
    except UsageError as error:
        raise node.wrong(f"{name}: {error}") from error
