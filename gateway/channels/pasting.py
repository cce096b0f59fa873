"""What has to be pasted at the other end of a channel: addresses and settings, with this gateway's own values in them.

Every function takes the channel and the public address without a slash at its end, and gives pairs of a label (words of
the catalogue) and a text. A secret never stands in a text: HIDDEN marks its place.
"""

from urllib.parse import urlsplit

from gateway.channels.base import ChannelConfig
from gateway.channels.dialects import DIALECTS
from gateway.locale import N_

Pasted = list[tuple[str, str]]

HIDDEN = "********"

TEXTS = N_("Address for texts")
RECEIPTS = N_("Address for delivery receipts")
NOTHING = N_("Nothing is to be set for delivery receipts: each message asks for its own at")
# https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
OVERRIDES = "#rc=5&rp=all"
KANNEL_QUERY = "smsc=%i&id=%I&from=%p&to=%P&text=%b&charset=%C&coding=%c&ts=%T"
ANDROID_EVENTS = ("sms:received", "sms:sent", "sms:delivered", "sms:failed")
LMTP = N_("Into /etc/postfix/transport")


def texts_at(channel: ChannelConfig, base_url: str) -> str:
    return f"{base_url}/in/{channel.name}"


def receipts_at(channel: ChannelConfig, base_url: str) -> str:
    return f"{texts_at(channel, base_url)}/status"


def webhook(channel: ChannelConfig, base_url: str) -> Pasted:
    """The two addresses of a kind that hears by HTTP."""
    return [(TEXTS, texts_at(channel, base_url)), (RECEIPTS, receipts_at(channel, base_url))]


def one_address(channel: ChannelConfig, base_url: str) -> Pasted:
    """Of a device that brings and fetches in one call."""
    return [(TEXTS, texts_at(channel, base_url))]


def with_login(name: str, channel: ChannelConfig, url: str) -> str:
    """The address with the login of setting `name` before the host, as programs take it that know no header."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{channel.get(name)}:{HIDDEN}@{parts.netloc}").geturl()


def twilio(channel: ChannelConfig, base_url: str) -> Pasted:
    return [
        (N_("A message comes in: webhook, HTTP POST"), texts_at(channel, base_url) + OVERRIDES),
        (NOTHING, receipts_at(channel, base_url)),
    ]


def postmark(channel: ChannelConfig, base_url: str) -> Pasted:
    return [
        (N_("Inbound webhook, with the raw mail in the JSON"),
         with_login("webhook_user", channel, texts_at(channel, base_url))),
        (N_("Webhook for delivery, bounce and spam complaint"),
         with_login("webhook_user", channel, receipts_at(channel, base_url))),
    ]  # fmt: skip


def mailgun(channel: ChannelConfig, base_url: str) -> Pasted:
    return [
        (N_("Route: match the recipient, forward to, and stop"), texts_at(channel, base_url)),
        (N_("Webhook for delivered and permanent failure"), receipts_at(channel, base_url)),
    ]


def kannel(channel: ChannelConfig, base_url: str) -> Pasted:
    url = f"{texts_at(channel, base_url)}?token={HIDDEN}&{KANNEL_QUERY}"
    login = channel.get("username") or "vocero"
    return [
        (N_("Into the group smsbox of kannel.conf"),
         "http-request-retry = 100000\nhttp-queue-delay = 10\nlog-level = 2"),
        (N_("Two groups at the end of kannel.conf"),
         f"group = sendsms-user\nusername = {login}\npassword = {HIDDEN}\nmax-messages = 10\nconcatenation = true\n\n"
         f'group = sms-service\nkeyword = default\ncatch-all = true\nget-url = "{url}"\nmax-messages = 0\n'
         "omit-empty = true\nconcatenation = true"),
    ]  # fmt: skip


def android(channel: ChannelConfig, base_url: str) -> Pasted:
    phone = channel.get("send_url").rstrip("/") or "http://192.168.1.20:8080"
    login = channel.get("username") or "sms"
    lines = [
        f"curl -u {login}:{HIDDEN} -H 'Content-Type: application/json' {phone}/webhooks "
        f'-d \'{{"url": "{texts_at(channel, base_url)}", "event": "{event}"}}\''
        for event in ANDROID_EVENTS
    ]
    return [(TEXTS, texts_at(channel, base_url)), (N_("Run once in a terminal"), "\n".join(lines))]


def cht(channel: ChannelConfig, base_url: str) -> Pasted:
    return [(N_("Webapp URL of the app"), with_login("username", channel, texts_at(channel, base_url)))]


def smssync(channel: ChannelConfig, base_url: str) -> Pasted:
    return [
        (N_("Sync URL of the app, method POST"), texts_at(channel, base_url)),
        (N_("Secret key of the app"), HIDDEN),
    ]  # fmt: skip


def http(channel: ChannelConfig, base_url: str) -> Pasted:
    """With `auth=query` the secret stands in the address, else in the header that is told."""
    meant = {**DIALECTS.get(channel.get("dialect"), {}), **channel.config}
    kind = meant.get("auth") or "bearer"
    name = meant.get("auth_name") or "token"
    if kind == "query":
        return [(label, f"{url}?{name}={HIDDEN}") for label, url in webhook(channel, base_url)]
    told = webhook(channel, base_url)
    if kind == "bearer":
        told.append((N_("Header of each call"), f"Authorization: Bearer {HIDDEN}"))
    elif kind == "header":
        told.append((N_("Header of each call"), f"{name}: {HIDDEN}"))
    return told


def mail(channel: ChannelConfig, _base_url: str) -> Pasted:
    """For a mail server beside us that hands mail on."""
    lmtp, mailbox = channel.get("lmtp"), channel.get("from") or "vocero@example.org"
    if not lmtp:
        return []
    return [
        (N_("Into /etc/postfix/main.cf"),
         "transport_maps = hash:/etc/postfix/transport\nlmtp_destination_recipient_limit = 1"),
        (LMTP, f"{mailbox}    lmtp:inet:{lmtp}"),
    ]  # fmt: skip
