"""Sorting what a digest tells into what it shows.

The order: urgent and not yet seen, urgent, what waits for somebody, who is silent, reports, changes, counts.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

from gateway.digests.around import Around, Outage, Poll, Quiet, Seen
from gateway.digests.collect import Contents, Told
from gateway.digests.names import Names, day
from gateway.digests.tables import tables
from gateway.digests.view import Line, Period, Room, Section, View, rows_of

LATE_DAYS = 2
LATE_BY = timedelta(hours=3)


class Maker:
    """Makes the view of one digest."""

    def __init__(self, contents: Contents, around: Around, period: Period, names: Names, *, brief: bool) -> None:
        self._contents, self._around, self._period, self._names = contents, around, period, names
        self._brief = brief
        self.t = names.t

    def view(self, room: Room, *, link: str, stop_link: str = "") -> View:
        names, new = self._names, [told for told in self._contents.reports if told.is_new]
        known = [told for told in new if told.registered]
        mine = [told for told in known if self._contents.whole or not told.elsewhere]
        counted = [told for told in mine if told.state != "draft"]
        drafts = [told for told in known if told.state == "draft"]
        plain = [told for told in known if not self._is_reserved(told) and (told.state != "draft" or told.ref)]
        urgent = sorted((told for told in plain if told.urgent), key=self._urgency)
        return View(
            t=self.t, begin=self._period.local(self._period.begin), end=self._period.local(self._period.end),
            total=len(counted), urgent_total=len(urgent),
            unverified=sum(told.verification == "unverified" for told in counted),
            urgent=self._section(self.t("URGENT"), urgent, room.lines, urgent=True),
            waiting=list(self._waiting(drafts)),
            silent=[self._quiet(one) for one in self._around.silent[: room.lines]],
            reserved=rows_of((names.reserved_place(told.place) for told in counted if self._is_reserved(told)), 99),
            sections=[section for section in self._sections(plain, new, room) if section.lines or section.hidden],
            counts=[] if self._brief else tables(counted, self._around.usual, names, room.rows),
            polls=[self._poll(one) for one in self._around.polls],
            outages=[self._outage(one) for one in self._around.outages[: room.rows]],
            is_calm=not self._contents.reports and not self._around.is_worth_telling,
            link=link, stop_link=stop_link,
        )  # fmt: skip

    def _is_reserved(self, told: Told) -> bool:
        return self._names.is_reserved(told.category)

    def _sections(self, plain: Sequence[Told], new: Sequence[Told], room: Room) -> Iterable[Section]:
        t, lines = self.t, 0 if self._brief else room.lines
        calm = [told for told in plain if not told.urgent and told.state != "draft"]
        changed = [told for told in self._contents.reports if not told.is_new and not self._is_reserved(told)]
        strangers = [told for told in new if not told.registered and not self._is_reserved(told)]
        here, there = [told for told in calm if not told.elsewhere], [told for told in calm if told.elsewhere]
        yield self._section(t("Reports"), sorted(here, key=_number), lines)
        yield self._section(
            t("Other department (no coordinator there)"), sorted(there, key=_number), room.lines,
            short=t("other department"),
        )  # fmt: skip
        yield self._section(t("Changes of reports told before"), sorted(changed, key=_number), room.lines)
        yield self._section(
            t("From unregistered senders (not in the totals)"), sorted(strangers, key=_number), room.lines,
            short=t("unregistered"),
        )  # fmt: skip

    def _section(
        self, title: str, found: Sequence[Told], most: int, *, urgent: bool = False, short: str = ""
    ) -> Section:
        lines = [self._line(told) for told in found[:most]]
        return Section(title, lines, urgent, max(0, len(found) - most), short)

    def _urgency(self, told: Told) -> tuple[bool, bool, int]:
        """What nobody has seen comes first."""
        seen = self._around.alerts.get(told.id)
        return (seen is not None and seen.state != "open", *_number(told))

    def _line(self, told: Told) -> Line:
        ref = f"R{told.ref}" if told.ref is not None else self.t("no number")
        return Line(
            ref, self._names.what(told), self._names.place(told.place), self._when(told),
            self._names.counts(told.counts), tuple(self._notes(told)),
        )  # fmt: skip

    def _when(self, told: Told) -> str:
        """The day it happened, which an SMS leaves out of the last day; of what is urgent and fresh, the hour too."""
        heard = told.heard_at.astimezone(ZoneInfo(self._period.zone))
        shown = "" if self._names.brief and told.event_date == self._period.last_day else day(told.event_date)
        if told.urgent and told.event_date == heard.date():
            return f"{shown} {heard:%H:%M}".strip()
        return shown

    def _notes(self, told: Told) -> Iterable[str]:
        if told.is_new:
            if told.urgent and (seen := self._around.alerts.get(told.id)) is not None:
                yield self._seen(seen)
            yield from self._late(told)
            if told.verification != "unverified":
                yield self.t(told.verification)
            if told.state == "closed":
                yield self.t("closed")
        else:
            yield self._names.changes(told)
        if told.elsewhere and told.urgent:
            yield self.t("other department")

    def _seen(self, seen: Seen) -> str:
        if seen.at is None:
            return self.t("nobody has seen it") if seen.state == "open" else self.t(seen.state)
        at = self._period.clock(seen.at)
        if seen.by and not self._names.brief:
            return self.t("seen {time} by {name}", time=at, name=seen.by)
        return self.t("seen {time}", time=at)

    def _late(self, told: Told) -> Iterable[str]:
        """It came long after it was sent, or tells of days before the period, or was kept before it and is told now."""
        if told.sent_at is not None and told.heard_at - told.sent_at >= LATE_BY:
            hours = round((told.heard_at - told.sent_at) / timedelta(hours=1))
            yield self.t("{n} h late", n=hours)
            return
        first = self._period.begin.astimezone(ZoneInfo(self._period.zone)).date() - timedelta(days=LATE_DAYS)
        is_old = told.event_date is not None and told.event_date < first
        if is_old or (told.created_at is not None and told.created_at < self._period.begin):
            yield self.t("late")

    def _waiting(self, drafts: Sequence[Told]) -> Iterable[str]:
        t, around = self.t, self._around
        if drafts:
            yield t.plural(
                "{n} report waits for an answer of its sender",
                "{n} reports wait for an answer of their senders",
                len(drafts),
            )
        if around.open_number:
            refs = ", ".join(f"R{ref}" for ref in around.open_refs)
            more = around.open_number - len(around.open_refs)
            shown = refs + (" " + t("and {n} more", n=more) if more else "")
            yield t.plural("{n} open ({refs})", "{n} open ({refs})", around.open_number, refs=shown)

    def _quiet(self, one: Quiet) -> str:
        since = f"{one.since.astimezone(ZoneInfo(self._period.zone)):%d/%m}"
        text = self.t("{place}: no news since {date}", place=self._names.place(one.place), date=since)
        return f"{text} ({one.number})" if one.number > 1 else text

    def _poll(self, poll: Poll) -> str:
        t = self.t
        parts = [t.plural("{n} answer", "{n} answers", poll.answers)]
        parts.append(t("victims: too few to tell") if poll.victims is None else t("{n} were victims", n=poll.victims))
        if poll.unreported is not None:
            parts.append(t("{n} did not report it", n=poll.unreported))
        if poll.trust is not None:
            parts.append(t("trust in justice {n} of 5", n=poll.trust))
        return t("Poll, week of {date}: {what}", date=day(poll.week), what=", ".join(parts))

    def _outage(self, outage: Outage) -> str:
        since = self._period.clock(outage.since)
        if outage.until is None:
            return self.t("{channel}: no connection since {begin}", channel=outage.channel, begin=since)
        return self.t(
            "{channel}: no connection {begin} to {end}", channel=outage.channel, begin=since,
            end=self._period.clock(outage.until),
        )  # fmt: skip


def _number(told: Told) -> tuple[bool, int]:
    return (told.ref is None, told.ref or 0)
