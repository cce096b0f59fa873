"""YAML in which every value knows its line, so that a mistake in a file is told with its place.

Every scalar stays the text that was written: `10:02` is a time here and not a number of seconds, `0705` keeps its zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import UsageError

MERGE = "<<"
DEPTH = 40
NODES = 50_000
NOTHING = ("", "~", "null")
YES = ("yes", "true", "on", "si", "1")
NO = ("no", "false", "off", "0")


class DayError(UsageError):
    """The file cannot be played as it is written; the text names the line and what may stand there."""

    exit_code = 2

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file: a text, a list, or a mapping; `line` counts from 1, `keys` are the lines of its keys."""

    line: int
    value: "str | list[Node] | dict[str, Node]"
    keys: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)

    def wrong(self, words: str) -> DayError:
        return DayError(self.line, words)

    @property
    def is_empty(self) -> bool:
        return isinstance(self.value, str) and self.value.strip().lower() in NOTHING

    def text(self, what: str = "this") -> str:
        if not isinstance(self.value, str):
            raise self.wrong(f"{what} must be a single value")
        return self.value

    def items(self) -> "list[Node]":
        """The members of a list; a single value is a list of one, nothing is none."""
        if isinstance(self.value, list):
            return self.value
        return [] if self.is_empty else [self]

    def words(self, what: str = "this") -> tuple[str, ...]:
        return tuple(item.text(what) for item in self.items())

    def number(self, what: str = "this") -> int:
        text = self.text(what).strip()
        if not text.lstrip("-").isascii() or not text.lstrip("-").isdigit():
            raise self.wrong(f"{what} must be a whole number, not {text!r}")
        return int(text)

    def flag(self, what: str = "this") -> bool:
        text = self.text(what).strip().lower()
        if text not in (*YES, *NO):
            raise self.wrong(f"{what} must be yes or no, not {text!r}")
        return text in YES

    def mapping(self, what: str) -> "dict[str, Node]":
        if isinstance(self.value, dict):
            return self.value
        if self.is_empty:
            return {}
        raise self.wrong(f"{what} must be keys with values, such as `at: 06:12`")

    def fields(self, known: Iterable[str], what: str, others: Mapping[str, str] | None = None) -> "dict[str, Node]":
        """The mapping with its keys in the one spelling; `others` are further spellings. Empty values are left out.

        Raises DayError for a key that is neither, naming those that are known.
        """
        found: dict[str, Node] = {}
        names = list(known)
        for key, node in self.mapping(what).items():
            name = as_key(key)
            name = (others or {}).get(name, name)
            line = self.keys.get(key, node.line)
            if name not in names:
                raise DayError(line, f"{what} has no key {key!r}; it knows {', '.join(names)}")
            if name in found:
                raise DayError(line, f"{what} has {name!r} twice")
            if not node.is_empty:
                found[name] = node
        return found


def as_key(text: str) -> str:
    """A key in the one spelling: small letters, joined by `_`."""
    return text.strip().lower().replace("-", "_").replace(" ", "_")


def read_yaml(text: str) -> Node:
    """The one document of `text`. Raises DayError."""
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise DayError(mark.line + 1 if mark else 1, f"not YAML: {problem}") from error
    if root is None:
        raise DayError(1, "the file is empty")
    return _Reader().read(root, 0)


class _Reader:
    """Bounded: an alias may stand for a tree of aliases."""

    def __init__(self) -> None:
        self._left = NODES

    def read(self, node: Any, depth: int) -> Node:
        line = node.start_mark.line + 1
        self._left -= 1
        if depth > DEPTH or self._left < 0:
            raise DayError(line, "this is nested too deeply or repeats itself too often")
        if node.id == "scalar":
            return Node(line, str(node.value))
        if node.id == "sequence":
            return Node(line, [self.read(item, depth + 1) for item in node.value])
        return self._mapping(node, depth)

    def _mapping(self, node: Any, depth: int) -> Node:
        own: dict[str, Node] = {}
        keys: dict[str, int] = {}
        merged: dict[str, Node] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.id != "scalar":
                raise DayError(line, "a key must be a single word")
            read = self.read(value, depth + 1)
            if key.value == MERGE:
                for other in read.items():
                    merged = {**other.mapping("what is merged"), **merged}
            elif key.value in own:
                raise DayError(line, f"the key {key.value!r} stands here twice")
            else:
                own[key.value], keys[key.value] = read, line
        return Node(node.start_mark.line + 1, {**merged, **own}, keys)
