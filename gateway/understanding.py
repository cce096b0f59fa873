"""What happens because of a text: its message is kept, its reports made or completed, one answer written."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from gateway.answering import Answer, Done
from gateway.commands import COMMANDS
from gateway.conversation import Decision, said_too_little
from gateway.keeping import MESSAGE, Keeper
from gateway.plan import Heard, is_stored
from gateway.polls import keep_poll
from gateway.practice import mark_practice, practised, practised_command
from gateway.reports import REPORT, Event, ReportState, append_event, reading_data
from gateway.returned import note_bounce
from gateway.table_answers import table_answer
from parsers import Reading, ReportReading, hide_pin

STATE_OF_REASON = {"spam": "spam", "auto_reply": "auto_reply", "nothing_to_report": "zero", "unknown": "unread"}
SOME_MAYAN = "myn"
FROM_STRANGER = "please_register"
LATE = timedelta(hours=3)


def keep(keeper: Keeper, heard: Heard) -> None:
    """Write everything one text means. The keeper's connection holds the transaction."""
    decision = heard.decision
    if heard.incoming.bounce is not None:
        note_bounce(keeper.connection, heard.incoming.bounce, now=keeper.now, sealer=keeper.sealer)
    if decision is None:
        _keep_poison(keeper, heard)
    elif decision.outcome == "hold":
        _keep_part(keeper, heard, decision)
    elif decision.outcome == "duplicate":
        _keep_repeat(keeper, heard, decision)
    elif decision.outcome == "reject":
        _keep_rejected(keeper, heard, decision)
    else:
        _keep_read(keeper, heard, decision)


def _keep_poison(keeper: Keeper, heard: Heard) -> None:
    keeper.add_message(heard, state="unread", reason="poison")
    keeper.answer(heard, Answer("notice", keeper.replies.text("unread")))


def _keep_part(keeper: Keeper, heard: Heard, decision: Decision) -> None:
    assert decision.part is not None
    reference, seq, total = decision.part
    keeper.add_message(heard, state="held", part_ref=reference, part_seq=seq, part_total=total)
    if decision.typed_part:
        keeper.answer(heard, Answer("notice", keeper.replies.text("parts", n=seq, m=total)))


def _keep_repeat(keeper: Keeper, heard: Heard, decision: Decision) -> None:
    """The same text again within a day: no report; answered once, with its number or its open question."""
    assert decision.repeat is not None
    keeper.add_message(heard, state="duplicate", duplicate_of=decision.repeat.message_id, fold_hash=decision.repeat_key)
    if decision.repeat.answered:
        return
    keeper.flush()
    first = select(REPORT.c.ref, REPORT.c.id).where(REPORT.c.message_id == decision.repeat.message_id)
    report = keeper.connection.execute(first.order_by(REPORT.c.ref)).first()
    if report is not None and report.ref is not None:
        text = keeper.replies.text("duplicate", ref=report.ref)
        keeper.answer(heard, Answer("notice", text, report.id, report.ref, exempt=False))
    elif heard.asked is not None:
        keeper.answer(heard, Answer("question", keeper.replies.question(heard.asked, None), heard.asked.report_id))


def _keep_rejected(keeper: Keeper, heard: Heard, decision: Decision) -> None:
    assert decision.reading is not None
    reason = decision.reading.reason or "unknown"
    keeper.add_message(heard, state=STATE_OF_REASON.get(reason, "read"), reason=reason)
    _release_parts(keeper, decision, heard)
    if reason == "unknown" and decision.reading.language == SOME_MAYAN:
        reason = "unknown_language"
    answer = _answer_to_rejected(keeper, heard, reason)
    if answer is not None:
        keeper.answer(heard, answer)


