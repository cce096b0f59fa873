"""Checks of channel settings: each gives the value as it is kept, or raises SettingError saying what to do."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from gateway.channels.base import SettingError
from outbox.address import parse_mail, parse_sender


def http_url(value: str) -> str:
    """An http or https address without credentials or fragment."""
    value = value.strip()
    try:
        parts = urlsplit(value)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        port_fits = False
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.fragment or not port_fits:
        raise SettingError("must be an address like https://example.org/path")
    return value


def endpoint(value: str) -> str:
    """`HOST:PORT`, IPv6 hosts in brackets."""
    host, port = split_endpoint(value)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_endpoint(value: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; raises SettingError."""
    host, _, port = value.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or int(port[:6]) > 65535:
        raise SettingError("must be HOST:PORT, such as 127.0.0.1:8025")
    if ":" in host:
        try:
            ip_address(host)
        except ValueError as error:
            raise SettingError("must be HOST:PORT, such as 127.0.0.1:8025") from error
    return host, int(port)


def port(value: str) -> str:
    number = value.strip()
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) <= 65535):
        raise SettingError("must be a port from 1 to 65535")
    return number


def mail_address(value: str) -> str:
    if parse_mail(value) is None:
        raise SettingError("must be an e-mail address")
    return value.strip()


def sms_sender(value: str) -> str:
    """A phone with country code, a short code, or a name of up to eleven letters."""
    sender = parse_sender(value.strip())
    if sender.kind not in ("phone", "short_code", "alpha"):
        raise SettingError("must be a number with + and country code")
    return sender.value


def sms_numbers(value: str) -> str:
    """Numbers with country code or short codes, with commas between."""
    return ",".join(sms_sender(one) for one in value.split(",") if one.strip())


def twilio_sender(value: str) -> str:
    """A number, or a messaging service (MG and 32 hexadecimal digits)."""
    return value.strip() if re.fullmatch(r"MG[0-9a-fA-F]{32}", value.strip()) else sms_sender(value)


def account_sid(value: str) -> str:
    if not re.fullmatch(r"AC[0-9A-Za-z]{1,62}", value.strip()):
        raise SettingError("must begin with AC, as the provider's console shows it")
    return value.strip()


def secret(value: str) -> str:
    if not value.strip():
        raise SettingError("must not be empty")
    return value.strip()


def one_of(*words: str) -> Callable[[str], str]:
    """A check that the value is one of `words`."""

    def check(value: str) -> str:
        if value.strip().lower() not in words:
            raise SettingError(f"must be one of {', '.join(words)}")
        return value.strip().lower()

    return check


def number(low: int, high: int) -> Callable[[str], str]:
    """A check that the value is a whole number from `low` to `high`."""

    def check(value: str) -> str:
        digits = value.strip()
        if not (digits.isascii() and digits.isdigit() and low <= int(digits[:9]) <= high):
            raise SettingError(f"must be a whole number from {low} to {high}")
        return digits

    return check


def at_most(length: int) -> Callable[[str], str]:
    """A check that the value is plain ASCII of at most `length` characters."""

    def check(value: str) -> str:
        if not value.strip() or not value.strip().isascii() or len(value.strip()) > length:
            raise SettingError(f"must have 1 to {length} plain characters")
        return value.strip()

    return check


def folder(value: str) -> str:
    """An absolute path."""
    if not value.strip().startswith("/") or "\0" in value:
        raise SettingError("must be a path that begins with /")
    return value.strip()


def zone(value: str) -> str:
    if value.strip() not in available_timezones():
        raise SettingError("must be a time zone such as America/Guatemala")
    return value.strip()
