"""Claims what is due, hands it to the senders and records the end: one loop a channel, so that none waits for another.

It wakes by event and by the monotonic clock. What is due is decided by rows and the wall clock at each look.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from outbox.errors import OptedOut, SendError, UnknownResult
from outbox.housekeeping import Housekeeping
from outbox.line import Ended, Line, SendingChannel, State, Write
from outbox.queue import Seals, cancel_leased, claim_due, hasten, record_failure, record_sent_many
from outbox.retry import RetryPolicy
from outbox.review import Review, reviewed, settle_words
from outbox.senders.base import Envelope, Sender, Sent

__all__ = ["Dispatcher", "SendingChannel", "State", "Write"]

LEASE = timedelta(seconds=60)
SEND_SECONDS = 45.0
POLL_SECONDS = 1.0
# Wakes that come closer together than this are answered by one look at the database.
GATHER_SECONDS = 0.02
DRAIN_SECONDS = 10.0

_log = logging.getLogger("vocero.outbox")


class Dispatcher:
    """`channels` is asked at every turn, so that changed settings are obeyed at once; it owns and closes the senders.

    `allowed` gets the messages about to be sent and answers with the ids that may go; the others are cancelled.
    `review` looks at those that may once more: see outbox.review. `on_opted_out` is given the channel and the hashes of
    addresses whose people have stopped our messages at the provider, in the transaction that records it.
    `alone` says that no other process sends from this database: what a dead one held goes on at once, not when its
    lease ends. `on_state` hears offline, online, auth_failed (with the error's code) and sent (with how many).
    """

    def __init__(
        self, *, write: Write, seals: Seals, clock: Callable[[], datetime],
        channels: Callable[[], Mapping[str, SendingChannel]], owner: str, policy: RetryPolicy | None = None,
        rng: Random | None = None, on_state: Callable[[str, State, str], None] | None = None,
        allowed: Callable[[Connection, Sequence[Envelope]], Collection[UUID]] | None = None,
        review: Review | None = None, on_opted_out: Callable[[Connection, str, Collection[bytes]], None] | None = None,
        send_seconds: float = SEND_SECONDS, drain_seconds: float = DRAIN_SECONDS,
        alone: bool = False,
    ) -> None:  # fmt: skip
        self._write = write
        self._seals = seals
        self._clock = clock
        self._channels = channels
        self._owner = owner
        self._policy = policy or RetryPolicy()
        self._rng = rng or Random()  # noqa: S311 - spreads retries, guards nothing
        self._on_state = on_state
        self._allowed = allowed
        self._review = review
        self._on_opted_out = on_opted_out
        self._send_seconds = min(send_seconds, LEASE.total_seconds() * 0.9)
        self._drain_seconds = drain_seconds
        self._alone = alone
        self._lines: dict[str, Line] = {}

    def wake(self, channel: str | None = None) -> None:
        """Look at once, on one channel or all. To be called on the event loop's thread."""
        for name, line in self._lines.items():
            if channel in (None, name):
                line.wake.set()

    @property
    def at_rest(self) -> bool:
        """Whether no channel is looking, sending or recording at this moment."""
        return all(line.at_rest for line in self._lines.values())

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then finish what is being sent, for at most `drain_seconds`."""
        house = Housekeeping(self._write, self._clock, self._holding, alone=self._alone)
        tasks: dict[str, asyncio.Task[None]] = {}
        while not stop.is_set():
            await house.step(_monotonic())
            for name in self._channels():
                if name not in tasks or tasks[name].done():
                    tasks[name] = asyncio.create_task(self._serve(name, stop))
            await _first(stop.wait(), timeout=POLL_SECONDS)
        self.wake()
        await asyncio.gather(*tasks.values())

    def _holding(self) -> list[UUID]:
        return [message_id for line in self._lines.values() for message_id in line.holding]

    async def _serve(self, name: str, stop: asyncio.Event) -> None:
        line = self._lines[name] = Line(name)
        while not stop.is_set():
            channel = self._channels().get(name)
            if channel is None:
                break
            line.turning = True
            try:
                wait = await self._turn(channel, line)
            except Exception:
                _log.exception("channel %s: the turn failed", name)
                line.pace.close_for(POLL_SECONDS, _monotonic())
                wait = POLL_SECONDS
            finally:
                line.turning = False
            await _first(line.wake.wait(), timeout=wait)
            line.wake.clear()
        await self._finish(line)
        del self._lines[name]

    async def _turn(self, channel: SendingChannel, line: Line) -> float:
        """Record what ended, claim what may go, begin to send it; returns how long to wait for the next turn."""
        now = _monotonic()
        self._notice_changes(channel, line)
        early = line.looked_at + GATHER_SECONDS - now
        if early > 0 and not line.ended:
            return max(early, 0.001)
        free = 0 if channel.paused else line.pace.allowance(
            now, parallel=channel.slots, running=len(line.running), rate=channel.rate
        )  # fmt: skip
        if free or line.ended:
            line.looked_at = now
            claimed = await self._record_and_claim(channel, line, free)
            if claimed == free > 0 and len(line.running) < channel.slots:
                return 0.0
        return min(line.pace.wait(_monotonic(), channel.rate) or POLL_SECONDS, POLL_SECONDS)

    def _notice_changes(self, channel: SendingChannel, line: Line) -> None:
        """New settings, or the end of a pause, deserve a new try at once."""
        changed = line.sender is not None and line.sender is not channel.sender
        if changed or (line.paused and not channel.paused):
            line.pace.reopen()
        line.sender, line.paused = channel.sender, channel.paused

    async def _record_and_claim(self, channel: SendingChannel, line: Line, free: int) -> int:
        ended, line.ended = line.ended, []
        if line.one_by_one:
            await self._record_singly(line, ended)
            ended = []
        try:
            envelopes, claimed = await self._write(
                partial(self._step, channel=line.name, ended=ended, free=free, is_back=line.is_back)
            )
        except Exception:
            # Disk full, database away: nothing is forgotten, and the same is tried again in a while.
            line.ended = ended + line.ended
            line.one_by_one = len(ended) > 1
            raise
        line.is_back = False
        self._tell_sent(line.name, ended)
        line.pace.began(claimed)
        for envelope in envelopes:
            self._begin(channel, line, envelope)
        return claimed

    async def _record_singly(self, line: Line, ended: list[Ended]) -> None:
        """One that cannot be recorded must not keep the others from it."""
        line.one_by_one = False
        for index, end in enumerate(ended):
            try:
                await self._write(partial(self._record, ended=[end]))
            except Exception:
                _log.exception("channel %s: could not record %s", line.name, end.envelope.id)
                line.ended.append(end)
                line.one_by_one = True
            else:
                self._tell_sent(line.name, ended[index : index + 1])

    def _step(
        self, conn: Connection, channel: str, ended: Sequence[Ended], free: int, is_back: bool = False
    ) -> tuple[list[Envelope], int]:  # fmt: skip
        """One transaction: what ended is recorded and what may go is claimed."""
        self._record(conn, ended)
        if is_back:
            hasten(conn, channel, self._clock())
        if not free:
            return [], 0
        now = self._clock()
        claimed = claim_due(
            conn, channel=channel, limit=free, now=now, lease=LEASE, owner=self._owner, seals=self._seals
        )
        return self._let_through(conn, claimed), len(claimed)

    def _let_through(self, conn: Connection, claimed: list[Envelope]) -> list[Envelope]:
        if self._allowed is not None and claimed:
            allowed = set(self._allowed(conn, claimed))
            cancel_leased(conn, [e for e in claimed if e.id not in allowed], error="opted_out")
            claimed = [e for e in claimed if e.id in allowed]
        return reviewed(conn, claimed, self._review, self._clock()) if self._review and claimed else claimed

    def _record(self, conn: Connection, ended: Sequence[Ended]) -> None:
        now = self._clock()
        sent = [(end.envelope, end.outcome) for end in ended if isinstance(end.outcome, Sent)]
        if sent:
            written = record_sent_many(conn, sent, now=now, seals=self._seals)
            settle_words(conn, [envelope for envelope, _ in sent if envelope.id in written], seals=self._seals)
        for end in ended:
            if isinstance(end.outcome, SendError):
                record_failure(conn, end.envelope, end.outcome, now=now, policy=self._policy, rng=self._rng)
        stopped = [end.envelope for end in ended if isinstance(end.outcome, OptedOut)]
        if stopped and self._on_opted_out is not None:
            self._on_opted_out(conn, stopped[0].channel, {envelope.to_hash for envelope in stopped})

    def _begin(self, channel: SendingChannel, line: Line, envelope: Envelope) -> None:
        line.running[envelope.id] = asyncio.create_task(self._send(channel, line, envelope))

    async def _send(self, channel: SendingChannel, line: Line, envelope: Envelope) -> None:
        outcome = await self._outcome(channel.sender, envelope)
        if isinstance(outcome, Sent):
            turn = line.pace.succeeded(channel.slots)
        else:
            turn = line.pace.failed(outcome, _monotonic())
        if turn is not None:
            line.is_back = turn == "online"
            self._tell(line.name, turn, outcome.code if isinstance(outcome, SendError) else "")
        line.running.pop(envelope.id, None)
        line.ended.append(Ended(envelope, outcome))
        line.wake.set()

    async def _outcome(self, sender: Sender, envelope: Envelope) -> Sent | SendError:
        try:
            async with asyncio.timeout(self._send_seconds):
                return await sender.send(envelope)
        except SendError as error:
            return error
        except (TimeoutError, asyncio.CancelledError) as error:
            return UnknownResult(detail={"exception": type(error).__name__})
        except Exception as error:
            _log.error("message %s: the sender raised %s", envelope.id, type(error).__name__)
            return UnknownResult(detail={"exception": type(error).__name__})

    async def _finish(self, line: Line) -> None:
        """Wait for what is being sent, for a while; what is cut off may have arrived, and is recorded so."""
        if line.running:
            await asyncio.wait(line.running.values(), timeout=self._drain_seconds)
        tasks = list(line.running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        ended, line.ended = line.ended, []
        await self._record_singly(line, ended)

    async def drain_once(self) -> int:
        """Send what is due now on every channel, heedless of rates; returns how many sends ended. For rehearsals."""
        total = 0
        for name, channel in self._channels().items():
            total += 0 if channel.paused else await self._drain(name, channel)
        return total

    async def _drain(self, name: str, channel: SendingChannel) -> int:
        total, ended = 0, list[Ended]()
        while True:
            free = 0 if any(_is_trouble(end) for end in ended) else channel.slots
            recorded, ended = ended, []
            envelopes, claimed = await self._write(partial(self._step, channel=name, ended=recorded, free=free))
            self._tell_sent(name, recorded)
            if not claimed:
                return total
            outcomes = await asyncio.gather(*(self._outcome(channel.sender, envelope) for envelope in envelopes))
            ended = [Ended(envelope, outcome) for envelope, outcome in zip(envelopes, outcomes, strict=True)]
            total += len(ended)

    def _tell_sent(self, channel: str, ended: Sequence[Ended]) -> None:
        if number := sum(isinstance(end.outcome, Sent) for end in ended):
            self._tell(channel, "sent", str(number))

    def _tell(self, channel: str, state: State, detail: str) -> None:
        if self._on_state is None:
            return
        try:
            self._on_state(channel, state, detail)
        except Exception:
            _log.exception("channel %s: nobody could be told of %s", channel, state)


def _is_trouble(end: Ended) -> bool:
    return isinstance(end.outcome, SendError) and end.outcome.retry


def _monotonic() -> float:
    return asyncio.get_running_loop().time()


async def _first(waited: Awaitable[Any], *, timeout: float) -> None:  # noqa: ASYNC109
    """Wait for an event, at most `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            await waited
    except TimeoutError:
        pass
