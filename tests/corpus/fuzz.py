"""Texts nobody would send: real ones changed as phones and thumbs change them, words of real ones shuffled, and noise.

python -m tests.corpus.fuzz SEED COUNT reads that many and says how it went; the same seed gives the same texts.
"""

import csv
import gc
import io
import json
import random
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parsers import (
    Codebook,
    Context,
    Pending,
    ReportReading,
    as_prediction,
    compile_codebook,
    fold_text,
    load_pack,
    read_message,
    split_hand_part,
)

HERE = Path(__file__).parent
WHEN = datetime(2026, 3, 10, 16, tzinfo=UTC)
GLUE = (" ", " ", " ", ",", ". ", "\n", ";", "/", "-", ": ", "")
DIRT = ("\ud800", "\x00", "é", "٣", "👍", "~", "'", "Ã", "Â", "\u200b", "\u0301", "9" * 40)


def real_texts() -> list[str]:
    texts = [json.loads(line).get("text", "") for line in (HERE / "dev.jsonl").read_text("utf-8").splitlines()]
    for path in sorted(HERE.glob("own*.csv")):
        texts += [row["text"] for row in csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))]
    return [text for text in texts if text]


def cases(book: Codebook, seed: int, count: int) -> Iterator[tuple[str, Context]]:
    """``count`` texts with a context each; the same seed gives the same ones."""
    rng = random.Random(seed)
    texts = real_texts()
    vocabulary = [word for text in texts for word in text.split()]
    for _ in range(count):
        drawn = rng.random()
        if drawn < 0.4:
            text = _shuffled(vocabulary, rng)
        elif drawn < 0.9:
            text = _changed(texts, rng)
        else:
            text = "".join(chr(rng.randrange(1, 0x11000)) for _ in range(rng.randrange(0, 120)))
        yield text, context(book, rng)


def _shuffled(vocabulary: list[str], rng: random.Random) -> str:
    text = "".join(rng.choice(vocabulary) + rng.choice(GLUE) for _ in range(rng.randrange(1, 30)))
    return _dirty(text, rng) if rng.random() < 0.3 else text


def _dirty(text: str, rng: random.Random) -> str:
    chars = list(text)
    for _ in range(rng.randrange(1, 6)):
        chars[rng.randrange(len(chars))] = rng.choice((*DIRT, chr(rng.randrange(1, 0x3000))))
    return "".join(chars)


def _changed(texts: list[str], rng: random.Random) -> str:
    """A real text after one to four changes."""
    text = rng.choice(texts)
    for _ in range(rng.randrange(1, 5)):
        text = rng.choice(CHANGES)(text, rng) or text
        if rng.random() < 0.1:
            text += rng.choice(GLUE) + rng.choice(texts)
    return text


def _slip(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    middle = rng.choice(("", text[at] * 2, rng.choice("aeioulnrs0123456789 "), text[at : at + 2][::-1]))
    return text[:at] + middle + text[at + 1 :]


def _reordered(text: str, rng: random.Random) -> str:
    words = text.split()
    rng.shuffle(words)
    return rng.choice(GLUE).join(words)


def _recut(text: str, rng: random.Random) -> str:
    low, high = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
    return rng.choice((text[low:high], text[:low] + text[high:], text[high:] + text[:low], text * rng.randrange(1, 4)))


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    _slip,
    _slip,
    _reordered,
    _recut,
    _dirty,
    lambda text, rng: text.upper(),
    lambda text, rng: text.replace(" ", rng.choice(GLUE)),
    lambda text, rng: unicodedata.normalize(rng.choice(("NFD", "NFKC")), text),
    lambda text, rng: text.encode("utf-8", "replace").decode(rng.choice(("latin-1", "cp1252")), "replace"),
    lambda text, rng: f"{rng.choice(('1/2', '2/2', '1)', '//', 'PRUEBA', 'RE:', '>'))} {text}",
)


def context(book: Codebook, rng: random.Random) -> Context:
    pending = None
    if rng.random() < 0.3:
        form = rng.choice([form for form in book.forms.values() if form.fields])
        draft = ReportReading(form.name, {})
        pending = Pending(rng.choice(form.fields).name, draft, rng.choice([(), ("1311", "1705")]))
    return Context(
        heard_at=WHEN,
        registered=rng.random() < 0.7,
        role=rng.choice(["monitor", "coordinator"]),
        home_place=rng.choice([None, "1413", "0715"]),
        village=rng.choice([None, "Acul", ("Rio Blanco", "Chel")]),
        pending=pending,
        subject=rng.choice([None, None, "robo en Nebaj", "RE: hola"]),
    )


def check(book: Codebook, text: str, given: Context) -> str:
    """Reads one case, tells its outcome; raises when anything about it is wrong."""
    reading = read_message(text, book, given)
    json.dumps(as_prediction(reading))
    assert (reading.ask is None) == (reading.question is None) == (reading.outcome != "ask"), (text, given)
    assert (reading.reason is not None) == (reading.outcome == "reject"), (text, given)
    split_hand_part(text, book)
    return reading.outcome


def run(seed: int, count: int) -> dict[str, Any]:
    """Every hundredth text is read twice and folded twice; the slowest tells whether any text is slow."""
    book = compile_codebook(load_pack())
    gc.freeze()
    outcomes: Counter[str] = Counter()
    slowest, hardest = 0.0, ""
    for number, (text, given) in enumerate(cases(book, seed, count)):
        started = time.process_time()
        outcomes[check(book, text, given)] += 1
        took = time.process_time() - started
        if took > slowest:
            slowest, hardest = took, text
        if number % 100 == 0:
            assert read_message(text, book, given) == read_message(text, book, given), (text, given)
            assert fold_text(fold_text(text)) == fold_text(text), text
    told = {"seed": seed, "texts": count, "raised": 0, **outcomes}
    return {**told, "slowest_ms": round(1000 * slowest, 2), "slowest_length": len(hardest)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))) + "\n")
