"""An envelope as a mail: text with an HTML alternative, files, threading headers, and no way to slip a header in."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr

from outbox.address import Address
from outbox.errors import InvalidAddress, Misconfigured, Unsupported
from outbox.senders.base import Envelope

# Without 8-bit bytes a mail passes every relay.
POLICY = SMTP.clone(cte_type="7bit")

EXTRA_HEADERS = frozenset(
    {"in-reply-to", "references", "list-id", "list-unsubscribe", "list-unsubscribe-post", "reply-to", "auto-submitted",
     "precedence", "x-auto-response-suppress"}
)  # fmt: skip
HEADER_LENGTH = 8000

_BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_MESSAGE_ID = re.compile(r"<[^<>@\s]{1,200}@[^<>@\s]{1,200}>", re.ASCII)


def sender_of(text: str) -> tuple[str, str]:
    """Name and address of `Vocero <vocero@example.org>` or a bare address. Raises Misconfigured."""
    name, address = parseaddr(one_line(text))
    try:
        return name, Address.of_mail(address).value
    except ValueError:
        raise Misconfigured(detail={"setting": "from"}) from None


def recipient_of(envelope: Envelope) -> str:
    """Raises Unsupported for a phone, InvalidAddress for what is no address."""
    if not envelope.to.startswith("mailto:"):
        raise Unsupported
    try:
        return Address.parse(envelope.to).value
    except ValueError:
        raise InvalidAddress from None


def build_mail(envelope: Envelope, sender: str, *, now: datetime) -> EmailMessage:
    """The mail to hand over. Its Message-ID is the same at each try, so that a repeat is known as one (RFC 5322 3.6.4).

    It says that a machine wrote it (RFC 3834): auto-replied when it answers a mail, else auto-generated.
    """
    name, address = sender_of(sender)
    given = {key.strip().lower(): one_line(value) for key, value in envelope.headers.items()}
    mail = EmailMessage(policy=POLICY)
    mail["From"] = formataddr((name, address))
    mail["To"] = recipient_of(envelope)
    mail["Subject"] = one_line(envelope.subject or "")
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(envelope, address, given.get("message-id"))
    mail["X-Vocero-Message"] = str(envelope.id)
    given.setdefault("auto-submitted", "auto-replied" if "in-reply-to" in given else "auto-generated")
    given.setdefault("x-auto-response-suppress", "All")
    for key in sorted(EXTRA_HEADERS & given.keys()):
        mail[key.title().replace("-Id", "-ID")] = given[key]
    mail.set_content(_plain(envelope.text))
    if envelope.html is not None:
        mail.add_alternative(_plain(envelope.html), subtype="html")
    for file in envelope.attachments:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.data, maintype=main, subtype=sub, filename=one_line(file.name))
    return mail


def message_id(envelope: Envelope, sender: str, wished: str | None = None) -> str:
    """The wished id when it is well formed, else one made of the message's own id and the sender's domain."""
    if wished and _MESSAGE_ID.fullmatch(wished):
        return wished
    return f"<{envelope.id}@{sender.rpartition('@')[2]}>"


def one_line(text: str) -> str:
    """Line breaks and control characters become a space: what follows one would be read as another header."""
    return _plain(_BREAKS.sub(" ", text)).strip()[:HEADER_LENGTH]


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
