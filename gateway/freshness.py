"""Messages that waited long are looked at again before they go: no storm after an outage, and nothing stale.

To one person go: one mail for each alert, marked with how late it is and whether it was seen meanwhile; one text for
all confirmations, and one for all other news. A reminder that is true no more does not go; in quiet hours no SMS goes
that the gateway began itself. Messages that did not wait cost a comparison of two times.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy import Connection, Row, Table, or_, select

from gateway import limits
from gateway.house import House
from gateway.locale import Translator, translator
from gateway.models import Alert, AlertReport
from gateway.quiet import QuietHours
from gateway.replies import Replies
from gateway.silence import CONTACT
from gateway.silence_watch import SILENCE
from gateway.standing import REPORT
from outbox.queue import Seals
from outbox.review import Drop, Reword, Verdict, Wait
from outbox.rows import OUTBOUND
from outbox.segments import count
from outbox.senders.base import Envelope

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
FURTHER: Table = AlertReport.__table__  # type: ignore[attr-defined]

LATE = timedelta(minutes=30)
STALE = timedelta(days=2)
# Begun by the gateway itself: they wait for the morning.
OWN = ("reminder", "announcement")
LATE_KINDS = ("alert", "notice", "confirmation")
NAMED = 8
WAITING = 200

# The family of messages that are told together, the hash of the address, and the report when it matters.
Key = tuple[Any, ...]

_c = OUTBOUND.c


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message of a group: from the batch that was claimed, or a row that waits behind it."""

    id: UUID
    kind: str
    ref: int | None
    report_id: UUID | None
    queued_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known now of the alert of a report: `word` is its state."""

    word: str
    seen_at: datetime | None
    category: str | None
    place: str | None
    heard_at: datetime


class Freshness:
    """The review of one house; `review` works in the transaction that claims."""

    def __init__(self, house: House) -> None:
        self._house = house

    def review(self, connection: Connection, envelopes: Sequence[Envelope]) -> Mapping[UUID, Verdict]:
        now = self._house.clock()
        own = [one for one in envelopes if one.kind in OWN]
        late = [one for one in envelopes if one.kind in LATE_KINDS and one.queued_at and now - one.queued_at >= LATE]
        if not own and not late:
            return {}
        look = _Look(connection, self._house, now)
        return {**look.own(own), **look.late(late)}


class _Look:
    """One review under way."""

    def __init__(self, connection: Connection, house: House, now: datetime) -> None:
        self._connection = connection
        self._seals: Seals = house.sealer
        self._now = now
        self._replies = Replies(house.codebook(connection))
        self._zone = self._replies.codebook.zone

    def own(self, envelopes: Sequence[Envelope]) -> dict[UUID, Verdict]:
        """Reminders of a silence that was broken are dropped; what is an SMS waits for the end of the night."""
        if not envelopes:
            return {}
        over = self._broken({one.about_id for one in envelopes if one.kind == "reminder" and one.about_id})
        quiet, zones = QuietHours.of(limits.load(self._connection)), self._zones(envelopes)
        verdicts: dict[UUID, Verdict] = {}
        for one in envelopes:
            zone = zones.get(one.contact_id) or self._zone
            if one.about_id in over:
                verdicts[one.id] = Drop("stale")
            elif one.to.startswith("tel:") and quiet.holds(self._now, zone):
                verdicts[one.id] = Wait(quiet.release(self._now, zone))
        return verdicts

    def _broken(self, silences: set[UUID]) -> set[UUID]:
        heard = or_(SILENCE.c.ended_at.is_not(None), CONTACT.c.last_heard_at > SILENCE.c.since)
        query = select(SILENCE.c.id).join(CONTACT, CONTACT.c.id == SILENCE.c.contact_id)
        return set(self._connection.scalars(query.where(SILENCE.c.id.in_(silences), heard))) if silences else set()

    def _zones(self, envelopes: Iterable[Envelope]) -> dict[UUID | None, str | None]:
        ids = {one.contact_id for one in envelopes if one.contact_id}
        rows = self._connection.execute(select(CONTACT.c.id, CONTACT.c.zone).where(CONTACT.c.id.in_(ids)))
        return {row.id: row.zone for row in rows}

    def late(self, envelopes: Sequence[Envelope]) -> dict[UUID, Verdict]:
        """One verdict a group: for the first of it that was claimed, which speaks for all."""
        if not envelopes:
            return {}
        groups: dict[Key, list[Envelope]] = defaultdict(list)
        for one in envelopes:
            if (key := _group(one.kind, one.to_hash, one.report_id, one.ref, is_mail="@" in one.to)) is not None:
                groups[key].append(one)
        behind = self._behind(envelopes)
        seen = self._seen({one.report_id for one in envelopes if one.report_id})
        people = self._people({one.contact_id for one in envelopes if one.contact_id})
        for key in [key for key in groups if key[0] == "alert" and _is_seen(seen.get(key[2]))]:
            _tell_with(key, groups)
            _tell_with(key, behind)
        verdicts: dict[UUID, Verdict] = {}
        for key, mine in groups.items():
            if not mine:
                continue
            first = mine[0]
            waiting = sorted((*map(_of_envelope, mine), *behind.get(key, ())), key=lambda one: (one.queued_at, one.id))
            words = self._words(key[0], first, waiting, seen.get(first.report_id), people.get(first.contact_id))
            if words is not None:
                verdicts[first.id] = words
        return verdicts

    def _behind(self, envelopes: Sequence[Envelope]) -> dict[Key, list[Waiting]]:
        """What else waits for the same addresses on the same channel, by group."""
        hashes, channel = {one.to_hash for one in envelopes}, envelopes[0].channel
        query = (
            select(OUTBOUND)
            .where(_c.to_hash.in_(hashes), _c.channel == channel, _c.state == "queued", _c.kind.in_(LATE_KINDS))
            .where(_c.expires_at > self._now, _c.unsure_since.is_(None))
            .order_by(_c.queued_at)
            .limit(WAITING)
            .with_for_update(skip_locked=True)
        )
        is_mail = "@" in envelopes[0].to
        found: dict[Key, list[Waiting]] = defaultdict(list)
        for row in self._connection.execute(query):
            if (key := _group(row.kind, row.to_hash, row.report_id, row.ref, is_mail=is_mail)) is not None:
                found[key].append(self._of_row(row))
        return found

    def _of_row(self, row: Row[Any]) -> Waiting:
        text = self._seals.open(OUTBOUND.name, "text", row.id, row.text_sealed)
        return Waiting(row.id, row.kind, row.ref, row.report_id, row.queued_at, text)

    def _seen(self, reports: set[UUID]) -> dict[UUID | None, Seen]:
        """The alerts of reports, also of those that were added to another's."""
        further = select(FURTHER.c.report_id, FURTHER.c.alert_id).where(FURTHER.c.report_id.in_(reports))
        added = {row.alert_id: row.report_id for row in self._connection.execute(further)}
        query = (
            select(ALERT, REPORT.c.category, REPORT.c.place, REPORT.c.heard_at)
            .join(REPORT, REPORT.c.id == ALERT.c.report_id)
            .where(or_(ALERT.c.report_id.in_(reports), ALERT.c.id.in_(list(added))))
        )
        found: dict[UUID | None, Seen] = {}
        for row in self._connection.execute(query):
            seen = Seen(row.state, row.seen_at, row.category, row.place, row.heard_at)
            found[row.report_id] = seen
            found[added.get(row.id, row.report_id)] = seen
        return found

    def _people(self, ids: set[UUID]) -> dict[UUID | None, Any]:
        query = select(CONTACT.c.id, CONTACT.c.language, CONTACT.c.discreet).where(CONTACT.c.id.in_(ids))
        return {row.id: row for row in self._connection.execute(query).all()}

    def _words(
        self, family: str, first: Envelope, waiting: Sequence[Waiting], seen: Seen | None, person: Row[Any] | None
    ) -> Reword | None:
        others = tuple(one.id for one in waiting if one.id != first.id)
        delay = self._now - waiting[0].queued_at
        if family == "mail":
            return self._mail(first, waiting, others, seen, translator(person.language if person else "es"))
        if family == "alert":
            return Reword(self._alert(first, waiting[-1].text, delay, seen), replaces=others)
        if not others and (family != "confirmation" or delay < STALE):
            return None
        refs = list(dict.fromkeys(one.ref for one in waiting if one.ref is not None))
        named = ", ".join(f"R{ref}" for ref in refs[-NAMED:]) + (" ..." if len(refs) > NAMED else "")
        confirmed = "late_confirmed" if len(refs) > 1 else "late_confirmed_one"
        name = confirmed if family == "confirmation" else "late_news"
        if family == "confirmation" and person is not None and person.discreet:
            return Reword(self._replies.text("discreet", ref=", ".join(map(str, refs[-NAMED:]))), replaces=others)
        return Reword(self._replies.text(name, refs=named), replaces=others)

    def _alert(self, first: Envelope, text: str, delay: timedelta, seen: Seen | None) -> str:
        """An alert by SMS: what it says is kept while it is open, what became of it when somebody has seen it."""
        late = self._delay(delay)
        if seen is not None and _is_seen(seen):
            local = seen.heard_at.astimezone(ZoneInfo(self._zone))
            return self._replies.text(
                "late_alert", ref=first.ref, category=self._replies.category(seen.category),
                place=self._replies.place(seen.place), time=f"{local:%d/%m %H:%M}", delay=late,
            )  # fmt: skip
        marked = self._replies.text("late_mark", delay=late, text=text)
        return marked if count(marked).segments == 1 else text

    def _delay(self, delay: timedelta) -> str:
        """ "35 min", from an hour on in whole hours: "5 h"."""
        minutes = round(delay.total_seconds() / 60)
        if minutes < 60:
            return self._replies.text("delay.minutes", n=minutes)
        return self._replies.text("delay.hours", n=round(minutes / 60))

    def _mail(
        self, first: Envelope, waiting: Sequence[Waiting], others: tuple[UUID, ...], seen: Seen | None, t: Translator
    ) -> Reword:
        """All that waited about one alert, under one mark."""
        mark = t("late by {delay}", delay=self._delay(self._now - waiting[0].queued_at))
        if seen is not None and seen.seen_at is not None:
            local = seen.seen_at.astimezone(ZoneInfo(self._zone))
            mark = t("{late}, seen already at {time}", late=mark, time=f"{local:%H:%M}")
        texts = [first.text, *(one.text for one in waiting if one.id != first.id and one.text != first.text)]
        return Reword(
            text="\n\n".join([f"[{mark}]", *texts]), subject=f"[{mark}] {first.subject or ''}".strip(),
            html=_marked(first.html, mark, texts[1:]), replaces=others,
        )  # fmt: skip


