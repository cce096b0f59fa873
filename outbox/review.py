"""A last look at messages that are about to go: some are true no more, some must wait, some are told in other words.

What is sent instead of a text is worked out at each try and written down when the provider has taken it, so that an
outage of hours makes "late by 5 h" of what was claimed and given back at every probe. The messages it `replaces` wait
until then, and are cancelled as `merged`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, update

from outbox.queue import cancel_leased, give_back
from outbox.rows import OUTBOUND, Seals, measured, reworded
from outbox.senders.base import Envelope

MERGED = "merged"
# How long the messages that another replaces are left alone while that one is being sent.
SET_ASIDE = timedelta(seconds=60)

_c = OUTBOUND.c


@dataclass(frozen=True, slots=True)
class Drop:
    """Not sent: the row becomes `cancelled` with `error` as the reason."""

    error: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Not sent before `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Reword:
    """Sent in these words; `replaces` are ids of other waiting messages that need not go any more."""

    text: str
    subject: str | None = None
    html: str | None = None
    replaces: tuple[UUID, ...] = ()


Verdict = Drop | Wait | Reword
Review = Callable[[Connection, Sequence[Envelope]], Mapping[UUID, Verdict]]


def reviewed(conn: Connection, envelopes: Sequence[Envelope], review: Review, now: datetime) -> list[Envelope]:
    """The envelopes that go, in the words in which they go. A try whose end nobody saw goes as it was."""
    verdicts = review(conn, [one for one in envelopes if one.unsure_since is None])
    if not verdicts:
        return list(envelopes)
    replaced = {key for verdict in verdicts.values() if isinstance(verdict, Reword) for key in verdict.replaces}
    going: list[Envelope] = []
    for envelope in envelopes:
        verdict = verdicts.get(envelope.id)
        if envelope.id in replaced:
            give_back(conn, [envelope])
        elif isinstance(verdict, Drop):
            cancel_leased(conn, [envelope], error=verdict.error)
        elif isinstance(verdict, Wait):
            give_back(conn, [envelope])
            _put_off(conn, [envelope.id], verdict.until)
        else:
            going.append(_in_words(envelope, verdict) if verdict else envelope)
    _put_off(conn, sorted(replaced), now + SET_ASIDE)
    return going


def _in_words(envelope: Envelope, verdict: Reword) -> Envelope:
    return replace(
        envelope, text=measured(envelope.to, verdict.text)[0], subject=verdict.subject, html=verdict.html,
        replaces=verdict.replaces, is_reworded=True,
    )  # fmt: skip


def _put_off(conn: Connection, ids: Sequence[UUID], until: datetime) -> None:
    if ids:
        which = (_c.id.in_(ids), _c.state == "queued", _c.not_before < until)
        conn.execute(update(OUTBOUND).where(*which).values(not_before=until))


def settle_words(conn: Connection, envelopes: Sequence[Envelope], *, seals: Seals) -> None:
    """Write down the words that were sent, and cancel what they replace."""
    for envelope in envelopes:
        if not envelope.is_reworded:
            continue
        conn.execute(update(OUTBOUND).where(_c.id == envelope.id).values(reworded(envelope, seals)))
        if envelope.replaces:
            which = (_c.id.in_(envelope.replaces), _c.state == "queued")
            conn.execute(update(OUTBOUND).where(*which).values(state="cancelled", error=MERGED))
