"""Expectations of how messages waited: how many, until when, and in which order they went."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.days.lines import Node
from gateway.days.moments import read_moment
from gateway.days.record import Send
from gateway.days.wishes.base import Ground, View

MAIL = "mail"
# Two may be handed over at once, and the second may arrive first.
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class QueueWish:
    """At most `peak` messages waited on a channel, none at `empty_by`; `oldest_first`, each kind by itself."""

    line: int
    channel: str
    peak: int | None
    empty_by: datetime | None
    oldest_first: bool | None

    @property
    def needs(self) -> Mapping[timedelta | str, tuple[str, ...]]:
        return {}

    def failures(self, view: View) -> Iterator[str]:
        series = [(one.at, one.queued.get(self.channel, 0)) for one in view.record.queues if one.at >= view.begin]
        peak = max((number for _, number in series), default=0)
        if self.peak is not None and peak != self.peak:
            yield f"at most {self.peak} messages should wait on {self.channel}, and {peak} did"
        if self.empty_by is not None and (number := _at(series, self.empty_by)):
            yield f"nothing should wait on {self.channel} at {view.time(self.empty_by)}, and {number} did"
        if self.oldest_first is not None and self.oldest_first == (late := _overtaken(view.record.sends, self.by)):
            yield f"what waited on {self.channel} {'should go' if late else 'should not go'} the oldest first"

    @property
    def by(self) -> str:
        return "email" if self.channel == MAIL else "sms"


def _at(series: Sequence[tuple[datetime, int]], at: datetime) -> int:
    return next((number for when, number in reversed(series) if when <= at), 0)


def _overtaken(sends: Sequence[Send], by: str) -> bool:
    """Whether a message went while more than one older of its kind, from before, still waited."""
    own = [send for send in sends if send.by == by and send.queued_at is not None]
    for index, send in enumerate(own):
        older = [
            other
            for other in own[index + 1 :]
            if other.kind == send.kind and other.queued_at and send.queued_at and other.queued_at < send.queued_at
        ]
        if len(older) >= AT_ONCE:
            return True
    return False


def read_queue(node: Node, ground: Ground) -> QueueWish:
    """`queue {channel: mail, peak: 4, empty_by: 15:05, oldest_first: yes}`."""
    fields = node.fields(("channel", "peak", "empty_by", "oldest_first"), "queue")
    channel = fields["channel"].text("channel").strip() if "channel" in fields else MAIL
    peak = fields["peak"].number("peak") if "peak" in fields else None
    first = ground.calendar.after(ground.calendar.local(ground.calendar.first, 0, 0))
    by = read_moment(fields["empty_by"], first, "empty_by") if "empty_by" in fields else None
    oldest = fields["oldest_first"].flag("oldest_first") if "oldest_first" in fields else None
    return QueueWish(node.line, channel, peak, by, oldest)
