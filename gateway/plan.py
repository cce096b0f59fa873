"""What a batch of texts means, before anything is written: who said it, whether it was heard before, how it reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from gateway.borrowed import ANSWER_WITHIN, Attempt, Speaker, goes_on, identify, unproved
from gateway.conversation import Asked, Decision, Standing, Words, asked_index, decide, follow
from gateway.heard import Heard, find_duplicates, hear
from gateway.incoming import Incoming
from gateway.sealing import Sealer
from gateway.sheet_rows import TableRows, read_tables, with_rows, without_cover
from gateway.standing import Memory, recall
from parsers import Codebook, hide_pin

__all__ = ["Guard", "Heard", "NoGuard", "Plan", "Reader", "hear", "is_stored", "make_plan"]


class Guard(Protocol):
    """Marks the text that is being read, so that a text at which the process died is not read again."""

    def begin(self, key: bytes) -> None: ...
    def end(self) -> None: ...
    def is_poison(self, key: bytes) -> bool: ...


class NoGuard:
    """For reading where no process is at stake."""

    def begin(self, key: bytes) -> None:
        """Nothing is marked."""

    def end(self) -> None:
        """Nothing was marked."""

    def is_poison(self, key: bytes) -> bool:
        return False


Decide = Callable[[Words, Standing, Codebook, Callable[[str], bytes]], Decision]


@dataclass(slots=True)
class Plan:
    """A batch as read, with what it was read by; `questions` tells later whether it still holds."""

    heard: list[Heard]
    memory: Memory
    codebook: Codebook
    questions: frozenset[UUID]
    now: datetime
    tries: list[Attempt] = field(default_factory=list)
    """Personal numbers of these texts that were nobody's."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How texts are read: the keys, the reading function, the guard, and how long things are remembered."""

    sealer: Sealer
    repeat_hours: int = 24
    question_hours: int = 24
    read: Decide = decide
    guard: Guard = field(default_factory=NoGuard)


def make_plan(
    connection: Connection, incoming: Sequence[Incoming], codebook: Codebook, *, reader: Reader, now: datetime
) -> Plan:
    """Read every text of the batch in order, each in the standing the one before left. Writes nothing."""
    sealer = reader.sealer
    batch = [hear(one, sealer) for one in incoming]
    find_duplicates(connection, batch, sealer)
    fresh = [heard for heard in batch if heard.kept_as is None]
    folds = {sealer.hash("fold", heard.words.folded) for heard in fresh}
    senders = {heard.sender_hash for heard in fresh}
    memory = recall(connection, senders, folds, now=now, repeat_hours=reader.repeat_hours, sealer=sealer)
    plan = Plan(batch, memory, codebook, memory.questions(), now)
    for heard in fresh:
        if not heard.incoming.unreadable and not reader.guard.is_poison(heard.body_hash):
            _read_one(connection, heard, plan, reader)
    return plan


def _read_one(connection: Connection, heard: Heard, plan: Plan, reader: Reader) -> None:
    phone, incoming = plan.memory.standings[heard.sender_hash], heard.incoming
    reader.guard.begin(heard.body_hash)
    if incoming.sender.startswith("tel:"):
        _read_as_speaker(connection, heard, plan, reader, phone)
    elif incoming.proof in ("fail", "none"):
        heard.speaker = unproved(phone)
        heard.flags.append("unproved")
        _read_as(heard, heard.speaker.standing, plan, reader)
    if heard.decision is None:
        _read_as(heard, phone, plan, reader)
    standing = heard.speaker.standing if heard.speaker else phone
    rows = read_tables(heard.words, heard.decision, standing, plan.codebook) if incoming.tables else []
    if rows:
        heard.decision = without_cover(heard.decision)
    reader.guard.end()
    _follow(heard, standing, plan, reader)
    if rows:
        _add_rows(heard, rows)
    if heard.speaker is not None:
        _give_back(heard.speaker, phone)


