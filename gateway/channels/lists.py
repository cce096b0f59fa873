"""Lists in the bodies of devices that bring many things in one call."""

from typing import Any

from gateway.channels.forms import malformed

MANY = 200


def objects(value: Any) -> list[dict[str, Any]]:
    """A list of objects, absent or null for none; raises ChannelError for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MANY or not all(isinstance(one, dict) for one in value):
        raise malformed(f"a list of at most {MANY} objects is needed")
    return value
