import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.address import Address, parse_mail, parse_phone, parse_sender

PHONES = {
    "eight digits": ("55550101", "+50255550101"),
    "with a space": ("5555 0101", "+50255550101"),
    "with a dash": ("5555-0101", "+50255550101"),
    "with a long dash": ("5555–0101", "+50255550101"),
    "country code without plus": ("50255550101", "+50255550101"),
    "with 00": ("0050255550101", "+50255550101"),
    "with plus": ("+502 5555 0101", "+50255550101"),
    "brackets": ("(502) 5555-0101", "+50255550101"),
    "not in the plan's tables": ("12345678", "+50212345678"),
    "Canada": ("+1 514 555 0123", "+15145550123"),
    "Canada without plus": ("15145550123", "+15145550123"),
    "Mexico with 00": ("00525512345678", "+525512345678"),
    "seven digits": ("5555010", None),
    "nine digits of Guatemala": ("+502555501012", None),
    "eleven digits of Guatemala": ("+50218001234567", None),
    "thirty digits": ("5" * 30, None),
    "letters": ("1800FLOWERS", None),
    "empty": ("", None),
    "spaces": ("          ", None),
    "only a plus": ("+", None),
    "SQL": ("55550101'; DROP TABLE message; --", None),
    "digits of another script": ("٥٥٥٥٠١٠١", None),
    "line break": ("5555\n0101\r\nBcc: x", None),
}


@pytest.mark.parametrize(("text", "expected"), PHONES.values(), ids=PHONES)
def test_a_phone_number_is_read_however_it_is_written(text: str, expected: str | None) -> None:
    assert parse_phone(text) == expected


def test_a_national_number_follows_the_region() -> None:
    assert parse_phone("514 555 0123", region="CA") == "+15145550123"


MAILS = {
    "plain": ("ana@example.org", "ana@example.org"),
    "capitals": ("Ana.Lux@Example.ORG", "ana.lux@example.org"),
    "with a name": ("Ana Lux <ana@example.org>", "ana@example.org"),
    "quoted name with comma": ('"Lux, Ana" <ana@example.org>', "ana@example.org"),
    "plus address": ("gateway+abc@example.org", "gateway+abc@example.org"),
    "international domain": ("ana@peña.example", "ana@xn--pea-8ma.example"),
    "localhost": ("ana@localhost", "ana@localhost"),
    "no at": ("ana.example.org", None),
    "no host": ("ana@", None),
    "no local part": ("@example.org", None),
    "two addresses": ("a@example.org, b@example.org", None),
    "line break": ("ana@example.org\r\nBcc: eve@example.org", None),
    "line break in the name": ("Ana\n <ana@example.org>", None),
    "space inside": ("ana lux@example.org", None),
    "two dots": ("ana..lux@example.org", None),
    "dot in front": (".ana@example.org", None),
    "label with a dash at the end": ("ana@example-.org", None),
    "local part too long": ("a" * 65 + "@example.org", None),
    "too long": ("a@" + ".".join(["b" * 60] * 5), None),
    "empty label": ("ana@example..org", None),
    "angle brackets twice": ("<a@example.org> <b@example.org>", None),
    "NUL": ("ana\x00@example.org", None),
}


@pytest.mark.parametrize(("text", "expected"), MAILS.values(), ids=MAILS)
def test_an_email_address_is_read_bounded_and_on_one_line(text: str, expected: str | None) -> None:
    assert parse_mail(text) == expected


SENDERS = {
    "number": ("+50255550101", "phone", "+50255550101"),
    "number without plus": ("50255550101", "phone", "+50255550101"),
    "URI": ("tel:+50255550101", "phone", "+50255550101"),
    "mail": ("Ana <ana@example.org>", "mail", "ana@example.org"),
    "short code": ("1234", "short_code", "1234"),
    "five digits": ("24365", "short_code", "24365"),
    "operator": ("TIGO", "alpha", "TIGO"),
    "operator with a space": ("Claro GT", "alpha", "Claro GT"),
    "anonymous": ("anonymous", "alpha", "anonymous"),
    "empty": ("", "unknown", ""),
    "thirty digits": ("1" * 30, "unknown", "1" * 30),
    "two digits": ("12", "unknown", "12"),
    "SQL": ("'; DROP TABLE x; --", "unknown", "'; DROP TABLE x; --"),
    "control characters": ("TI\x00GO\r\nX: y", "unknown", "TI GO X: y"),
    "a number hidden behind a line break": ("+50255550101\nX", "unknown", "+50255550101 X"),
    "very long": ("x" * 5000, "unknown", "x" * 64),
}


@pytest.mark.parametrize(("text", "kind", "value"), SENDERS.values(), ids=SENDERS)
def test_a_sender_field_is_read_whatever_stands_in_it(text: str, kind: str, value: str) -> None:
    sender = parse_sender(text)
    assert (sender.kind, sender.value) == (kind, value)
    assert sender.replyable is (kind in ("phone", "mail"))
    assert (sender.address is not None) is sender.replyable


@given(st.text(max_size=400))
def test_no_sender_field_raises_or_grows(text: str) -> None:
    sender = parse_sender(text)
    assert len(sender.value) <= 254
    assert not any(ord(c) < 32 for c in sender.value)


def test_an_address_reads_back_from_its_own_string() -> None:
    for address in (Address.of_phone("5555 0101"), Address.of_mail("Ana@example.org")):
        assert Address.parse(str(address)) == address
    assert str(Address.of_phone("5555 0101")) == "tel:+50255550101"


@pytest.mark.parametrize("text", ["", "tel:", "tel:abc", "mailto:x", "sms:+50255550101", "+50255550101"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Address.parse(text)
