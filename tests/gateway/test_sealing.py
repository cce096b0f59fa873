from pathlib import Path
from uuid import uuid4

import pytest

from gateway.errors import KeyFileBroken, KeyFileMissing, WrongKey
from gateway.sealing import KeyRing, Sealer, read_key_file, write_key_file


def test_what_was_sealed_opens_only_in_its_own_place() -> None:
    sealer, row = Sealer(KeyRing.new()), uuid4()
    sealed = sealer.seal("message", "text", row, "INC ROB")
    assert sealer.open("message", "text", row, sealed) == "INC ROB"
    for place in (("message", "sender", row), ("report", "text", row), ("message", "text", uuid4())):
        with pytest.raises(WrongKey):
            sealer.open(*place, sealed)


def test_one_flipped_bit_does_not_open() -> None:
    sealer, row = Sealer(KeyRing.new()), uuid4()
    sealed = bytearray(sealer.seal("message", "text", row, "INC ROB"))
    sealed[-1] ^= 1
    with pytest.raises(WrongKey):
        sealer.open("message", "text", row, bytes(sealed))


def test_the_same_text_never_looks_the_same() -> None:
    sealer, row = Sealer(KeyRing.new()), uuid4()
    assert sealer.seal("message", "text", row, "x") != sealer.seal("message", "text", row, "x")


def test_a_lone_surrogate_survives() -> None:
    sealer, row = Sealer(KeyRing.new()), uuid4()
    assert sealer.open("message", "text", row, sealer.seal("message", "text", row, "a\ud800b")) == "a\ud800b"


def test_a_new_key_opens_what_the_old_one_sealed_until_the_old_one_goes() -> None:
    old, row = KeyRing.new(), uuid4()
    sealed = Sealer(old).seal("message", "text", row, "x")
    both = old.with_new_key()
    assert Sealer(both).open("message", "text", row, sealed) == "x"
    assert Sealer(both).needs_reseal(sealed)
    with pytest.raises(WrongKey):
        Sealer(both.without_old_keys()).open("message", "text", row, sealed)


def test_hashes_depend_on_key_and_purpose() -> None:
    ring = KeyRing.new()
    assert Sealer(ring).hash("address", "x") == Sealer(ring.with_new_key()).hash("address", "x")
    assert Sealer(ring).hash("address", "x") != Sealer(ring).hash("fold", "x")
    assert Sealer(ring).hash("address", "x") != Sealer(KeyRing.new()).hash("address", "x")


def test_the_key_file_is_read_back(tmp_path: Path) -> None:
    ring = KeyRing.new()
    write_key_file(tmp_path / "k", ring)
    assert read_key_file(tmp_path / "k") == ring
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": {}, "current": "x", "index": ""}', '{"keys": 1}'])
def test_a_broken_key_file_says_so(tmp_path: Path, content: str) -> None:
    (tmp_path / "k").write_text(content)
    with pytest.raises(KeyFileBroken):
        read_key_file(tmp_path / "k")
    with pytest.raises(KeyFileMissing):
        read_key_file(tmp_path / "none")
