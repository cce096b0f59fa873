"""Texts for a load: the labelled ones that make one quiet report, each varied so that none repeats."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from parsers import Codebook, Context, read_message

CORPUS = Path(__file__).parents[1] / "tests" / "corpus" / "dev.jsonl"
LETTERS = "bcdfglmnprst"
VOWELS = "aeio"
SENDERS = 2000
FORMS = ("incident", "commitment", "return", "meeting")


def labelled() -> list[dict[str, Any]]:
    return [document for document in _documents() if "text" in document]


def labelled_mails() -> list[bytes]:
    return [document["email_raw"].encode() for document in _documents() if "email_raw" in document]


def _documents() -> list[dict[str, Any]]:
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def name_of(number: int) -> str:
    """A made-up place name, another one for each number."""
    word = ""
    for _ in range(5):
        number, letter = divmod(number, len(LETTERS) * len(VOWELS))
        word += LETTERS[letter // len(VOWELS)] + VOWELS[letter % len(VOWELS)]
    return word


def phone_of(number: int) -> str:
    return f"+502556{number % SENDERS:05d}"


def quiet(book: Codebook) -> list[str]:
    """Labelled texts of registered senders that are accepted as one report and alert nobody."""
    context = Context(heard_at=datetime.now(UTC), registered=True, home_place="1413")
    found = []
    for document in labelled():
        if document.get("context") or document.get("group") or document["expect"]["outcome"] != "accept":
            continue
        reading = read_message(f"{document['text']} aldea {name_of(7)}", book, context)
        if reading.outcome != "accept" or len(reading.reports) != 1:
            continue
        report = reading.reports[0]
        if report.form in FORMS and not report.urgent:
            found.append(document["text"])
    return found


def bodies(texts: list[str], number: int) -> Iterator[str]:
    """`number` bodies for the generic channel, from 2,000 senders in turn."""
    for index in range(number):
        text = f"{texts[index % len(texts)]} aldea {name_of(index)}"
        yield json.dumps({"id": f"b{index}", "from": phone_of(index), "text": text}, ensure_ascii=False)
