"""What PRUEBA is answered: everything that was understood, said to count for nothing."""

from gateway.replies import Replies
from gateway.reports import ReportState
from outbox.segments import count
from parsers import ReportReading


def practised(replies: Replies, state: ReportState) -> str:
    """What was understood of a report in practice: an event by its kind, place and day, others by their own words."""
    values = replies.values(state)
    form = replies.codebook.forms[state.form]
    if form.field("category") is not None:
        return replies.text("practice", **values)
    told = [form.title, *(str(values[name]) for name in ("code", "short", "topic", "status") if values.get(name))]
    if state.counts:
        told.append(replies.counts(state.counts).strip(". "))
    if state.place:
        told.append(str(values["place"]))
    return replies.text("practice_other", what=", ".join(told))


def practised_command(replies: Replies, command: ReportReading) -> str:
    """A command or a poll in practice: what it was taken for. Nothing is done."""
    return replies.text("practice_other", what=replies.codebook.forms[command.form].title)


def mark_practice(replies: Replies, text: str) -> str:
    """`text` with the mark of practice before it, where both fit one segment."""
    marked = replies.text("practice_mark", text=text)
    return marked if count(marked).segments == 1 else text
