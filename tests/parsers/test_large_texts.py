"""A text of 100 kB is decided about in little time and memory, whatever it is made of."""

import time
import tracemalloc
from datetime import UTC, datetime

import pytest

from gateway.conversation import Standing, Words, decide
from parsers import compile_codebook, load_pack

BOOK = compile_codebook(load_pack("gt"))
AT = datetime(2026, 3, 10, 16, tzinfo=UTC)
SIZE = 100_000
MADE_OF = {
    "words": "robo nebaj ayer 2 heridos ",
    "digits": "9",
    "combining marks": "\u0301",
    "emoji": "\U0001f600",
    "keywords": "INC ROB 1413; ",
    "lines": "INC ROB\n",
    "nonsense": "xqzw ",
    "mojibake": "\u00c3\u00b3",
    "blanks": " ",
    "part marks": "1/2 ",
    "a part mark and blanks": "1/2" + " " * SIZE,
    "brackets": "( ",
    "numbers asked for": "ID 1234 ",
    "slashes": "1/",
}


@pytest.mark.parametrize("piece", MADE_OF.values(), ids=MADE_OF.keys())
def test_a_large_text_costs_little(piece: str) -> None:
    words = Words((piece * (SIZE // len(piece) + 1))[:SIZE], AT)
    started = time.thread_time()
    decide(words, Standing(), BOOK, lambda folded: folded.encode("utf-8", "replace")[:16])
    assert time.thread_time() - started < 2
    tracemalloc.start()
    try:
        decide(words, Standing(), BOOK, lambda folded: folded.encode("utf-8", "replace")[:16])
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
