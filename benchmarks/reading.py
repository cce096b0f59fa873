"""read_text: one text through the reader, on one core; and how long a codebook takes to compile."""

import statistics
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.texts import labelled
from parsers import Context, compile_codebook, load_pack, read_message

ROUNDS = 20


def text() -> dict[str, Any]:
    """Median and 99th percentile over every labelled text, each read many times, the best of which counts."""
    book = compile_codebook(load_pack("gt"))
    context = Context(heard_at=datetime.now(UTC), registered=True, home_place="1413")
    texts = [document["text"] for document in labelled()]
    best = [min(once(one, book, context) for _ in range(ROUNDS)) for one in texts]
    percentiles = statistics.quantiles(best, n=100)
    return {
        "name": "read_text", "value": round(1000 * statistics.median(best), 3), "unit": "ms", "limit": 0.15,
        "p99_ms": round(1000 * percentiles[98], 3), "texts": len(texts),
    }  # fmt: skip


def once(one: str, book: Any, context: Context) -> float:
    started = time.perf_counter()
    read_message(one, book, context)
    return time.perf_counter() - started


def compiling() -> dict[str, Any]:
    pack = load_pack("gt")
    times = []
    for _ in range(5):
        started = time.perf_counter()
        compile_codebook(pack)
        times.append(time.perf_counter() - started)
    return {"name": "compile_codebook", "value": round(1000 * min(times), 1), "unit": "ms", "limit": 100}
