"""What a batch of texts means, before anything is written: who said it, whether it was heard before, how it reads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import Connection
from uuid_utils.compat import uuid7

from gateway.borrowed import ANSWER_WITHIN, Attempt, Speaker, goes_on, identify
from gateway.conversation import Asked, Decision, Standing, Words, asked_index, decide, follow
from gateway.incoming import Incoming
from gateway.sealing import Sealer
from gateway.standing import Memory, known_deliveries, recall, recent_bodies
from parsers import Codebook, Reading, hide_pin


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
class Heard:
    """One text of a batch on its way to be kept.

    `asked` is the question that was open before it, `asks` the one it opens; `report_ids` are for the reading's
    reports in order. Without a decision the text is kept unread (`poison`). `speaker` is who writes on a borrowed
    phone, `text` and `raw` are what is kept.
    """

    incoming: Incoming
    words: Words
    message_id: UUID
    sender_hash: bytes
    body_hash: bytes
    external_hash: bytes
    text: str
    raw: str | None = None
    flags: list[str] = field(default_factory=list)
    speaker: Speaker | None = None
    decision: Decision | None = None
    asked: Asked | None = None
    asks: Asked | None = None
    report_ids: list[UUID] = field(default_factory=list)
    kept_as: UUID | None = None
    """Set when this delivery was kept before: the message it is."""

    @property
    def owner_hash(self) -> bytes:
        """Whose the reports are: the address of who gave a personal number, else the one that was heard."""
        speaker = self.speaker
        return speaker.address_hash if speaker is not None and speaker.address_hash else self.sender_hash

    @property
    def reading(self) -> Reading | None:
        return self.decision.reading if self.decision else None


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


def hear(incoming: Incoming, sealer: Sealer) -> Heard:
    """Name the text: its id, its keyed hashes. An absent external id becomes the message's own."""
    message_id = uuid7()
    body = "\0".join((incoming.sender, incoming.subject or "", incoming.text))
    if incoming.part is not None:
        body += f"\0{incoming.part}"
    external = incoming.external_id or message_id.hex
    words = Words(incoming.text, incoming.heard_at, incoming.sent_at, incoming.subject, incoming.auto, incoming.part)
    return Heard(
        incoming,
        words,
        message_id,
        sealer.hash("address", incoming.sender),
        sealer.hash("body", body),
        sealer.hash("external", external),
        incoming.text,
        incoming.raw,
    )


def find_duplicates(connection: Connection, batch: Sequence[Heard], sealer: Sealer) -> None:
    """Set `kept_as` on every delivery that was kept before or stands earlier in the batch.

    An id that was used for another body is no duplicate: it gets a hash of its own and the flag `same_id`.
    """
    known = known_deliveries(connection, [(h.incoming.channel, h.external_hash) for h in batch if _has_id(h)])
    kept = {key: (row.id, row.body_hash) for key, row in known.items()}
    second: list[Heard] = []
    for heard in batch:
        if _has_id(heard) and not _same_delivery(heard, kept, (heard.incoming.channel, heard.external_hash)):
            second.append(heard)
    _find_other_bodies(connection, second, sealer)
    _find_without_id(connection, [h for h in batch if not _has_id(h)])


def _has_id(heard: Heard) -> bool:
    return heard.incoming.external_id is not None


Kept = dict[tuple[str, bytes], tuple[UUID, bytes]]


def _same_delivery(heard: Heard, kept: Kept, key: tuple[str, bytes]) -> bool:
    """True when settled: kept before (same body) or new; False when the id was used for another body."""
    found = kept.get(key)
    if found is None:
        kept[key] = (heard.message_id, heard.body_hash)
        return True
    if found[1] == heard.body_hash:
        heard.kept_as = found[0]
        return True
    return False


def _find_other_bodies(connection: Connection, batch: Sequence[Heard], sealer: Sealer) -> None:
    if not batch:
        return
    for heard in batch:
        heard.external_hash = sealer.hash("external", f"{heard.incoming.external_id}\0{heard.body_hash.hex()}")
        heard.flags.append("same_id")
    keys = [(h.incoming.channel, h.external_hash) for h in batch]
    kept: Kept = {key: (row.id, row.body_hash) for key, row in known_deliveries(connection, keys).items()}
    for heard in batch:
        _same_delivery(heard, kept, (heard.incoming.channel, heard.external_hash))


def _find_without_id(connection: Connection, batch: Sequence[Heard]) -> None:
    if not batch:
        return
    widest = timedelta(seconds=max(h.incoming.same_within_s for h in batch))
    times = [h.incoming.heard_at for h in batch]
    senders = {h.sender_hash for h in batch}
    recent = recent_bodies(connection, senders, min(times) - widest, max(times) + widest)
    for heard in batch:
        key = (heard.incoming.channel, heard.sender_hash, heard.body_hash)
        heard.kept_as = recent.setdefault(key, heard.message_id)
        if heard.kept_as == heard.message_id:
            heard.kept_as = None


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
        if not reader.guard.is_poison(heard.body_hash):
            _read_one(connection, heard, plan, reader)
    return plan


def _read_one(connection: Connection, heard: Heard, plan: Plan, reader: Reader) -> None:
    phone = plan.memory.standings[heard.sender_hash]
    reader.guard.begin(heard.body_hash)
    if heard.incoming.sender.startswith("tel:"):
        _read_as_speaker(connection, heard, plan, reader, phone)
    if heard.decision is None:
        _read_as(heard, phone, plan, reader)
    reader.guard.end()
    _follow(heard, heard.speaker.standing if heard.speaker else phone, plan, reader)
    if heard.speaker is not None:
        _give_back(heard.speaker, phone)


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
