"""The message files of SMS Server Tools 3: headers, an empty line, the text (its manual, "SMS file format")."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# A file bigger than this is no SMS.
SIZE_LIMIT = 64 * 1024
HEADERS = 100
_LINE_ENDS = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class SmsdFile:
    """Headers by lower-case name, and the octets of the text."""

    headers: Mapping[str, str]
    body: bytes

    def get(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def text(self) -> str:
        """The text by its Alphabet header; UCS2 is big-endian whatever the headers are written in."""
        alphabet = self.get("alphabet")[:3].upper()
        if alphabet in ("UCS", "CHI", "UNI") and len(self.body) % 2 == 0:
            return self.body.decode("utf-16-be", "replace")
        name = {"UTF": "utf-8", "ISO": "iso8859-15", "LAT": "iso8859-15", "ANS": "iso8859-15"}.get(alphabet)
        if name is not None:
            return self.body.decode(name, "replace")
        try:
            return self.body.decode("utf-8")
        except UnicodeDecodeError:
            return self.body.decode("latin-1")


def read_file(path: Path) -> SmsdFile:
    """Never fails on what is written there; raises OSError when it cannot be read."""
    with path.open("rb") as file:
        return parse(file.read(SIZE_LIMIT))


def parse(octets: bytes) -> SmsdFile:
    """Headers end at the first empty line; a file without one is text."""
    head, found, body = octets.partition(b"\n\n")
    if octets.startswith(b"\n"):
        return SmsdFile({}, octets[1:])
    headers = {}
    for line in head.split(b"\n")[:HEADERS]:
        name, colon, value = line.partition(b":")
        if not colon:
            return SmsdFile({}, octets)
        headers[name.strip().lower().decode("latin-1")] = value.strip().decode("utf-8", "replace")
    return SmsdFile(headers, body if found else b"")


def compose(headers: Mapping[str, str], text: str) -> bytes:
    """A file to be sent, in UTF-8. Values are folded to one line: nothing in them becomes a header."""
    lines = [f"{name}: {_LINE_ENDS.sub(' ', value)}" for name, value in headers.items()]
    return ("\n".join(lines) + "\n\n" + text).encode("utf-8", "replace")


def put(octets: bytes, path: Path, work: Path) -> None:
    """Appear at `path` whole and durable, or not at all; `work` is a folder on the same file system."""
    work.mkdir(mode=0o700, exist_ok=True)
    made = work / path.name
    with made.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    # Other users' daemons have to read it.
    made.chmod(0o660)
    made.rename(path)
    sync(path.parent)


def sync(folder: Path) -> None:
    """A rename lasts when its folder is synced."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
