"""read_text and read_mail: one text, one mail through the reader, on one core; and how long a codebook compiles."""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from benchmarks.texts import labelled, labelled_mails
from parsers import Context, compile_codebook, load_pack, read_message
from parsers.mail import read_mail

ROUNDS = 20


def text() -> dict[str, Any]:
    """Median and 99th percentile over every labelled text, each read many times, the best of which counts."""
    book = compile_codebook(load_pack("gt"))
    context = Context(heard_at=datetime.now(UTC), registered=True, home_place="1413")
    texts = [document["text"] for document in labelled()]
    acts = [partial(read_message, one, book, context) for one in texts]
    return {"name": "read_text", "limit": 0.15} | _percentiles(acts, "texts")


def mail() -> dict[str, Any]:
    """The same of whole mails: parts, charset, quotations and signature, then the words as a report."""
    book = compile_codebook(load_pack("gt"))
    context = Context(heard_at=datetime.now(UTC), registered=True, home_place="1413")

    def read(raw: bytes) -> None:
        heard = read_mail(raw)
        read_message(heard.text, book, replace(context, subject=heard.subject))

    return {"name": "read_mail"} | _percentiles([partial(read, one) for one in labelled_mails()], "mails")


def _percentiles(acts: list[Callable[[], object]], what: str) -> dict[str, Any]:
    """Median and 99th percentile in ms of acts done many times each, the best time of each."""
    best = [min(_once(act) for _ in range(ROUNDS)) for act in acts]
    return {
        "value": round(1000 * statistics.median(best), 3), "unit": "ms",
        "p99_ms": round(1000 * statistics.quantiles(best, n=100)[98], 3), what: len(acts),
    }  # fmt: skip


def _once(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def compiling() -> dict[str, Any]:
    pack = load_pack("gt")
    times = []
    for _ in range(5):
        started = time.perf_counter()
        compile_codebook(pack)
        times.append(time.perf_counter() - started)
    return {"name": "compile_codebook", "value": round(1000 * min(times), 1), "unit": "ms", "limit": 100}
