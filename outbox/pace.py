"""When one channel may try to send: a token bucket, pauses that grow, and a slow start after trouble.

All times are seconds of a monotonic clock and passed in: setting the wall clock moves nothing here.
"""

from datetime import timedelta
from typing import Literal

from outbox.errors import SendError

Turn = Literal["offline", "online", "auth_failed"]

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 60.0
LONGEST_WISH = 3600.0
STOPPED_PAUSE = 600.0
AFTER_FAILURE = 1.0


class Pace:
    """How many sends may begin now. Trouble closes it for a while; then one send at a time asks whether it is over."""

    def __init__(self) -> None:
        self._closed_until = 0.0
        self._pause = FIRST_PAUSE
        self._limit: int | None = None
        self._tokens: float | None = None
        self._filled_at = 0.0
        self.down = False

    def allowance(self, now: float, *, parallel: int, running: int, rate: float | None) -> int:
        """How many sends may begin, with `running` under way; `rate` is messages a second, None for no limit."""
        if now < self._closed_until:
            return 0
        free = min(parallel, self._limit or parallel) - running
        if rate is not None and rate > 0:
            free = min(free, int(self._fill(now, rate)))
        return max(free, 0)

    def _fill(self, now: float, rate: float) -> float:
        """At most one second's worth is saved up, so that a quiet hour does not end in a burst."""
        room = max(1.0, rate)
        if self._tokens is None:
            self._tokens = 1.0
        else:
            self._tokens = min(room, self._tokens + max(0.0, now - self._filled_at) * rate)
        self._filled_at = now
        return self._tokens + 1e-9

    def wait(self, now: float, rate: float | None) -> float:
        """Seconds until `allowance` may have grown by itself; 0 when only the end of a send can change it."""
        if now < self._closed_until:
            return self._closed_until - now
        if rate and self._tokens is not None and self._tokens < 1:
            return (1 - self._tokens) / rate
        return 0.0

    def began(self, number: int) -> None:
        if self._tokens is not None:
            self._tokens -= number

    def succeeded(self, parallel: int) -> Turn | None:
        """A send came through: twice as many may run next, and the channel is up."""
        self._pause = FIRST_PAUSE
        if self._limit is not None:
            self._limit = None if self._limit * 2 >= parallel else self._limit * 2
        was_down, self.down = self.down, False
        return "online" if was_down else None

    def failed(self, error: SendError, now: float) -> Turn | None:
        """A send failed. Final errors are the message's own and change nothing here."""
        if not error.retry:
            return None
        self._limit = 1
        if error.effect == "none":
            self._close(now + AFTER_FAILURE)
            return None
        if now >= self._closed_until:
            self._close(now + self._length(error))
        was_down, self.down = self.down, True
        if error.effect == "stop":
            self._close(now + STOPPED_PAUSE)
            return "auth_failed"
        return None if was_down else "offline"

    def _length(self, error: SendError) -> float:
        """The provider's wish, or a pause that doubles each time it was not long enough."""
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        wish = error.retry_after or timedelta(0)
        return max(pause, min(wish.total_seconds(), LONGEST_WISH))

    def _close(self, until: float) -> None:
        self._closed_until = max(self._closed_until, until)

    def close_for(self, seconds: float, now: float) -> None:
        self._close(now + seconds)

    def reopen(self) -> None:
        """The settings changed: what was learned about the old ones is void."""
        self._closed_until, self._pause, self._limit = 0.0, FIRST_PAUSE, 1
