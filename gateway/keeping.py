"""A plan becomes rows: messages, reports with their events, questions, alerts and the answers that wait."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, func, select, text, update
from uuid_utils.compat import uuid7

from gateway.alerts import Office, Sender, follow, load_rules, may_alert, raise_alert
from gateway.answering import Answer, address_answer
from gateway.audit import record
from gateway.borrowed import ATTEMPT
from gateway.bulk import insert_rows
from gateway.conversation import Asked, Known
from gateway.drafts import dump_reading, dump_report
from gateway.house import COUNTER
from gateway.models import Attachment, Message, OpenQuestion
from gateway.plan import Heard, Plan, is_stored
from gateway.replies import Replies
from gateway.reports import EVENT, REPORT, Event, ReportState, fold, new_event_row, reading_data, state_columns
from gateway.routes import Way
from gateway.sealing import Sealer
from gateway.standing import CONTACT
from outbox.queue import NewMessage, new_rows
from outbox.rows import OUTBOUND
from parsers import ReportReading

ATTACHMENT = Attachment.__table__  # type: ignore[attr-defined]
MESSAGE = Message.__table__  # type: ignore[attr-defined]
QUESTION = OpenQuestion.__table__  # type: ignore[attr-defined]

# Parents before children, so that foreign keys hold at every insert.
ORDER: tuple[Table, ...] = (MESSAGE, ATTACHMENT, REPORT, EVENT, QUESTION)


class Keeper:
    """Collects the rows of one plan in the caller's transaction; `flush` inserts them, table by table."""

    def __init__(
        self, connection: Connection, plan: Plan, *, node_id: UUID, sealer: Sealer, ways: Sequence[Way],
        base_url: str = "",
    ) -> None:  # fmt: skip
        self.connection = connection
        self.plan = plan
        self.node_id = node_id
        self.sealer = sealer
        self.ways = ways
        self.base_url = base_url
        self.now: datetime = plan.now
        self.codebook = plan.codebook
        self.replies = Replies(plan.codebook)
        self.refs: Iterator[int] = iter(())
        self._rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._messages: list[NewMessage] = []
        self._stored: set[UUID] = set()

    def known(self, heard: Heard) -> Known | None:
        """The registered sender; a registration that waits for approval does not count."""
        known = self.enrolled(heard)
        return known if known is not None and known.status == "active" else None

    def enrolled(self, heard: Heard) -> Known | None:
        """The sender as far as known, approved or not; on a borrowed phone whose number was given."""
        if heard.speaker is not None:
            return heard.speaker.known
        return self.plan.memory.standings[heard.sender_hash].known

    def addresses(self, heard: Heard) -> tuple[bytes, ...]:
        """Keyed hashes of the addresses a sender speaks for: the one heard, or all of who gave a personal number."""
        return (heard.speaker.addresses if heard.speaker else ()) or (heard.sender_hash,)

    def actor(self, heard: Heard) -> str:
        known = self.known(heard)
        return f"contact:{known.contact_id}" if known else "stranger"

    def add_message(self, heard: Heard, **columns: Any) -> None:
        """The message row; `columns` are what was made of it (state, reason, form ...)."""
        incoming, message_id, seal = heard.incoming, heard.message_id, self.sealer.seal_optional
        known = self.known(heard)
        reading = heard.reading
        flags = [*heard.flags, *([] if known else ["unregistered"])]
        blank = columns.pop("blank", False)
        kept_reading = None if reading is None or blank else dump_reading(reading, self.now)
        self._rows[MESSAGE].append({
            "id": message_id, "node_id": self.node_id, "channel": incoming.channel,
            "external_hash": heard.external_hash, "body_hash": heard.body_hash,
            "external_sealed": seal("message", "external", message_id, incoming.external_id),
            "sender_hash": heard.sender_hash,
            "sender_sealed": seal("message", "sender", message_id, incoming.sender),
            "contact_id": known.contact_id if known else None,
            "to_sealed": seal("message", "to", message_id, incoming.to),
            "text_sealed": seal("message", "text", message_id, "" if blank else heard.text),
            "subject_sealed": seal("message", "subject", message_id, None if blank else incoming.subject),
            "raw_sealed": seal("message", "raw", message_id, None if blank else heard.raw),
            "reading_sealed": seal("message", "reading", message_id, kept_reading),
            "fold_hash": None, "part_ref": None, "part_seq": None, "part_total": None, "sent_at": incoming.sent_at,
            "heard_at": incoming.heard_at, "kept_at": self.now, "state": "read", "reason": None, "form": None,
            "language": reading.language if reading else None, "codebook_revision": self.codebook.revision,
            "duplicate_of": None, "practice": reading.practice if reading else False,
            "flags": ",".join(flags) or None, **columns,
        })  # fmt: skip
        self._add_files(heard)

    def _add_files(self, heard: Heard) -> None:
        for file in heard.incoming.files:
            key: UUID = uuid7()
            self._rows[ATTACHMENT].append({
                "id": key, "message_id": heard.message_id, "content_type": file.content_type, "size": file.size,
                "name_sealed": self.sealer.seal("attachment", "name", key, file.name),
                "content_hash": self.sealer.hash("attachment", file.sha256),
            })  # fmt: skip

    def add_report(self, heard: Heard, report: ReportReading, report_id: UUID, *, draft: bool) -> ReportState:
        """A new report with its first event; a draft has no number unless it is urgent."""
        assert heard.reading is not None
        practice = heard.reading.practice
        data, private = reading_data(report, self.codebook, practice=practice)
        if gets_number(report, draft=draft, practice=practice):
            data["ref"] = next(self.refs)
        if "unproved" in heard.flags:
            data["unproved"] = True
        kind = "drafted" if draft else "accepted"
        event = Event(kind, self.now, self.actor(heard), data, private, heard.message_id)
        state = fold([event])
        known = self.known(heard)
        self._rows[REPORT].append({
            "id": report_id, "node_id": self.node_id, "message_id": heard.message_id,
            "contact_id": known.contact_id if known else None, "sender_hash": heard.owner_hash,
            "registered": known is not None, "sent_at": heard.incoming.sent_at, "heard_at": heard.incoming.heard_at,
            "created_at": self.now, **state_columns(report_id, state, self.sealer),
        })  # fmt: skip
        row = new_event_row(report_id, self.node_id, 1, event, place=state.place, sealer=self.sealer)
        self._rows[EVENT].append(row)
        self._stored.add(report_id)
        return state

    def ensure_stored(self, report_id: UUID | None) -> None:
        """Write what is collected when it holds a report that is now to be changed."""
        if report_id in self._stored:
            self.flush()

    @cached_property
    def rules(self) -> list[Row[Any]]:
        """By which reports become alerts."""
        return load_rules(self.connection)

    def office(self, heard: Heard) -> Office:
        """What telling people of alerts needs; an SMS goes by the channel the text came by, if it can."""
        return Office(
            self.connection, self.replies, self.ways, self.sealer, self.base_url, self.now, heard.incoming.channel
        )

    def send(self, messages: Iterable[NewMessage]) -> None:
        self._messages += messages

    def tell_alert(self, heard: Heard, report_id: UUID, state: ReportState) -> None:
        """Alert a report when a rule says so; one that was alerted before is told anew when more is known of it."""
        if not may_alert(self.rules, state):
            return
        self.flush()
        known = self.known(heard)
        sender = Sender(
            heard.owner_hash, known is not None, known.home_place if known else None, heard.incoming.heard_at,
            heard.message_id,
        )  # fmt: skip
        self.send(raise_alert(self.office(heard), report_id, state, sender, self.rules))

    def follow_alert(self, heard: Heard, report_id: UUID, state: ReportState, event: Event) -> None:
        """After a correction: tell who was alerted, or alert what now must be."""
        told = follow(self.office(heard), report_id, state, event)
        if told is None and state.state not in ("closed", "withdrawn"):
            self.tell_alert(heard, report_id, state)
        self.send(told or ())

    def answer(self, heard: Heard, answer: Answer) -> None:
        """Queue the one answer to a text; a refused personal number is told before anything but an alert."""
        speaker = heard.speaker
        if speaker is not None and speaker.refused == "unproved":
            # From is then anybody's word: an answer might go to somebody who wrote nothing.
            return
        if speaker is not None and speaker.refused and not answer.exempt:
            answer = Answer("notice", self.replies.text(speaker.refused))
        if speaker is not None and speaker.standing.opted_out and not answer.last_word:
            return
        message = address_answer(
            answer, heard.incoming, heard.sender_hash, heard.message_id, memory=self.plan.memory, ways=self.ways,
            sealer=self.sealer, now=self.now, known=self.enrolled(heard),
        )  # fmt: skip
        if message is not None:
            self._messages.append(message)

    def tell(self, messages: Sequence[NewMessage]) -> None:
        """Queue what others are told because of a text."""
        self._messages += messages

    def end_question(self, asked: Asked, state: str) -> None:
        """Close the open question before a new one of the same sender is written."""
        self._rows[QUESTION], waiting = [], self._rows[QUESTION]
        kept = [row for row in waiting if row["id"] != asked.id]
        ended = [{**row, "state": state, "ended_at": self.now} for row in waiting if row["id"] == asked.id]
        self._rows[QUESTION] = kept + ended
        if not ended:
            change = update(QUESTION).where(QUESTION.c.id == asked.id)
            self.connection.execute(change.values(state=state, ended_at=self.now))

    def open_question(self, heard: Heard, asks: Asked) -> None:
        assert asks.id is not None
        draft = dump_report(asks.draft, practice=asks.practice)
        self._rows[QUESTION].append({
            "id": asks.id, "sender_hash": heard.sender_hash, "report_id": asks.report_id,
            "message_id": heard.message_id, "form": asks.draft.form, "ask": asks.ask, "choices": list(asks.choices),
            "draft_sealed": self.sealer.seal("open_question", "draft", asks.id, draft),
            "state": "open", "asked_at": self.now, "expires_at": asks.expires_at, "ended_at": None,
        })  # fmt: skip

    def touch_contacts(self, heard: Sequence[Heard]) -> None:
        """Any text is a sign of life."""
        ids = sorted({known.contact_id for one in heard if (known := self.known(one))})
        if ids:
            change = update(CONTACT).where(CONTACT.c.id.in_(ids)).values(last_heard_at=self.now)
            self.connection.execute(change)

    def note_attempts(self) -> None:
        """Keep the personal numbers that were nobody's; a phone that is now locked is written down."""
        insert_rows(self.connection, ATTEMPT, self.plan.tries)
        for heard in self.plan.heard:
            if heard.speaker is not None and heard.speaker.locks:
                target = str(heard.message_id)
                record(self.connection, at=self.now, actor="stranger", action="pin.locked", target=target)

    def flush(self) -> None:
        """Insert everything collected so far."""
        senders = [row["sender_hash"] for row in self._rows[QUESTION] if row["state"] == "open"]
        if senders:
            old = (QUESTION.c.sender_hash.in_(senders)) & (QUESTION.c.state == "open")
            self.connection.execute(update(QUESTION).where(old).values(state="expired", ended_at=self.now))
        for table in ORDER:
            if rows := self._rows.pop(table, None):
                insert_rows(self.connection, table, rows)
        self._rows = defaultdict(list)
        if self._messages:
            queued = new_rows(self._messages, seals=self.sealer, now=self.now)
            insert_rows(self.connection, OUTBOUND, queued)
            self._messages = []
        self._stored.clear()


