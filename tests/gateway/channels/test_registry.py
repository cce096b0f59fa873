"""Channels as rows: made, changed, taken away, and what is refused in words."""

from typing import Any

import pytest
from uuid_utils.compat import uuid7

from gateway import audit
from gateway.channels import CHANNELS, registry
from gateway.errors import Conflict, NotFound, UsageError
from gateway.house import House, config_stamp
from outbox.queue import NewMessage, enqueue

TWILIO = {"account_sid": "AC1", "auth_token": "secret-of-the-test", "from": "+15005550006"}


def add(house: House, kind: str, name: str, **values: str) -> None:
    house.writer.write_now(
        lambda conn: registry.add(
            conn, house.sealer, kind=kind, name=name, values=values, at=house.clock(), actor="test"
        )
    )


def change(house: House, name: str, **values: str) -> None:
    house.writer.write_now(
        lambda conn: registry.change(conn, house.sealer, name=name, values=values, at=house.clock(), actor="test")
    )


def only(house: House) -> Any:
    (found,) = house.read_now(lambda conn: registry.load(conn, house.sealer))
    return found


def test_a_channel_comes_back_as_it_was_made_and_its_secret_is_sealed(house: House) -> None:
    before = house.read_now(config_stamp)
    add(house, "twilio", "sms", **TWILIO)
    found = only(house)
    assert (found.kind, found.state, found.get("auth_token")) == ("twilio", "active", "secret-of-the-test")
    assert "auth_token" not in found.config
    assert "secret-of-the-test" not in repr(found)
    row = house.read_now(lambda conn: registry._row(conn, "sms"))
    assert b"secret-of-the-test" not in row.secrets_sealed
    assert house.read_now(config_stamp) > before
    assert house.read_now(audit.first_broken) is None


REFUSED: dict[str, tuple[str, str, dict[str, str], str]] = {
    "an unknown kind": ("pigeon", "sms", {}, "there are twilio"),
    "an unknown setting": ("http", "telco", {"token": "x", "colour": "red"}, "colour"),
    "a needed setting left out": ("twilio", "sms", {"auth_token": "x"}, "account_sid"),
    "an empty token": ("http", "telco", {"token": " "}, "token"),
    "a name with a slash": ("http", "a/b", {"token": "x"}, "small letters"),
    "a name of 70 letters": ("http", "a" * 70, {"token": "x"}, "small letters"),
    "an address that is none": ("http", "telco", {"token": "x", "send_url": "ftp://a"}, "send_url"),
    "an address with a password": ("http", "telco", {"token": "x", "send_url": "http://u:p@a/"}, "send_url"),
    "an address of a broken host": ("http", "telco", {"token": "x", "send_url": "http://[::1/"}, "send_url"),
    "a port that is none": ("smtp", "correo", {"listen": "127.0.0.1:x"}, "HOST:PORT"),
    "a port beyond all": ("smtp", "correo", {"listen": "127.0.0.1:70000"}, "HOST:PORT"),
    "no host": ("smtp", "correo", {"lmtp": ":8024"}, "HOST:PORT"),
    "a word for tls that is none": ("smtp", "correo", {"tls": "maybe"}, "starttls"),
    "a mail address that is none": ("smtp", "correo", {"from": "vocero"}, "e-mail"),
    "an account of another firm": ("twilio", "sms", {**TWILIO, "account_sid": "X1"}, "AC"),
}


def test_what_cannot_stand_is_refused_in_words(house: House) -> None:
    told = {}
    for label, (kind, name, values, _) in REFUSED.items():
        with pytest.raises(UsageError) as refused:
            add(house, kind, name, **values)
        told[label] = str(refused.value)
    assert [label for label, row in REFUSED.items() if row[3] not in told[label]] == []
    assert house.read_now(lambda conn: registry.load(conn, house.sealer)) == []


def test_a_name_in_use_is_refused(house: House) -> None:
    add(house, "twilio", "sms", **TWILIO)
    with pytest.raises(Conflict):
        add(house, "simulator", "sms")


def test_a_change_keeps_what_it_does_not_name(house: House) -> None:
    add(house, "twilio", "sms", **TWILIO)
    change(house, "sms", auth_token="another")
    assert (only(house).get("auth_token"), only(house).get("from")) == ("another", "+15005550006")
    change(house, "sms", auth_token=registry.KEEP, **{"from": ""})
    assert (only(house).get("auth_token"), only(house).get("from")) == ("another", "")


def test_a_needed_setting_cannot_be_taken_away(house: House) -> None:
    add(house, "twilio", "sms", **TWILIO)
    with pytest.raises(UsageError):
        change(house, "sms", auth_token="")


def test_a_channel_with_waiting_messages_is_not_removed(house: House) -> None:
    add(house, "simulator", "phone")
    message = NewMessage(id=uuid7(), kind="notice", channel="phone", to="tel:+50255550101", text="hola")
    house.writer.write_now(lambda conn: enqueue(conn, [message], seals=house.sealer, now=house.clock()))
    with pytest.raises(Conflict):
        house.writer.write_now(lambda conn: registry.remove(conn, name="phone", at=house.clock(), actor="test"))


def test_a_channel_is_removed_and_then_unknown(house: House) -> None:
    add(house, "simulator", "phone")
    house.writer.write_now(lambda conn: registry.remove(conn, name="phone", at=house.clock(), actor="test"))
    with pytest.raises(NotFound):
        change(house, "phone")


def test_every_kind_is_listed_under_its_own_name() -> None:
    assert {name: kind.name for name, kind in CHANNELS.items()} == {name: name for name in CHANNELS}
