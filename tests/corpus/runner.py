"""Reads the labelled texts the way intake does (parts, repeats, reader), with memory per group, and scores them."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from dataclasses import replace
from pathlib import Path
from typing import Any

from parsers.mail import read_mail
from parsers import Codebook, Context, as_prediction, fold_text, pending_from_dict, read_message, split_hand_part

HERE = Path(__file__).parent
DAY = timedelta(hours=24)


def contacts(path: Path) -> dict[str, dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline="")))
    return {row[key]: row for row in rows for key in ("phone", "email") if row[key]}


def context_of(line: dict[str, Any], people: dict[str, dict[str, str]]) -> Context:
    who = people.get(line["from"])
    pending = (line.get("context") or {}).get("pending")
    return Context(
        heard_at=datetime.fromisoformat(line["received_at"].replace("Z", "+00:00")),
        registered=who is not None,
        role=who["role"] if who else "monitor",
        home_place=who["place"] or None if who else None,
        village=who["village"] or None if who else None,
        pending=pending_from_dict(pending) if pending else None,
    )


class Session:
    """Memory of one stateful group: held parts and texts already heard."""

    def __init__(self, book: Codebook, people: dict[str, dict[str, str]]) -> None:
        self.book, self.people = book, people
        self.parts: dict[tuple[Any, ...], dict[int, str]] = {}
        self.seen: dict[tuple[str, str], tuple[datetime, str]] = {}

    def read(self, line: dict[str, Any]) -> dict[str, Any]:
        context = context_of(line, self.people)
        text = self._whole(line)
        if text is None:
            return {"id": line["id"], "outcome": "hold", "ask": None, "reason": None, "reports": []}
        key = (line["from"], fold_text(text))
        before = self.seen.get(key)
        if key[1] and before is not None and context.heard_at - before[0] <= DAY:
            return {"id": line["id"], "outcome": "duplicate", "duplicate_of": before[1], "reports": []}
        self.seen[key] = (context.heard_at, line["id"])
        return {"id": line["id"], **as_prediction(read_message(text, self.book, context))}

    def _whole(self, line: dict[str, Any]) -> str | None:
        part = line.get("part")
        if part:
            key, seq, total, rest = (line["from"], part["ref"]), part["seq"], part["total"], line["text"]
        else:
            typed = split_hand_part(line["text"], self.book)
            if typed is None:
                return str(line["text"])
            seq, total, rest = typed
            key = (line["from"], "typed", total)
        held = self.parts.setdefault(key, {})
        held[seq] = rest
        if len(held) < total:
            return None
        joiner = "" if part else " "
        return joiner.join(held[number] for number in sorted(held))


def read_email(line: dict[str, Any], book: Codebook, people: dict[str, dict[str, str]]) -> dict[str, Any]:
    mail = read_mail(line["email_raw"].encode("utf-8"))
    if mail.auto:
        return {"id": line["id"], "outcome": "reject", "ask": None, "reason": "auto_reply", "reports": []}
    context = replace(context_of(line, people), subject=mail.subject)
    return {"id": line["id"], **as_prediction(read_message(mail.text, book, context))}


def predict(lines: Iterable[dict[str, Any]], book: Codebook, people: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    sessions: dict[str, Session] = {}
    found = []
    for line in lines:
        if "email_raw" in line:
            found.append(read_email(line, book, people))
            continue
        group = line.get("group")
        session = sessions.setdefault(group, Session(book, people)) if group else Session(book, people)
        found.append(session.read(line))
    return found


def load(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