def _add_rows(heard: Heard, rows: list[TableRows]) -> None:
    """The reports of the tables stand after those of the text."""
    heard.decision, heard.tables = with_rows(heard.decision, rows), rows
    heard.report_ids += [uuid7() for table in rows for row in table.rows if row.report is not None]


def _read_as(heard: Heard, standing: Standing, plan: Plan, reader: Reader) -> None:
    sealer = reader.sealer
    heard.asked = standing.asked
    heard.decision = reader.read(
        heard.words, standing, plan.codebook, lambda folded: sealer.hash("fold", folded)
    )  # fmt: skip


def _read_as_speaker(connection: Connection, heard: Heard, plan: Plan, reader: Reader, phone: Standing) -> None:
    """Read a text that says by a number who writes it, or that answers what such a text was asked."""
    speaker = identify(
        connection, heard.words, heard.sender_hash, phone, plan.codebook, tries=plan.tries, sealer=reader.sealer,
        now=plan.now,
    )  # fmt: skip
    if speaker is not None:
        heard.speaker = speaker
        heard.text, heard.raw = hide_pin(heard.text, plan.codebook), None
        heard.flags.append("borrowed" if speaker.known else speaker.refused or "")
        _read_as(heard, speaker.standing, plan, reader)
        return
    speaker = goes_on(connection, heard.sender_hash, phone, reader.sealer)
    if speaker is not None:
        _read_as(heard, speaker.standing, plan, reader)
        if heard.reading is not None and heard.reading.answers_pending:
            heard.speaker = speaker
        else:
            heard.decision = None


def _give_back(speaker: Speaker, phone: Standing) -> None:
    """What the phone's next text is to find: parts, and the question when it was really put."""
    phone.parts, phone.last_exchange = speaker.standing.parts, speaker.standing.last_exchange
    if not speaker.refused and (speaker.standing.asked is not None or phone.asked_of(speaker.contact_id)):
        phone.asked = speaker.standing.asked


def _follow(heard: Heard, standing: Standing, plan: Plan, reader: Reader) -> None:
    decision, incoming = heard.decision, heard.incoming
    assert decision is not None
    if decision.reading is not None and decision.reading.answers_pending and heard.asked and heard.asked.practice:
        # What was begun in practice stays practice, whatever its answers say.
        decision = heard.decision = replace(decision, reading=decision.reading._replace(practice=True))
    if decision.reading is not None:
        heard.report_ids = [uuid7() for _ in decision.reading.reports]
        if decision.reading.answers_pending and heard.asked and heard.asked.report_id and heard.report_ids:
            heard.report_ids[0] = heard.asked.report_id
    within = timedelta(hours=reader.question_hours)
    if heard.speaker is not None:
        within = min(within, ANSWER_WITHIN)
    follow(standing, decision, heard.message_id, plan.codebook, incoming.heard_at, within)
    if standing.asked is not None and standing.asked is not heard.asked:
        standing.asked = heard.asks = _identified(standing.asked, heard, plan.codebook)


def _identified(asks: Asked, heard: Heard, codebook: Codebook) -> Asked:
    """The new question with its ids; only a report that is stored as one has a report id."""
    reading = heard.reading
    assert reading is not None
    index = asked_index(reading) if reading.outcome == "ask" else len(reading.reports) - 1
    stored = is_stored(asks.draft.form, codebook)
    report_id = heard.report_ids[index] if stored else None
    ref = heard.asked.ref if heard.asked and reading.answers_pending else None
    contact_id = heard.speaker.contact_id if heard.speaker else None
    return replace(
        asks, id=uuid7(), report_id=report_id, message_id=heard.message_id, ref=ref, contact_id=contact_id,
        practice=reading.practice,
    )  # fmt: skip


def is_stored(form: str, codebook: Codebook) -> bool:
    """Whether a form becomes a report row: commands do not, and a poll leaves no path back."""
    return codebook.forms[form].kind == "report" and form != "poll"
