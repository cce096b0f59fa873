"""E-mail: in by SMTP or LMTP from a mail server beside us, out by a provider's SMTP server."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.channels import checks, pasting
from gateway.channels.base import ChannelConfig, Kind, Listener, SettingError, Spec, Surroundings

if TYPE_CHECKING:
    from outbox.senders.base import Sender

ENCRYPTION = checks.one_of("none", "starttls", "tls")
TAGGED = checks.one_of("plain", "tagged")

# What every kind that sends mail has.
SENDING = (
    Spec("host", "the provider's SMTP server"),
    Spec("port", "587 for starttls, 465 for tls, 25 for a server beside you", check=checks.port),
    Spec("tls", "starttls, tls or none", check=ENCRYPTION),
    Spec("username", "login at the provider's server"),
    Spec("password", "password at the provider's server", secret=True, check=checks.secret),
    Spec("from", "the address people see and answer to", check=checks.mail_address),
    Spec("return_path", "tagged: bounces go to name+ID@, if mail for name+anything reaches you", check=TAGGED),
)

# What every kind that hears mail has.
HEARING = (
    Spec("authserv_id", "the name in your mail server's Authentication-Results; then only what it vouches for counts"),
)


def needs_encryption(values: Mapping[str, str]) -> None:
    """Mail goes unencrypted to a server on this machine only."""
    from outbox.senders.wire import is_loopback

    for host, tls in (("host", "tls"), ("imap_host", "imap_tls")):
        if values.get(tls) == "none" and not is_loopback(values.get(host) or "localhost"):
            raise SettingError(f"{tls} may be none only for a server on this machine")


def listen(config: ChannelConfig, around: Surroundings) -> list[Listener]:
    if not config.get("listen") and not config.get("lmtp"):
        return []
    from gateway.channels.mail_listener import listeners

    return listeners(config, around)


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    if not config.get("host"):
        return None
    from outbox.senders.smtp import SmtpSender

    return SmtpSender(config.config, config.secrets)


KIND = Kind(
    "smtp", "E-mail",
    settings=(
        Spec("listen", "HOST:PORT on which mail is taken by SMTP", check=checks.endpoint),
        Spec("lmtp", "HOST:PORT on which mail is taken by LMTP", check=checks.endpoint),
        *HEARING,
        *SENDING,
    ),
    listen=listen,
    make_sender=make_sender,
    check=needs_encryption,
    paste=pasting.mail,
)  # fmt: skip
