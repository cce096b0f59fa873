"""What delivery receipts of every kind share."""

import re
from uuid import UUID

ERROR_LIMIT = 64
# Errors are kept in clear; some providers name the phone in them.
PHONE = re.compile(r"\+?\d(?:[ .-]?\d){6,}")


def our_id(text: str) -> UUID | None:
    """The id of our message, when it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None


def plain_error(text: str | None) -> str | None:
    """What a provider says went wrong, without numbers that could be a phone."""
    return PHONE.sub("#", text)[:ERROR_LIMIT] if text else None