def _group(kind: str, to_hash: bytes, report_id: UUID | None, ref: int | None, *, is_mail: bool) -> Key | None:
    """What a message is told together with; None for one that speaks for itself."""
    if kind not in LATE_KINDS or report_id is None:
        return None
    if is_mail:
        return None if kind == "confirmation" else ("mail", to_hash, report_id)
    if kind == "alert":
        return ("alert", to_hash, report_id)
    return (kind, to_hash) if ref is not None else None


def _tell_with(key: Key, found: dict[Key, list[Any]]) -> None:
    """What became of an alert that was seen needs no text of its own beside the alert."""
    news = ("notice", key[1])
    about = [one for one in found.get(news, ()) if one.report_id == key[2]]
    if about:
        found[key] = [*found.get(key, ()), *about]
        found[news] = [one for one in found[news] if one not in about]


def _is_seen(seen: Seen | None) -> bool:
    return seen is not None and seen.seen_at is not None


def _of_envelope(one: Envelope) -> Waiting:
    assert one.queued_at is not None
    return Waiting(one.id, one.kind, one.ref, one.report_id, one.queued_at, one.text)


def _marked(html: str | None, mark: str, further: Sequence[str]) -> str | None:
    """The page with the mark at its beginning and the further texts at its end."""
    if html is None:
        return None
    head, body, rest = html.partition("<body")
    opening, bracket, content = rest.partition(">")
    inside, end, tail = content.rpartition("</body>")
    if not (body and bracket and end):
        return None
    above = Markup("<p><strong>{}</strong></p>").format(mark)
    below = Markup("").join(Markup("<p>{}</p>").format(text) for text in further)
    return f"{head}{body}{opening}{bracket}{above}{inside}{below}{end}{tail}"
