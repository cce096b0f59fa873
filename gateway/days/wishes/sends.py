"""Expectations of what a person gets: `{to, by, within, has, not, times}`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.days.cast import SCHEMES, Member
from gateway.days.lines import Node
from gateway.days.record import Send
from gateway.days.wishes.base import OTHER_WORDS, Ground, View, Words, read_within, read_words
from outbox.segments import count

KEYS = ("to", "by", "within", "has", "not", "times", "kind")
WITHIN = timedelta(seconds=60)
SHOWN = 160
WAYS = {
    "sms": "sms", "text": "sms", "phone": "sms", "email": "email", "mail": "email", "e-mail": "email",
    "correo": "email",
    "none": "none", "nothing": "none", "no": "none", "nobody": "none", "any": "any",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SendWish:
    """Each of `to` gets a message that fits, or, with `by` none, nobody of them gets one. No `to`: anybody at all."""

    line: int
    to: tuple[Member, ...]
    by: str
    within: timedelta
    words: Words
    times: int | None = None
    kind: str = ""

    @property
    def needs(self) -> Mapping[timedelta | str, tuple[str, ...]]:
        return {}

    def failures(self, view: View) -> Iterator[str]:
        if not self.to:
            yield from self._of(view, None)
        for member in self.to:
            yield from self._of(view, member)

    def _of(self, view: View, member: Member | None) -> Iterator[str]:
        got = self._got(view, member)
        fitting = self._fitting(got)
        if self.by == "none":
            if fitting:
                yield f"{_name(member)} should get nothing{self._said()}, and got {_shown(fitting, view)}"
        elif self.times is not None and len(fitting) != self.times:
            yield f"{self._wanted(member)}{self._said()} {self.times} times, and got {_shown(fitting, view)}"
        elif not fitting and self.times is None:
            yield f"{self._wanted(member)}{self._said()}, and got {_shown(got, view)}"

    def _got(self, view: View, member: Member | None) -> list[Send]:
        last = view.end + self.within
        # The moment at which a span of silence ends may be that of the next step.
        silent = (self.by == "none" or self.times == 0) and last > view.begin
        return [
            send
            for send in view.record.sends
            if view.begin <= send.at <= last
            and not (silent and send.at == last)
            and (member is None or send.address in member.addresses)
            and self.by in ("none", "any", send.by)
            and self.kind in ("", send.kind)
        ]

    def _fitting(self, got: Sequence[Send]) -> list[Send]:
        """With words to be there: each message that has them and not the others. Without: none may have the others."""
        if not self.words.has and any(self.words.unwanted(send.words) for send in got) and self.by != "none":
            return []
        return [send for send in got if self.words.fits(send.words)]

    def _wanted(self, member: Member | None) -> str:
        way = {"sms": "an SMS", "email": "an e-mail"}.get(self.by, "a message")
        return f"{_name(member)} should get {way} within {int(self.within.total_seconds())} s"

    def _said(self) -> str:
        with_words = f" with {_quoted(self.words.has)}" if self.words.has else ""
        return with_words + (f" without {_quoted(self.words.lacks)}" if self.words.lacks else "")


def read_send(node: Node, ground: Ground) -> SendWish:
    fields = node.fields(KEYS, "an expectation", OTHER_WORDS)
    by = fields["by"].text("by").strip().lower() if "by" in fields else "any"
    if by not in WAYS:
        raise fields["by"].wrong(f"by must be sms, email, none or any, not {by!r}")
    return SendWish(
        node.line, ground.cast.find(fields["to"]) if "to" in fields else (), WAYS[by], read_within(fields, WITHIN),
        read_words(fields), fields["times"].number("times") if "times" in fields else None,
        fields["kind"].text("kind") if "kind" in fields else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class SmsWish:
    """Every SMS of the span has at most so many segments, a digest so many, all of them of GSM-7 characters."""

    line: int
    segments: int
    digest: int

    @property
    def needs(self) -> Mapping[timedelta | str, tuple[str, ...]]:
        return {}

    def failures(self, view: View) -> Iterator[str]:
        for send in view.record.sends:
            if send.by != SCHEMES["tel"] or not view.begin <= send.at <= view.end:
                continue
            counted, most = count(send.text), self.digest if send.kind == "digest" else self.segments
            if counted.segments > most or counted.encoding != "gsm7":
                yield (
                    f"an SMS may have {most} segments of GSM-7, and one has {counted.segments} of {counted.encoding}:"
                    f" {_shown([send], view)}"
                )


def read_sms(node: Node, _ground: Ground) -> SmsWish:
    fields = node.fields(("segments", "digest"), "sms")
    segments = fields["segments"].number("segments") if "segments" in fields else 1
    return SmsWish(node.line, segments, fields["digest"].number("digest") if "digest" in fields else 2)


def _name(member: Member | None) -> str:
    return member.name if member else "Anybody"


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"{word!r}" for word in words)


def _shown(sends: Sequence[Send], view: View) -> str:
    if not sends:
        return "nothing"
    told = (f"{view.time(send.at)} {send.by} {' '.join(send.words.split())[:SHOWN]!r}" for send in sends[:6])
    return "; ".join(told) + (f" and {len(sends) - 6} more" if len(sends) > 6 else "")
