"""The Twilio door: what is signed is heard, everything else is refused."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from twilio.request_validator import HMAC_SHA256, RequestValidator

from gateway.channels.base import ChannelConfig, ChannelError, HttpCall, StatusReport
from gateway.channels.forms import FORM
from gateway.channels.twilio import TwilioDoor

NOW = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
URL = "https://vocero.example.org/in/sms"
TOKEN = "12345"
CONFIG = ChannelConfig(uuid4(), "sms", "twilio", {"account_sid": "AC1"}, {"auth_token": TOKEN})
TEXT = {
    "MessageSid": "SM1", "SmsSid": "SM1", "AccountSid": "AC1", "From": "+50255550101", "To": "+15005550006",
    "Body": "inc rob nebaj ayer 2 heridos ñ", "NumMedia": "0", "ApiVersion": "2010-04-01",
}  # fmt: skip
OURS = UUID("0198c0de-0000-7000-8000-000000000001")


def signed(
    fields: dict[str, str] | list[tuple[str, str]], *, url: str = URL, signed_url: str | None = None,
    token: str = TOKEN, headers: dict[bytes, bytes] | None = None,
) -> HttpCall:  # fmt: skip
    """A call as Twilio makes it, signed by Twilio's own library."""
    multi = Multi(list(fields.items()) if isinstance(fields, dict) else fields)
    signature = RequestValidator(token).compute_signature(signed_url or url, multi)
    found = {b"x-twilio-signature": signature.encode(), **(headers or {})}
    query = url.partition("?")[2].encode()
    return HttpCall(url, FORM, found, query, urlencode(multi.pairs).encode())


class Multi:
    """A multidict as the library knows it."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def __iter__(self):
        return iter({name for name, _ in self.pairs})

    def getlist(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]


def test_the_published_example_fits_its_signature() -> None:
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security"""
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212", "AccountSid": "",
    }  # fmt: skip
    del fields["AccountSid"]
    call = HttpCall(
        url, FORM, {b"x-twilio-signature": b"RSOYDt4T1cUTdK1PDd93/VVr8B8="}, b"", urlencode(fields).encode()
    )
    with pytest.raises(ChannelError) as refused:
        TwilioDoor(CONFIG).hear(call, NOW)
    assert refused.value.code == "other_account"


HEARD = {
    "plain": signed(TEXT),
    "the port of https in the signed address": signed(TEXT, signed_url="https://vocero.example.org:443/in/sms"),
    "query in the address": signed(TEXT, url=URL + "?a=1&b=%C3%B1"),
    "a field nobody knew before": signed({**TEXT, "FromCountry": "GT", "Novelty": "¿?"}),
    "a field that stands three times": signed([*TEXT.items(), ("Tag", "b"), ("Tag", "a"), ("Tag", "b")]),
    "an empty field": signed({**TEXT, "FromZip": ""}),
    "media that nobody fetches": signed({**TEXT, "NumMedia": "99", "MediaUrl0": "http://169.254.169.254/latest"}),
}


@pytest.mark.parametrize("label", HEARD)
def test_a_signed_call_is_heard(label: str) -> None:
    incoming = TwilioDoor(CONFIG).hear(HEARD[label], NOW)
    assert incoming.sender == "tel:+50255550101"
    assert incoming.text == TEXT["Body"]
    assert incoming.external_id == "SM1"
    assert incoming.heard_at == NOW


def test_a_shared_key_with_sha256_is_heard() -> None:
    settings = b"key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    plain = signed(TEXT)
    signature = RequestValidator(TOKEN).compute_signature(URL, Multi(list(TEXT.items())), HMAC_SHA256).encode()
    headers = {b"x-twilio-signature": signature, b"x-twilio-webhooks-signature-settings": settings}
    assert TwilioDoor(CONFIG).hear(replace(plain, headers=headers), NOW).text == TEXT["Body"]


REFUSED = {
    "no signature": (replace(signed(TEXT), headers={}), 403),
    "empty signature": (replace(signed(TEXT), headers={b"x-twilio-signature": b""}), 403),
    "signature of another token": (signed(TEXT, token="54321"), 403),
    "another path": (signed(TEXT, signed_url=URL + "2"), 403),
    "http instead of https": (signed(TEXT, signed_url=URL.replace("https", "http")), 403),
    "a changed body": (replace(signed(TEXT), body=urlencode({**TEXT, "Body": "hola"}).encode()), 403),
    "another account, well signed": (signed({**TEXT, "AccountSid": "AC2"}), 403),
    "an algorithm nobody knows": (
        signed(TEXT, headers={b"x-twilio-webhooks-signature-settings": b"key=k,algorithm=MD5"}), 403,
    ),
    "not ASCII as a signature": (replace(signed(TEXT), headers={b"x-twilio-signature": "ñ".encode()}), 403),
    "no MessageSid": (signed({"AccountSid": "AC1", "From": "+50255550101", "Body": "x"}), 400),
    "a thousand fields": (signed({**TEXT, **{f"F{n}": "" for n in range(1000)}}), 400),
}  # fmt: skip


@pytest.mark.parametrize("label", REFUSED)
def test_anything_else_is_refused(label: str) -> None:
    call, status = REFUSED[label]
    with pytest.raises(ChannelError) as refused:
        TwilioDoor(CONFIG).hear(call, NOW)
    assert refused.value.status == status


def test_an_empty_token_never_opens_the_door() -> None:
    door = TwilioDoor(replace(CONFIG, secrets={"auth_token": ""}))
    with pytest.raises(ChannelError) as refused:
        door.hear(signed(TEXT, token=""), NOW)
    assert refused.value.status == 503


