"""Sealing of what people wrote and who they are: AES-GCM with the place of the value as associated data.

Sealed form: 1 byte version, 4 bytes key id, 12 bytes nonce, ciphertext with its 16-byte tag (NIST SP 800-38D).
The associated data is `table NUL column NUL row id`, so a value moved to another row does not open.
"""

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import KeyFileBroken, KeyFileMissing, WrongKey
from gateway.files import flush_directory

VERSION = b"\x01"
HEADER = 5
NONCE = 12
HASH_BYTES = 16
KEY_BYTES = 32


@dataclass(frozen=True)
class KeyRing:
    """Data keys by 4-byte id (hex), the id used for new values, and the key of the blind index."""

    current: str
    keys: dict[str, bytes] = field(repr=False)
    index: bytes = field(repr=False)

    @classmethod
    def new(cls) -> "KeyRing":
        key_id = secrets.token_hex(4)
        return cls(current=key_id, keys={key_id: secrets.token_bytes(KEY_BYTES)}, index=secrets.token_bytes(KEY_BYTES))

    def with_new_key(self) -> "KeyRing":
        """The same ring with one more data key, which seals from now on."""
        key_id = secrets.token_hex(4)
        return KeyRing(key_id, {**self.keys, key_id: secrets.token_bytes(KEY_BYTES)}, self.index)

    def without_old_keys(self) -> "KeyRing":
        return KeyRing(self.current, {self.current: self.keys[self.current]}, self.index)


def read_key_file(path: Path) -> KeyRing:
    """Raises KeyFileMissing or KeyFileBroken."""
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="ascii"))
        keys = {key_id: b64decode(value, validate=True) for key_id, value in document["keys"].items()}
        ring = KeyRing(document["current"], keys, b64decode(document["index"], validate=True))
    except FileNotFoundError as error:
        raise KeyFileMissing(path) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyFileBroken(path) from error
    if ring.current not in keys or any(len(key) != KEY_BYTES for key in (*keys.values(), ring.index)):
        raise KeyFileBroken(path)
    return ring


def write_key_file(path: Path, ring: KeyRing) -> None:
    """Write atomically with mode 0600 and flush to the disk before it takes the old file's place."""
    document = {
        "version": 1,
        "current": ring.current,
        "keys": {key_id: b64encode(key).decode() for key_id, key in ring.keys.items()},
        "index": b64encode(ring.index).decode(),
    }
    temporary = path.with_name(path.name + ".new")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        json.dump(document, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    flush_directory(path.parent)


class Sealer:
    """Seals and opens single values and makes keyed hashes. Safe to share between threads.

    With `path` it follows the key file: a value of a key it does not know makes it look there again, so that a
    running process goes on through a rotation.
    """

    def __init__(self, ring: KeyRing, path: Path | None = None) -> None:
        self._path = path
        self._seen = _changed_at(path)
        self._index = hmac.new(ring.index, digestmod=hashlib.sha256)
        self._adopt(ring)

    def _adopt(self, ring: KeyRing) -> None:
        self._ciphers = {bytes.fromhex(key_id): AESGCM(key) for key_id, key in ring.keys.items()}
        current = bytes.fromhex(ring.current)
        self._sealing = (VERSION + current, self._ciphers[current])

    def follow(self) -> None:
        """Take up the keys of the key file when it was changed; a file that cannot be read changes nothing."""
        changed = _changed_at(self._path)
        if self._path is None or changed is None or changed == self._seen:
            return
        try:
            ring = read_key_file(self._path)
        except (KeyFileMissing, KeyFileBroken):
            return
        self._seen = changed
        self._adopt(ring)

    def seal(self, table: str, column: str, row_id: UUID, value: str) -> bytes:
        nonce = os.urandom(NONCE)
        plain = value.encode("utf-8", "surrogatepass")
        prefix, cipher = self._sealing
        return prefix + nonce + cipher.encrypt(nonce, plain, _place(table, column, row_id))

    def seal_optional(self, table: str, column: str, row_id: UUID, value: str | None) -> bytes | None:
        return None if value is None else self.seal(table, column, row_id, value)

    def open(self, table: str, column: str, row_id: UUID, sealed: bytes) -> str:
        """Raises WrongKey when the value was sealed with a key not in the ring, moved, or changed."""
        cipher = self._ciphers.get(sealed[1:HEADER])
        if cipher is None:
            self.follow()
            cipher = self._ciphers.get(sealed[1:HEADER])
        if sealed[:1] != VERSION or cipher is None:
            raise WrongKey
        nonce, body = sealed[HEADER : HEADER + NONCE], sealed[HEADER + NONCE :]
        try:
            plain = cipher.decrypt(nonce, body, _place(table, column, row_id))
        except InvalidTag as error:
            raise WrongKey from error
        return plain.decode("utf-8", "surrogatepass")

    def open_optional(self, table: str, column: str, row_id: UUID, sealed: bytes | None) -> str | None:
        return None if sealed is None else self.open(table, column, row_id, sealed)

    def needs_reseal(self, sealed: bytes) -> bool:
        """True when the value is not sealed with the current key."""
        return sealed[:HEADER] != self._sealing[0]

    def hash(self, purpose: str, value: str) -> bytes:
        """16 bytes of HMAC-SHA256 over `purpose NUL value`: finds a value without telling it."""
        digest = self._index.copy()
        digest.update(purpose.encode() + b"\0" + value.encode("utf-8", "surrogatepass"))
        return digest.digest()[:HASH_BYTES]

    def tag(self, value: str) -> str:
        """Eight hex digits that stand for a number or address in logs."""
        return self.hash("log", value)[:4].hex()


def _changed_at(path: Path | None) -> tuple[int, int] | None:
    """What tells one version of a file from another."""
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_ino) if found else None


def _place(table: str, column: str, row_id: UUID) -> bytes:
    return f"{table}\0{column}\0".encode() + row_id.bytes