def _answer_to_rejected(keeper: Keeper, heard: Heard, reason: str) -> Answer | None:
    replies = keeper.replies
    if reason in ("thanks", "empty") and heard.reading is not None and heard.reading.practice:
        return Answer("notice", replies.text("practice_how"))
    if heard.speaker is not None and reason in ("empty", "thanks", "unknown"):
        return Answer("notice", replies.form_reply("identify"))
    if reason == "unknown" and heard.asked is not None:
        return Answer("question", replies.question(heard.asked, None), heard.asked.report_id)
    if reason in ("unknown", "empty"):
        return Answer("notice", replies.text(reason))
    if reason == "unknown_language":
        return Answer("notice", replies.text("unknown_language"))
    if reason == "nothing_to_report":
        known = keeper.known(heard)
        if known is None:
            return Answer("notice", replies.text(FROM_STRANGER))
        return Answer("notice", replies.form_reply("alive", place=replies.place(known.home_place)))
    return None


def _keep_read(keeper: Keeper, heard: Heard, decision: Decision) -> None:
    reading = decision.reading
    assert reading is not None
    form = reading.reports[0].form if reading.reports else None
    is_poll = form == "poll"
    repeatable = decision.repeat_key if _is_repeatable(keeper, reading) else None
    keeper.add_message(
        heard, state="asked" if reading.outcome == "ask" else "read", form=form, fold_hash=repeatable,
        blank=is_poll and reading.outcome == "accept",
    )  # fmt: skip
    _release_parts(keeper, decision, heard)
    if heard.asked is not None and heard.asked.id is not None:
        keeper.end_question(heard.asked, "answered" if reading.answers_pending else "left")
    done = [_keep_one(keeper, heard, reading, index) for index in range(len(reading.reports))]
    if heard.asks is not None and not _is_refused(heard):
        keeper.open_question(heard, heard.asks)
    answer = _one_answer(keeper, heard, reading, [one for one in done if one is not None])
    if answer is not None:
        keeper.answer(heard, answer)


def _is_refused(heard: Heard) -> bool:
    return heard.speaker is not None and heard.speaker.refused is not None


def _is_repeatable(keeper: Keeper, reading: Reading) -> bool:
    return not reading.answers_pending and any(is_stored(report.form, keeper.codebook) for report in reading.reports)


def _release_parts(keeper: Keeper, decision: Decision, heard: Heard) -> None:
    """The parts that were held belong to a whole text now; none keeps a personal number."""
    held = [part for part in decision.joined if part.message_id]
    if not held:
        return
    keeper.flush()
    mine = MESSAGE.c.id.in_([part.message_id for part in held])
    keeper.connection.execute(update(MESSAGE).where(mine).values(state="read", reason="part"))
    for part in held if heard.speaker is not None else ():
        if (hidden := hide_pin(part.text, keeper.codebook)) != part.text:
            assert isinstance(part.message_id, UUID)
            sealed = keeper.sealer.seal("message", "text", part.message_id, hidden)
            change = update(MESSAGE).where(MESSAGE.c.id == part.message_id)
            keeper.connection.execute(change.values(text_sealed=sealed, raw_sealed=None))


def _keep_one(keeper: Keeper, heard: Heard, reading: Reading, index: int) -> Done | None:
    report = reading.reports[index]
    if keeper.codebook.forms[report.form].kind == "command":
        if heard.speaker is not None and heard.speaker.refused:
            return Done("", kind="notice")
        complete = reading.outcome == "accept" or heard.asks is None or heard.asks.draft is not report
        if complete and reading.practice and report.form != "help":
            return Done(practised_command(keeper.replies, report), kind="notice")
        return COMMANDS[report.form](keeper, heard, report) if complete else None
    if report.form == "poll":
        if reading.outcome != "accept":
            return None
        if reading.practice:
            return Done(practised_command(keeper.replies, report))
        return keep_poll(keeper, heard, report)
    report_id = heard.report_ids[index]
    draft = reading.outcome == "ask" and heard.asks is not None and heard.asks.draft is report
    draft = draft or index in heard.drafts
    if reading.answers_pending and index == 0 and heard.asked is not None and heard.asked.report_id is not None:
        state = _advance(keeper, heard, reading, report, draft=draft)
    else:
        state = keeper.add_report(heard, report, report_id, draft=draft)
    keeper.tell_alert(heard, report_id, state)
    heard.states[index] = state
    if draft:
        return None
    open_end = not reading.answers_pending and said_too_little(report) is not None
    urgent = state.urgent and not state.practice
    return Done(_confirmation(keeper, heard, reading, state, open_end=open_end), report_id, state.ref, urgent)


