"""Reading texts from a file without any database: the same decisions as the intake, a memory that ends with the file.

A line is a JSON object {id, channel, from, received_at, text | email_raw, context.pending?, part?, group?}; what else
it holds is ignored. Lines of a group share one memory in their order, every other line stands alone.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from gateway.contact_file import ContactRow
from gateway.conversation import Asked, Decision, Known, Standing, Words, decide, follow, prediction
from gateway.sheet_rows import read_tables, with_rows, without_cover
from outbox.address import parse_sender
from parsers import Codebook, pending_from_dict

BROKEN: Mapping[str, Any] = {
    "outcome": "reject", "ask": None, "reason": "unknown", "reports": [], "duplicate_of": None,
}  # fmt: skip
MEMORY = timedelta(hours=24)


class BrokenLine(ValueError):
    """The line is not a text in the shape above."""


@dataclass(slots=True)
class Memory:
    """The standing of each sender of one group, and when each of its parts was made."""

    standings: dict[str, Standing] = field(default_factory=dict)
    asked_at: dict[str, datetime] = field(default_factory=dict)
    repeat_at: dict[tuple[str, bytes], datetime] = field(default_factory=dict)
    held_at: dict[tuple[str, str], datetime] = field(default_factory=dict)


class FileReader:
    """Reads line after line; `contacts` are the registered senders."""

    def __init__(self, codebook: Codebook, contacts: Iterable[ContactRow] = ()) -> None:
        self._codebook = codebook
        self._known = {address: _known(row) for row in contacts for address in row.addresses}
        self._groups: dict[str, Memory] = {}

    def read_line(self, line: str) -> tuple[dict[str, Any], bool]:
        """The prediction of one line, and whether the line was sound. Never raises."""
        key: object = None
        try:
            document = json.loads(line)
            if not isinstance(document, dict):
                raise BrokenLine("not an object")
            key = document.get("id")
            return {"id": key, **prediction(self.decide(document))}, True
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {"id": key if isinstance(key, str | int) else None, **BROKEN}, False

    def decide(self, document: Mapping[str, Any]) -> Decision:
        """Decide about one text and remember it for its group. Raises BrokenLine."""
        words, sender = words_of(document), address_of(document)
        group = document.get("group")
        memory = self._groups.setdefault(str(group), Memory()) if group is not None else Memory()
        standing = self._standing(memory, sender, words.heard_at)
        pending = (document.get("context") or {}).get("pending")
        if pending:
            standing.asked = asked_of(pending)
        decision = decide(words, standing, self._codebook, keyed)
        rows = read_tables(words, decision, standing, self._codebook) if words.tables else []
        decision = without_cover(decision) if rows else decision
        self._remember(memory, sender, decision, str(document.get("id")), words.heard_at)
        return with_rows(decision, rows) if rows else decision

    def _standing(self, memory: Memory, sender: str, now: datetime) -> Standing:
        standing = memory.standings.setdefault(sender, Standing(known=self._known.get(sender)))
        if standing.asked and now - memory.asked_at.get(sender, now) >= MEMORY:
            standing.asked = None
        for repeat in [key for key in standing.repeats if now - memory.repeat_at[sender, key] >= MEMORY]:
            del standing.repeats[repeat], memory.repeat_at[sender, repeat]
        for part in [key for key in standing.parts if now - memory.held_at[sender, key] >= MEMORY]:
            del standing.parts[part], memory.held_at[sender, part]
        return standing

    def _remember(self, memory: Memory, sender: str, decision: Decision, key: str, at: datetime) -> None:
        standing = memory.standings[sender]
        before = standing.asked
        follow(standing, decision, key, self._codebook, at)
        if standing.asked is not None and standing.asked is not before:
            memory.asked_at[sender] = at
        for repeat in standing.repeats:
            memory.repeat_at.setdefault((sender, repeat), at)
        for part in standing.parts:
            memory.held_at.setdefault((sender, part), at)


def words_of(document: Mapping[str, Any]) -> Words:
    """The text of a line as it was heard. Raises BrokenLine."""
    heard_at = _time(document.get("received_at"))
    if document.get("email_raw") is not None:
        return words_of_mail(_text(document, "email_raw").encode("utf-8", "surrogatepass"), heard_at)
    sent_at = _time(document["sent_at"]) if document.get("sent_at") else None
    return Words(_text(document, "text"), heard_at, sent_at=sent_at, part=_part(document.get("part")))


def words_of_mail(raw: bytes, heard_at: datetime) -> Words:
    """The sender's own words of a mail, and the tables that came with it."""
    from parsers.mail_tables import open_mail

    mail, tables = open_mail(raw, "")
    subject = mail.subject or None
    return Words(mail.text, heard_at, sent_at=mail.date, subject=subject, auto=mail.auto, tables=tables)


def address_of(document: Mapping[str, Any]) -> str:
    """The sender as an address string, or `raw:` and what the line says."""
    sender = parse_sender(_text(document, "from"))
    return str(sender.address) if sender.address else f"raw:{sender.value}"


def asked_of(pending: Mapping[str, Any]) -> Asked:
    """An open question in the shape {ask, report, choices?} of a line."""
    found = pending_from_dict(pending)
    return Asked(found.ask, found.report, found.choices)


def keyed(folded: str) -> bytes:
    """The key repeats are found by; in memory it needs no secret."""
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def read_lines(lines: Iterable[str], reader: FileReader) -> Iterator[tuple[dict[str, Any], bool]]:
    """One prediction a line, in order; blank lines at the end are not lines."""
    blank = 0
    for line in lines:
        if not line.strip():
            blank += 1
            continue
        for _ in range(blank):
            yield {"id": None, **BROKEN}, False
        blank = 0
        yield reader.read_line(line)


def _known(row: ContactRow) -> Known | None:
    if row.status not in ("active", "pending"):
        return None
    return Known(
        contact_id=uuid5(NAMESPACE_URL, row.addresses[0]), role=row.role, status=row.status, home_place=row.place,
        village=row.village, language=row.language,
    )  # fmt: skip


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise BrokenLine(f"{name} is missing")
    return value


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise BrokenLine("received_at is missing")
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise BrokenLine("a time without offset")
    return at


def _part(value: object) -> tuple[str, int, int] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise BrokenLine("part is not an object")
    return str(value["ref"]), int(value["seq"]), int(value["total"])


def some_sender(home_place: str | None) -> Known:
    """A registered monitor at home in a place, to try texts with."""
    return Known(contact_id=NAMESPACE_URL, home_place=home_place)