def gets_number(report: ReportReading, *, draft: bool, practice: bool) -> bool:
    """A number is given when a report is accepted, or a draft is alerted."""
    return not practice and (not draft or report.urgent)


def numbers_needed(plan: Plan) -> int:
    """How many report numbers the plan will take at most; exact but for a draft that was numbered meanwhile."""
    needed = 0
    for heard in plan.heard:
        reading = heard.reading
        if reading is None or reading.outcome == "reject" or heard.kept_as is not None:
            continue
        drafts = heard.drafts
        for index, report in enumerate(reading.reports):
            if not is_stored(report.form, plan.codebook):
                continue
            if reading.answers_pending and index == 0 and heard.asked and heard.asked.ref is not None:
                continue
            draft = heard.asks is not None and reading.outcome == "ask" and heard.asks.draft is report
            draft = draft or index in drafts
            needed += gets_number(report, draft=draft, practice=reading.practice)
    return needed


def take_numbers(connection: Connection, number: int) -> Iterator[int]:
    """The next report numbers: a counter row on SQLite, a sequence on Postgres."""
    if number == 0:
        return iter(())
    if connection.dialect.name == "postgresql":
        query = text("SELECT nextval('report_ref_seq') FROM generate_series(1, :number)")
        return iter([int(value) for value in connection.scalars(query, {"number": number})])
    counter = update(COUNTER).where(COUNTER.c.name == "report_ref").values(value=COUNTER.c.value + number)
    last = connection.execute(counter.returning(COUNTER.c.value)).scalar_one()
    return iter(range(last - number + 1, last + 1))


def active_contacts(connection: Connection, place: str) -> int:
    """How many active contacts a municipality has, which decides how fine a poll answer may be placed."""
    query = select(func.count()).where(CONTACT.c.home_place == place, CONTACT.c.status == "active")
    return int(connection.scalar(query) or 0)
