"""Names for answers: GSM-7, short, and silent about sensitive cases."""

from parsers.codebook import Codebook


def place_name(codebook: Codebook, code: str | None) -> str:
    """The GSM-7 name of a place, at most 28 characters; empty when the code is unknown."""
    place = codebook.places.get(code or "")
    return place.short if place is not None else ""


def category_name(codebook: Codebook, code: str | None) -> str:
    """The GSM-7 name of a category for an answer; sensitive ones are all called by the pack's reserved name."""
    category = codebook.categories.get(code or "")
    if category is None:
        return ""
    return codebook.replies["reserved_case"] if category.sensitive else category.short


def choice_label(codebook: Codebook, listed: str, value: str) -> str:
    """The GSM-7 label of a choice ("return.status", "mal"); the value itself when the list lacks it."""
    choice = codebook.choices.get(listed, {}).get(value)
    return choice.label if choice is not None else value
