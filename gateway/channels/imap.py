"""E-mail by a mailbox at any provider: in by IMAP, out by the provider's SMTP server with the same login."""

from gateway.channels import checks
from gateway.channels.base import ChannelConfig, Kind, Listener, SettingError, Spec, Surroundings
from gateway.channels.smtp import ENCRYPTION, HEARING, SENDING, make_sender, needs_encryption

FOLDER_LENGTH = 120
FIRST = checks.one_of("new", "all")


def listen(config: ChannelConfig, around: Surroundings) -> list[Listener]:
    from gateway.channels.mailbox import Mailbox

    return [Mailbox(config, around)]


def folder(value: str) -> str:
    """The name of a folder as people see it."""
    name = value.strip()
    if not name or len(name) > FOLDER_LENGTH or not name.isprintable():
        raise SettingError(f"must be the name of a folder, at most {FOLDER_LENGTH} characters")
    return name


def put_away(value: str) -> str:
    """`leave`, `seen`, or `move:FOLDER`."""
    word, colon, name = value.strip().partition(":")
    if colon and word.lower() == "move":
        return f"move:{folder(name)}"
    if colon or word.lower() not in ("leave", "seen"):
        raise SettingError("must be leave, seen or move:FOLDER")
    return word.lower()


KIND = Kind(
    "imap", "Mailbox",
    settings=(
        Spec("imap_host", "the provider's IMAP server", required=True),
        Spec("imap_port", "993 for tls, 143 for starttls", check=checks.port),
        Spec("imap_tls", "tls, starttls, or none for a server on this machine", check=ENCRYPTION),
        Spec("folder", "the folder to read; INBOX when not set", check=folder),
        Spec("first", "new: only mail that comes from now on; all: also what is there", check=FIRST),
        Spec("after", "what is done with a mail that is kept: leave, seen or move:FOLDER", check=put_away),
        Spec("idle", "yes: be told of new mail at once; no: look now and then", check=checks.one_of("yes", "no")),
        Spec("poll", "seconds between two looks when the server tells no news", check=checks.number(10, 3600)),
        *HEARING,
        *SENDING,
    ),
    listen=listen,
    make_sender=make_sender,
    check=needs_encryption,
)  # fmt: skip
