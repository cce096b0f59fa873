"""A mail as taken from the wire -> Incoming. Pure but for the clock value it is given."""

import hashlib
from datetime import UTC, datetime, timedelta

from gateway.incoming import Incoming
from outbox.address import parse_mail
from parsers.mail import Mail, read_mail

HOPS = 50
SHOWN = 2_000
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = timedelta(days=1)


def incoming_of(
    raw: bytes, *, channel: str, own: str, mail_from: str | None, to: str | None, now: datetime
) -> Incoming:
    """Read `raw`. `own` is our address, `mail_from` the envelope's, None when unknown.

    An empty one marks a bounce (RFC 5321 4.5.5).
    """
    mail = read_mail(raw, own_addresses=frozenset({own.lower()} if own else ()))
    auto = _auto(mail, own, mail_from)
    address = parse_mail(mail.sender) if mail.sender else None
    return Incoming(
        channel=channel, sender=f"mailto:{address}" if address else f"raw:{(mail.sender_name or '')[:64]}",
        text=mail.text, heard_at=now, external_id=mail.message_id or _fingerprint(mail), to=to,
        sent_at=_believable(mail.date, now), subject=mail.subject or None, raw=as_text(raw), auto=auto,
        thread=_thread(mail), answerable=auto is None and address is not None,
    )  # fmt: skip


def unread(raw: bytes, *, channel: str, to: str | None, now: datetime) -> Incoming:
    """A mail that must not or could not be read: kept whole, shown to a person, answered by nobody."""
    body = raw.partition(b"\r\n\r\n")[2] or raw
    return Incoming(
        channel=channel, sender="raw:", text=body[:SHOWN].decode("utf-8", "replace"), heard_at=now,
        external_id=hashlib.sha256(raw).hexdigest(), to=to, raw=as_text(raw), answerable=False,
    )  # fmt: skip


def as_text(raw: bytes) -> str:
    """Bytes as a string that gives them back: `encode("utf-8", "surrogateescape")`."""
    return raw.decode("utf-8", "surrogateescape")


def _auto(mail: Mail, own: str, mail_from: str | None) -> str | None:
    """Why nobody should be answered: the parser's word, `bounce`, or `loop` when it is ours coming back (RFC 3834)."""
    if mail.hops > HOPS or (own and mail.sender and parse_mail(mail.sender) == parse_mail(own)):
        return "loop"
    if mail.auto is None and mail_from is not None and mail_from.strip("<> ") == "":
        return "bounce"
    return mail.auto


def _believable(date: datetime | None, now: datetime) -> datetime | None:
    return date if date is not None and EARLIEST <= date <= now + LATEST else None


def _fingerprint(mail: Mail) -> str:
    """Stands in for a missing Message-ID: what stays the same when a mail server brings the mail again."""
    parts = (mail.sender or "", str(mail.date), mail.subject_raw, mail.full_text)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _thread(mail: Mail) -> dict[str, str]:
    found = {
        "message_id": mail.message_id, "in_reply_to": mail.in_reply_to, "references": " ".join(mail.references),
        "subject": mail.subject_raw,
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}
