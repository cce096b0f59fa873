"""Where a person is reached, written as a URI: `tel:+50255550101` (RFC 3966) or `mailto:ana@example.org` (RFC 6068)."""

import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers

AddressKind = Literal["tel", "mailto"]
SenderKind = Literal["phone", "short_code", "alpha", "mail", "unknown"]

MAIL_LENGTH = 254
LOCAL_LENGTH = 64
SHOWN_LENGTH = 64

# Possible is not enough where a country's plan has one length only: libphonenumber also knows Guatemala's 11-digit
# toll-free numbers, and would read a foreign number that lost its plus sign as one of them.
NATIONAL_LENGTH = {502: 8}

# What most providers send needs no look into the tables, which takes forty times as long.
_COMPLETE = re.compile("|".join(rf"\+{code}\d{{{length}}}" for code, length in NATIONAL_LENGTH.items()), re.ASCII)
_PHONE = re.compile(r"\s*\+?[\d\s().\-/\u00a0\u2010-\u2015\u2212]{6,30}\s*", re.ASCII)
_NOT_DIGIT = re.compile(r"\D+", re.ASCII)
_SHORT_CODE = re.compile(r"\+?\d{3,7}", re.ASCII)
_ALPHA = re.compile(r"[A-Za-z0-9 ._&-]{1,11}")
_BRACKETED = re.compile(r"[^<>\r\n]{0,200}<([^<>\r\n]{3,254})>")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A phone (`kind` tel, `value` in E.164) or a mailbox (`kind` mailto). `str()` gives the URI."""

    kind: AddressKind
    value: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"

    @classmethod
    def of_phone(cls, text: str, *, region: str = "GT") -> "Address":
        """Raises ValueError when `text` holds no phone number."""
        phone = parse_phone(text, region=region)
        if phone is None:
            raise ValueError("not a phone number")
        return cls("tel", phone)

    @classmethod
    def of_mail(cls, text: str) -> "Address":
        """Raises ValueError when `text` holds no e-mail address."""
        mail = parse_mail(text)
        if mail is None:
            raise ValueError("not an e-mail address")
        return cls("mailto", mail)

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read a `tel:` or `mailto:` URI. Raises ValueError on anything else."""
        scheme, _, rest = text.partition(":")
        if scheme == "tel":
            return cls.of_phone(rest)
        if scheme == "mailto":
            return cls.of_mail(rest)
        raise ValueError("neither tel: nor mailto:")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a provider says a text came from: normalized, free of control characters, at most 64 characters."""

    value: str
    kind: SenderKind

    @property
    def address(self) -> Address | None:
        """Where an answer can go; None for short codes, names and nonsense."""
        if self.kind == "phone":
            return Address("tel", self.value)
        if self.kind == "mail":
            return Address("mailto", self.value)
        return None

    @property
    def replyable(self) -> bool:
        return self.kind in ("phone", "mail")


def parse_phone(text: str, *, region: str = "GT") -> str | None:
    """E.164 (ITU-T E.164, `+50255550101`) of a number written nationally, with 00, with +, or with a bare country code.

    A possible number is enough: plans grow faster than the tables that list them.
    """
    if _COMPLETE.fullmatch(text):
        return text
    if not _PHONE.fullmatch(text):
        return None
    digits = _NOT_DIGIT.sub("", text)
    if text.lstrip().startswith("+"):
        return _checked(f"+{digits}", None)
    if digits.startswith("00"):
        return _checked(f"+{digits[2:]}", None)
    country = phonenumbers.country_code_for_region(region)
    if len(digits) == NATIONAL_LENGTH.get(country, 0):
        return _checked(f"+{country}{digits}", None)
    return _checked(f"+{digits}", None) if len(digits) > 10 else _checked(digits, region)


def _checked(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    length = NATIONAL_LENGTH.get(number.country_code or 0)
    if length is not None and len(phonenumbers.national_significant_number(number)) != length:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def parse_mail(text: str) -> str | None:
    """The address of `ana@example.org` or `Ana <ana@example.org>`, lower-cased; None when there is none.

    The part before @ is lower-cased too: no host in use tells mailboxes apart by case, and people
    write theirs both ways. Bounds are those of RFC 5321 4.5.3.1; quoted local parts are not taken, international
    domains become IDNA.
    """
    bracketed = _BRACKETED.fullmatch(text.strip(" \t"))
    local, at, domain = (bracketed[1] if bracketed else text).strip(" \t").rpartition("@")
    if not at or len(local) > LOCAL_LENGTH or not _LOCAL.fullmatch(local):
        return None
    ascii_domain = _ascii_domain(domain)
    if ascii_domain is None or len(local) + 1 + len(ascii_domain) > MAIL_LENGTH:
        return None
    return f"{local.lower()}@{ascii_domain}"


def _ascii_domain(domain: str) -> str | None:
    try:
        name = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = name.split(".")
    if len(labels) < 2 and name != "localhost":
        return None
    return name if all(_LABEL.fullmatch(label) for label in labels) else None


def parse_sender(text: str, *, region: str = "GT") -> Sender:
    """Read the sender field of a provider, whatever stands in it. Never raises; only phone and mail can be answered."""
    shown = _UNSHOWN.sub(" ", text[: SHOWN_LENGTH * 4]).strip()[:SHOWN_LENGTH]
    if shown != text.strip():
        return Sender(shown, "unknown")
    if _SHORT_CODE.fullmatch(shown):
        return Sender(shown.lstrip("+"), "short_code")
    bare = shown.removeprefix("tel:").removeprefix("mailto:")
    if phone := parse_phone(bare, region=region):
        return Sender(phone, "phone")
    if mail := parse_mail(bare):
        return Sender(mail, "mail")
    return Sender(shown, "alpha" if _ALPHA.fullmatch(shown) and not shown.isdigit() else "unknown")
