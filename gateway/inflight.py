"""Which text is being read right now, in a file that outlives the process, and which texts ended one.

The file is memory-mapped: the page cache keeps it when the process dies. Each slot holds a state byte, the monotonic
nanoseconds at which the reading began (CLOCK_MONOTONIC is one clock for all processes of a machine), and 16 bytes of
keyed hash. A text that was being read when its reader crashed or hung is poison: it is kept, never read again. A death
with another likely cause (power, kill -9) makes a suspect; the second such death makes poison of it.
"""

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from gateway.files import flush_directory

SLOTS = 8
SLOT = struct.Struct("<QQ16s")
SIZE = SLOT.size * SLOTS
IDLE, READING = 0, 1
FILES = 64


@dataclass(frozen=True, slots=True)
class Reading:
    """A text under way: its hash and since when, on the monotonic clock."""

    text: bytes
    since_ns: int


class InFlight:
    """The reading side's end. `begin` and `end` cost about a microsecond; slot 0 is the intake's, the rest are lent."""

    def __init__(self, path: Path, poison: "PoisonList | None" = None) -> None:
        self.path = path
        self.poison = poison or PoisonList(path.parent / "poison")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size != SIZE:
            os.ftruncate(self._file, SIZE)
        self._map = mmap.mmap(self._file, SIZE)
        self._free: SimpleQueue[int] = SimpleQueue()
        for slot in range(1, SLOTS):
            self._free.put(slot)

    def begin(self, text: bytes, slot: int = 0) -> None:
        """Say that the text with this 16-byte hash is read from now on."""
        SLOT.pack_into(self._map, slot * SLOT.size, READING, time.monotonic_ns(), text)

    def end(self, slot: int = 0) -> None:
        SLOT.pack_into(self._map, slot * SLOT.size, IDLE, 0, b"")

    @contextmanager
    def marked(self, text: bytes) -> Iterator[None]:
        """Like `begin` and `end`, in a slot of its own; blocks while none is free."""
        slot = self._free.get()
        self.begin(text, slot)
        try:
            yield
        finally:
            self.end(slot)
            self._free.put(slot)

    def is_poison(self, text: bytes) -> bool:
        return text in self.poison

    def under_way(self) -> list[Reading]:
        """What the slots hold; may be torn while another process writes, so look twice before acting."""
        slots = (SLOT.unpack_from(self._map, number * SLOT.size) for number in range(SLOTS))
        return [Reading(text, since) for state, since, text in slots if state == READING]

    def clear(self) -> None:
        for slot in range(SLOTS):
            self.end(slot)

    def close(self) -> None:
        self._map.close()
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class PoisonList:
    """Hashes of texts that ended a process, one a line with how often; flushed to the disk at each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0.0
        self._poison: frozenset[bytes] = frozenset()
        self.reload()

    def __contains__(self, text: bytes) -> bool:
        return text in self._poison

    def __bool__(self) -> bool:
        return True

    def reload(self) -> None:
        """Read the file again when another process changed it."""
        try:
            stamp = self._path.stat().st_mtime
        except FileNotFoundError:
            return
        if stamp != self._stamp:
            self._stamp = stamp
            self._poison = frozenset(text for text, times in self._read().items() if times > 1)

    def add(self, texts: Iterable[bytes], *, sure: bool) -> list[bytes]:
        """Note a death over each of `texts`; a `sure` one needs no second. Returns what is poison now."""
        texts = list(texts)
        found = self._read()
        for text in texts:
            found[text] = found.get(text, 0) + (2 if sure else 1)
        if texts:
            self._write(found)
        self.reload()
        return [text for text in texts if found[text] > 1]

    def _read(self) -> dict[bytes, int]:
        found: dict[bytes, int] = {}
        try:
            lines = self._path.read_text("ascii", "replace").splitlines()
        except FileNotFoundError:
            return found
        for line in lines:
            word, _, times = line.partition(" ")
            try:
                found[bytes.fromhex(word)] = int(times)
            except ValueError:
                continue
        return found

    def _write(self, found: dict[bytes, int]) -> None:
        temporary = self._path.with_suffix(".new")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.writelines(f"{text.hex()} {times}\n" for text, times in found.items())
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self._path)
        flush_directory(self._path.parent)


def own_file(folder: Path) -> tuple[Path, int]:
    """An in-flight file nobody alive holds, and the descriptor whose lock keeps it ours while it stays open."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(FILES):
        path = folder / f"inflight.{number}"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return path, lock
    raise OSError(f"{FILES} processes hold {folder}")
