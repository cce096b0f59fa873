"""The one answer a text may get: whether it may be sent, by which channel, and the row that will carry it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from gateway.conversation import Known
from gateway.incoming import Incoming
from gateway.routes import Way, Ways, choose
from gateway.sealing import Sealer
from gateway.standing import Answered, Memory
from outbox.queue import NewMessage
from outbox.segments import count

STALE_AFTER = timedelta(days=2)
CONFIRMS_FOR = timedelta(days=7)
PER_HOUR, PER_DAY = 30, 100
PER_HOUR_STRANGER = 3
SAME_TEXT_PER_HOUR = 2
SUBJECT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer before it is addressed. `exempt`: it belongs to an alert and no limit holds it back."""

    kind: str
    text: str
    report_id: UUID | None = None
    ref: int | None = None
    exempt: bool = False
    last_word: bool = False
    """The one confirmation that may follow a BAJA."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in the words to answer with (None: no answer)."""

    text: str | None
    report_id: UUID | None = None
    ref: int | None = None
    urgent: bool = False
    kind: str = "confirmation"
    last_word: bool = False


def is_within_limits(answered: Answered, text_hash: bytes, *, known: Known | None) -> bool:
    """The limits of answering: 3 an hour to a stranger, 30 an hour and 100 a day to a known sender, one text twice."""
    per_hour = PER_HOUR if known else PER_HOUR_STRANGER
    if answered.hour >= per_hour or answered.day >= PER_DAY:
        return False
    return answered.texts.get(text_hash, 0) < SAME_TEXT_PER_HOUR


def address_answer(
    answer: Answer, incoming: Incoming, sender_hash: bytes, message_id: UUID, *, memory: Memory, ways: Sequence[Way],
    sealer: Sealer, now: datetime, known: Known | None,
) -> NewMessage | None:  # fmt: skip
    """The message to queue, or None when nothing may or can be sent. Counts it against the sender's limits."""
    if not incoming.answerable or not incoming.sender.startswith(("tel:", "mailto:")):
        return None
    if isinstance(ways, Ways) and incoming.sender in ways.own:
        return None
    if sender_hash in memory.opted_out and not answer.last_word:
        return None
    answered = memory.answered[sender_hash]
    text_hash = sealer.hash("text", answer.text)
    if not answer.exempt and not is_within_limits(answered, text_hash, known=known):
        return None
    to, channel = _way(answer, incoming, ways, known)
    if channel is None:
        return None
    answered.hour += 1
    answered.day += 1
    answered.texts[text_hash] = answered.texts.get(text_hash, 0) + 1
    subject, headers = _mail_parts(incoming, answer.text) if to.startswith("mailto:") else (None, None)
    return NewMessage(
        id=uuid7(), kind=answer.kind, channel=channel, to=to, text=answer.text, subject=subject,
        headers=headers, message_id=message_id, report_id=answer.report_id, ref=answer.ref,
        contact_id=known.contact_id if known else None, expires_at=now + _life(answer, to),
        priority=0 if answer.exempt else None,
    )  # fmt: skip


def _way(answer: Answer, incoming: Incoming, ways: Sequence[Way], known: Known | None) -> tuple[str, str | None]:
    """Address and channel: where the person wants answers, when it can be reached and one SMS holds the answer; else,
    and for the last word to who said BAJA, where the text came in."""
    wanted = known.answer_to if known is not None and not answer.last_word else None
    if wanted is not None and wanted.partition(":")[0] != incoming.sender.partition(":")[0]:
        channel = choose(ways, wanted)
        if channel is not None and (wanted.startswith("mailto:") or count(answer.text).segments == 1):
            return wanted, channel
    return incoming.sender, choose(ways, incoming.sender, incoming.channel)


def _life(answer: Answer, to: str) -> timedelta:
    """A phone without signal hears of its reports also days later, all in one text."""
    is_number = answer.kind == "confirmation" and answer.ref is not None and to.startswith("tel:")
    return CONFIRMS_FOR if is_number else STALE_AFTER


def _mail_parts(incoming: Incoming, text: str) -> tuple[str, dict[str, str]]:
    """Subject and threading headers of a reply by mail (RFC 5322 3.6.4, RFC 3834)."""
    subject = (incoming.subject or incoming.thread.get("subject") or "").strip()
    headers = {"Auto-Submitted": "auto-replied"}
    replied = incoming.thread.get("message_id")
    if replied:
        headers["In-Reply-To"] = replied
        headers["References"] = " ".join(filter(None, (incoming.thread.get("references"), replied)))
    answered = subject if subject[:3].casefold() == "re:" else f"Re: {subject}"
    return (answered if subject else text)[:SUBJECT_LENGTH], headers
