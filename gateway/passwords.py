"""Passwords: argon2id, one at a time on a thread of its own; a Raspberry Pi takes a second for each."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.errors import Busy

T = TypeVar("T")

SHORTEST = 12
LONGEST = 256
DIFFERENT = 5
WAITING_AT_MOST = 16
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertyuiop1234567890")


class Passwords:
    """Hashes and checks off the event loop. Raises Busy when too many wait."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._pool = ThreadPoolExecutor(1, "argon2")
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        return await self._alone(lambda: self._hasher.hash(password))

    async def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; takes the same time when there is none stored."""
        return await self._alone(lambda: self._fits(stored, password))

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _fits(self, stored: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody has this password")
        try:
            return self._hasher.verify(stored or self._nobody, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _alone(self, job: Callable[[], T]) -> T:
        if self._waiting >= WAITING_AT_MOST:
            raise Busy("passwords")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, job)
        finally:
            self._waiting -= 1


def weakness(password: str, name: str) -> str | None:
    """Why a new password will not do: `short`, `long`, `name` or `simple`; None when it will.

    Length is what counts (ASVS 5.0 6.2.1, 6.2.5): no rules about sorts of characters.
    """
    plain = password.casefold()
    if len(password) < SHORTEST:
        return "short"
    if len(password) > LONGEST:
        return "long"
    if name and name.casefold() in plain and not plain.replace(name.casefold(), "").strip("0123456789 .-_!"):
        return "name"
    if len(set(plain)) < DIFFERENT or any(plain in run or plain in run[::-1] for run in _RUNS) or _repeats(plain):
        return "simple"
    return None


def _repeats(text: str) -> bool:
    """True for one short piece said again and again, such as `hola1hola1hola1`."""
    return text in (text + text)[1:-1]
