"""The lookup tables a codebook is compiled into; private to the reader."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything the reader looks words up in."""

    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