SENDERS = {
    "a number": ("+50255550101", "tel:+50255550101"),
    "spaces and 00502": ("00502 5555 0101", "tel:+50255550101"),
    "a name": ("TIGO", "raw:TIGO"),
    "a short code": ("1234", "raw:1234"),
    "nothing": ("", "raw:"),
    "thirty digits": ("1" * 30, "raw:" + "1" * 30),
    "SQL": ("'; DROP TABLE message;--", "raw:'; DROP TABLE message;--"),
}


@pytest.mark.parametrize("label", SENDERS)
def test_a_sender_is_an_address_or_raw_words(label: str) -> None:
    given, wanted = SENDERS[label]
    assert TwilioDoor(CONFIG).hear(signed({**TEXT, "From": given}), NOW).sender == wanted


RECEIPTS = {
    "sent": ({"MessageStatus": "sent"}, StatusReport("sent", OURS, "SM9")),
    "delivered": ({"MessageStatus": "delivered"}, StatusReport("delivered", OURS, "SM9")),
    "read": ({"MessageStatus": "read"}, StatusReport("delivered", OURS, "SM9")),
    "the old name of the field": ({"SmsStatus": "delivered"}, StatusReport("delivered", OURS, "SM9")),
    "undelivered": (
        {"MessageStatus": "undelivered", "ErrorCode": "30003"},
        StatusReport("failed", OURS, "SM9", "30003"),
    ),
    "failed": ({"MessageStatus": "failed", "ErrorCode": "30007"}, StatusReport("failed", OURS, "SM9", "30007")),
    "stopped by the person": (
        {"MessageStatus": "failed", "ErrorCode": "21610"},
        StatusReport("failed", OURS, "SM9", "opted_out"),
    ),
    "a step on the way": ({"MessageStatus": "sending"}, None),
    "a status of tomorrow": ({"MessageStatus": "teleported"}, None),
    "no status": ({}, None),
}


@pytest.mark.parametrize("label", RECEIPTS)
def test_a_receipt_says_what_became_of_a_message(label: str) -> None:
    fields, wanted = RECEIPTS[label]
    call = signed({"MessageSid": "SM9", "AccountSid": "AC1", **fields}, url=f"{URL}/status?m={OURS}")
    assert TwilioDoor(CONFIG).receipt(call) == wanted


@pytest.mark.parametrize("query", ["", "?m=", "?m=nonsense", "?x=1"])
def test_a_receipt_without_our_id_is_found_by_the_providers(query: str) -> None:
    call = signed({"MessageSid": "SM9", "AccountSid": "AC1", "MessageStatus": "sent"}, url=f"{URL}/status{query}")
    assert TwilioDoor(CONFIG).receipt(call) == StatusReport("sent", None, "SM9")


SERVICE = "MG" + "0" * 32
NUMBERS: dict[str, tuple[dict[str, str], dict[str, str], bool]] = {
    "our number": ({"from": "+15005550006"}, {}, True),
    "another number of the account": ({"from": "+15005550006"}, {"To": "+15005550007"}, False),
    "another number that is ours too": (
        {"from": "+15005550006", "numbers": "+15005550007,1500"}, {"To": "+15005550007"}, True,
    ),
    "our short code": ({"from": "+15005550006", "numbers": "+15005550007,1500"}, {"To": "1500"}, True),
    "no number": ({"from": "+15005550006"}, {"To": ""}, False),
    "our service": ({"from": SERVICE}, {"MessagingServiceSid": SERVICE, "To": "+15005550009"}, True),
    "another service": ({"from": SERVICE}, {"MessagingServiceSid": "MG" + "1" * 32}, False),
    "our service's number, told as ours": ({"from": SERVICE, "numbers": "+15005550006"}, {}, True),
    "a channel that only hears and names no number": ({}, {"To": "+15005550099"}, True),
}  # fmt: skip


@pytest.mark.parametrize("label", NUMBERS)
def test_a_text_to_a_number_that_is_not_ours_is_refused_and_audited(label: str) -> None:
    settings, fields, heard = NUMBERS[label]
    door = TwilioDoor(replace(CONFIG, config={"account_sid": "AC1", **settings}))
    if heard:
        assert door.hear(signed({**TEXT, **fields}), NOW).text == TEXT["Body"]
        return
    with pytest.raises(ChannelError) as refused:
        door.hear(signed({**TEXT, **fields}), NOW)
    assert (refused.value.status, refused.value.code, refused.value.audited) == (403, "other_number", True)


def test_a_sub_accounts_texts_are_heard_by_its_own_token() -> None:
    config = replace(
        CONFIG, config={"account_sid": "AC1", "subaccount_sid": "AC5"},
        secrets={"auth_token": TOKEN, "signing_key": "the-sub-accounts"},
    )  # fmt: skip
    door, fields = TwilioDoor(config), {**TEXT, "AccountSid": "AC5"}
    assert door.hear(signed(fields, token="the-sub-accounts"), NOW).text == TEXT["Body"]
    for call in (signed(fields), signed(TEXT, token="the-sub-accounts")):
        with pytest.raises(ChannelError):
            door.hear(call, NOW)


def test_connection_overrides_are_no_part_of_what_is_signed() -> None:
    """They stand behind `#` in the address that Twilio is given, and never leave it."""
    call = signed(TEXT, url=URL)
    assert TwilioDoor(CONFIG).hear(call, NOW).external_id == "SM1"
