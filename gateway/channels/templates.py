"""Checks of settings that are templates, rules or lists of pairs."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from gateway.channels.base import SettingError
from gateway.channels.checks import http_url
from outbox.senders.answers import read_meanings
from outbox.senders.template import TemplateError, check_holes, check_url, read_headers, read_pairs, read_rule

T = TypeVar("T", bound=str)


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            read(value.strip())
        except TemplateError as error:
            raise SettingError(str(error)) from error
        return value.strip()

    return check


body = _checked(check_holes)
headers = _checked(read_headers)
rule = _checked(read_rule)
errors = _checked(read_meanings)
_url_holes = _checked(check_url)


def url(value: str) -> str:
    """An http or https address that may have holes after the server's name."""
    return _url_holes(http_url(value))


def pairs_of(*names: str) -> Callable[[str], str]:
    """A check of `name=path, name=path` whose names are among `names`."""

    def read(value: str) -> None:
        for name in read_pairs(value):
            if name not in names:
                raise TemplateError(f"has no {name}; it has {', '.join(names)}")

    return _checked(read)


def words_to(text: str, words: tuple[T, ...]) -> Mapping[str, T]:
    """`theirs=ours, theirs=ours` with each of ours in `words`; raises TemplateError."""
    found: dict[str, T] = {}
    for theirs, ours in read_pairs(text).items():
        known = next((word for word in words if word == ours), None)
        if known is None:
            raise TemplateError(f"must lead to one of {', '.join(words)}")
        found[theirs] = known
    return found


receipt_words = _checked(lambda value: words_to(value, ("sent", "delivered", "failed")))
