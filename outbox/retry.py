"""When a message is tried again, or never. Pure: time and chance are passed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from outbox.errors import SendError

SOONEST = timedelta(seconds=1)
LONGEST_WISH = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter. `tries` bounds what uses an attempt; expiry bounds everything else."""

    base: timedelta = timedelta(seconds=10)
    cap: timedelta = timedelta(hours=1)
    tries: int = 60

    def next_try(self, attempt: int, error: SendError, now: datetime, rng: Random) -> datetime | None:
        """When to try again after try number `attempt` (from 1) ended in `error`; None when never.

        The provider's Retry-After is a floor, believed up to a day. An error that uses no attempt is no fault of the
        message: it may go at once, and the pause is the channel's.
        """
        if not error.retry or (error.uses_attempt and attempt >= self.tries):
            return None
        if not error.uses_attempt:
            return now
        wish = min(error.retry_after or timedelta(0), LONGEST_WISH)
        return now + max(SOONEST, wish + self.backoff(attempt, rng))

    def backoff(self, attempt: int, rng: Random) -> timedelta:
        """Between nothing and the doubled base, capped: spreads those who failed together."""
        doublings = min(max(attempt - 1, 0), 30)
        return min(self.cap, self.base * float(2**doublings)) * rng.random()