def _advance(keeper: Keeper, heard: Heard, reading: Reading, report: ReportReading, *, draft: bool) -> ReportState:
    """The answer to a question: the draft gets its value, and when nothing is missing it becomes a report."""
    assert heard.asked is not None and heard.asked.report_id is not None
    report_id = heard.asked.report_id
    keeper.ensure_stored(report_id)
    before = keeper.connection.execute(select(REPORT.c.state, REPORT.c.ref).where(REPORT.c.id == report_id)).one()
    data, private = reading_data(report, keeper.codebook, practice=reading.practice)
    data.pop("practice")
    text = " / ".join(filter(None, (heard.asked.draft.text, heard.text)))
    private["text"] = text
    advanced = "drafted" if draft else "completed"
    kind = advanced if before.state == "draft" else "corrected"
    if before.ref is None and (not draft or report.urgent) and not reading.practice:
        data["ref"] = next(keeper.refs)
    event = Event(kind, keeper.now, keeper.actor(heard), data, private, heard.message_id)
    return append_event(keeper.connection, report_id, event, sealer=keeper.sealer)


def _confirmation(keeper: Keeper, heard: Heard, reading: Reading, state: ReportState, *, open_end: bool) -> str:
    known = keeper.known(heard)
    if reading.practice or state.practice:
        return practised(keeper.replies, state)
    if known is None and not state.urgent:
        return keeper.replies.text(FROM_STRANGER)
    return keeper.replies.confirmation(
        state, discreet=known is not None and known.discreet, open_end=open_end, late_hours=_late_hours(heard),
        long=heard.incoming.sender.startswith("mailto:"),
    )  # fmt: skip


def _late_hours(heard: Heard) -> int:
    """How many hours the text was under way, when that is worth a word; 0 otherwise."""
    sent_at, heard_at = heard.incoming.sent_at, heard.incoming.heard_at
    if sent_at is None or heard_at - sent_at < LATE:
        return 0
    return round((heard_at - sent_at) / timedelta(hours=1))


def _table_answer(keeper: Keeper, heard: Heard, reading: Reading) -> str:
    """The rows of the tables line by line, after the numbers of what the mail itself reports."""
    known = keeper.known(heard)
    own = len(reading.reports) - sum(len(table.reports) for table in heard.tables)
    refs = " ".join(f"R{state.ref}" for index, state in heard.states.items() if index < own and state.ref)
    lines = table_answer(
        heard.tables, heard.states, own, keeper.replies, discreet=known is not None and known.discreet
    )  # fmt: skip
    return f"{keeper.replies.text('several', n=own, refs=refs)}\n{lines}" if refs else lines


def _one_answer(keeper: Keeper, heard: Heard, reading: Reading, done: list[Done]) -> Answer | None:
    """At most one answer: the question first, else the confirmation, else one line for several reports."""
    alarming = any(one.urgent for one in done) or any(report.urgent for report in reading.reports)
    urgent = alarming and not reading.practice
    if heard.asks is not None and reading.outcome == "ask":
        text = keeper.replies.question(heard.asks, reading.question)
        text = mark_practice(keeper.replies, text) if reading.practice else text
        return Answer("question", text, heard.asks.report_id, heard.asks.ref, exempt=urgent)
    if heard.tables:
        if keeper.known(heard) is None:
            return Answer("notice", keeper.replies.text(FROM_STRANGER))
        return Answer("confirmation", _table_answer(keeper, heard, reading), exempt=urgent)
    if not done:
        return None
    first = done[0]
    if reading.practice and len(done) > 1:
        return Answer("confirmation", keeper.replies.text("practice_several", n=len(done)))
    numbered = [one for one in done if one.ref is not None]
    if len(numbered) > 1 and keeper.known(heard) is not None:
        refs = " ".join(f"R{one.ref}" for one in numbered)
        return Answer("confirmation", keeper.replies.text("several", n=len(numbered), refs=refs), exempt=urgent)
    if first.text is None:
        return None
    return Answer(first.kind, first.text, first.report_id, first.ref, exempt=urgent, last_word=first.last_word)
