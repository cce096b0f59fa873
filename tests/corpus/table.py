"""Labelled texts as a table anybody can extend: one line a text, its meaning in a few plain words.

Columns: id, tags, sender (last four digits of a contact's phone, or none), pending, text (\\n is a new line), expect.
Every text is heard on Tuesday 2026-03-10 at 10:00 in Guatemala.

expect: [outcome] report [+ report ...]
  outcome   reject:REASON or ask:FIELD; accept when absent
  form      a form's name first; incident when absent
  ROB       category; ROB|HUR either; ? any       1413 or 16  place; home  the sender's own; -  none; 1413|1401 either
  -1d 0d    days from today; 2026-03-05  a date     tol=1  days of tolerance
  !         urgent; ?u urgency, ?c counts, ?p place, ?d date are not scored
  key=value counts (injured=2) and fields (status=no, ref=3205, name="Ana Cobo"); words of a choice may stand alone
pending: ASKED [choices=1311|1705] report
"""

import csv
import io
import shlex
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zlib import crc32

HEARD = datetime(2026, 3, 10, 10, 0, tzinfo=timezone(timedelta(hours=-6)))
COUNTS = {"dead", "injured", "detained", "missing", "families", "people", "women"}
FORMS = {
    "incident",
    "commitment",
    "return",
    "poll",
    "meeting",
    "correction",
    "status",
    "register",
    "help",
    "language",
    "stop",
}
COUNTED = {"incident", "return", "meeting"}
DATED = {"incident", "commitment", "return", "meeting"}
TOPICS = {
    "volunt",
    "segur",
    "docs",
    "tierra",
    "vivienda",
    "agua",
    "escuela",
    "salud",
    "camino",
    "proyecto",
    "organ",
    "acomp",
}
STATUSES = {"si", "parcial", "no", "retroceso", "nosabe", "bien", "regular", "mal"}


def held(identity: str) -> bool:
    """A third of the table is kept unseen while the reader is worked on."""
    return crc32(identity.encode()) % 3 == 0


def load_table(path: Path, people: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """The table's lines in the shape of the labelled texts."""
    by_tail = {phone[-4:]: phone for phone in people if phone.startswith("+")}
    lines = []
    for row in csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")):
        sender = by_tail.get(row["sender"], "+50255559999")
        home = people[sender]["place"] if sender in people else None
        line = {
            "id": row["id"],
            "channel": "sms",
            "from": sender,
            "received_at": HEARD.isoformat(),
            "text": row["text"].replace("\\n", "\n"),
            "tags": row["tags"].split(),
            "expect": expect(row["expect"], home),
        }
        if row["pending"]:
            line["context"] = {"pending": _pending(row["pending"], home)}
        lines.append(line)
    return lines


def expect(cell: str, home: str | None) -> dict[str, Any]:
    words = shlex.split(cell.replace("'", "’"))
    outcome, ask, reason = "accept", None, None
    if words and words[0].startswith("reject:"):
        return {"outcome": "reject", "ask": None, "reason": words[0][7:], "reports": []}
    if words and words[0].startswith("ask:"):
        outcome, ask = "ask", words.pop(0)[4:]
    groups: list[list[str]] = [[]]
    for word in words:
        if word == "+":
            groups.append([])
        else:
            groups[-1].append(word)
    return {"outcome": outcome, "ask": ask, "reason": reason, "reports": [_report(group, home) for group in groups]}


def _report(words: list[str], home: str | None) -> dict[str, Any]:
    form = words[0] if words and words[0] in FORMS else "incident"
    rest = words[1:] if words and words[0] == form else words
    report: dict[str, Any] = {"form": form}
    if form in COUNTED:
        report["counts"] = {}
    if form in DATED:
        report["date"] = HEARD.date().isoformat()
    if form == "incident":
        report["urgent"] = False
    for word in rest:
        _field(report, word, home)
    return report


def _field(report: dict[str, Any], word: str, home: str | None) -> None:
    form = report["form"]
    key, _, value = word.partition("=")
    if value:
        _named(report, key, value)
    elif word == "!":
        report["urgent"] = True
    elif word in ("?u", "?c", "?p", "?d", "?"):
        report.pop({"?u": "urgent", "?c": "counts", "?p": "place", "?d": "date", "?": "category"}[word], None)
    elif word == "home":
        report["place"] = home
    elif word == "-":
        report.setdefault("place" if form not in ("return",) else "topic", None) if form != "commitment" else _lack(
            report
        )
    elif word.endswith("d") and word[:-1].lstrip("-").isdigit():
        report["date"] = (HEARD.date() + timedelta(days=int(word[:-1]))).isoformat()
    elif _is_date(word):
        report["date"] = word
    elif word[0] == "C" and word[1:].isdigit():
        report["commitment"] = word
    else:
        _coded(report, word)


def _lack(report: dict[str, Any]) -> None:
    report["commitment" if "commitment" not in report else "place"] = None


def _is_date(word: str) -> bool:
    try:
        date.fromisoformat(word)
    except ValueError:
        return False
    return len(word) == 10


def _coded(report: dict[str, Any], word: str) -> None:
    parts = word.split("|")
    if all(part.isdigit() for part in parts):
        report.update({"place": word} if len(parts) == 1 else {"place_any": parts})
    elif all(part.isupper() and len(part) == 3 for part in parts):
        report.update({"category": word} if len(parts) == 1 else {"category_any": parts})
    elif word in STATUSES:
        report["status"] = word
    elif word in TOPICS:
        report["topic"] = word
    else:
        raise ValueError(f"what is {word!r}?")


def _named(report: dict[str, Any], key: str, value: str) -> None:
    if key in COUNTS:
        report.setdefault("counts", {})[key] = int(value)
    elif key == "tol":
        report["date_tol"] = int(value)
    elif key in ("victim", "reported", "cancel"):
        report[key] = value == "yes"
    elif key == "topic" and report["form"] == "meeting":
        report["topic_has"] = [value]
    elif key == "has":
        report["text_has"] = [value]
    elif key in ("value", "trust") and value.isdigit() and len(value) < 4:
        report[key] = int(value)
    else:
        report[key] = None if value == "-" else value


def _pending(cell: str, home: str | None) -> dict[str, Any]:
    words = shlex.split(cell)
    pending: dict[str, Any] = {"ask": words.pop(0)}
    for word in list(words):
        if word.startswith("choices="):
            pending["choices"] = word[8:].split("|")
            words.remove(word)
    pending["report"] = _report(words, home)
    return pending
