"""Texts nobody would send, made from words people do send: python -m tests.corpus.fuzz SEED COUNT."""

import csv
import io
import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from parsers import (
    Codebook,
    Context,
    Pending,
    ReportReading,
    as_prediction,
    compile_codebook,
    load_pack,
    read_message,
    split_hand_part,
)

HERE = Path(__file__).parent
WHEN = datetime(2026, 3, 10, 16, tzinfo=UTC)
GLUE = (" ", " ", " ", ",", ". ", "\n", ";", "/", "-", ": ", "")
DIRT = ("\ud800", "\x00", "é", "٣", "👍", "~", "'", "Ã", "Â", "\u200b", "\u0301", "9" * 40)


def words() -> list[str]:
    texts = [json.loads(line).get("text", "") for line in (HERE / "dev.jsonl").read_text("utf-8").splitlines()]
    for path in sorted(HERE.glob("own*.csv")):
        texts += [row["text"] for row in csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))]
    return [word for text in texts for word in text.split()]


def cases(book: Codebook, seed: int, count: int) -> Iterator[tuple[str, Context]]:
    """``count`` texts with a context each; the same seed gives the same ones."""
    rng = random.Random(seed)
    vocabulary = words()
    for _ in range(count):
        text = "".join(rng.choice(vocabulary) + rng.choice(GLUE) for _ in range(rng.randrange(1, 30)))
        if rng.random() < 0.3:
            chars = list(text)
            for _ in range(rng.randrange(1, 6)):
                chars[rng.randrange(len(chars))] = rng.choice((*DIRT, chr(rng.randrange(1, 0x3000))))
            text = "".join(chars)
        yield text, context(book, rng)


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


def check(book: Codebook, text: str, given: Context) -> None:
    """Reads one case; raises when anything about it is wrong."""
    reading = read_message(text, book, given)
    json.dumps(as_prediction(reading))
    assert (reading.ask is None) == (reading.question is None) == (reading.outcome != "ask"), (text, given)
    split_hand_part(text, book)


if __name__ == "__main__":
    BOOK = compile_codebook(load_pack())
    for case in cases(BOOK, int(sys.argv[1]), int(sys.argv[2])):
        check(BOOK, *case)
