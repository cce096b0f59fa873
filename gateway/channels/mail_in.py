"""A mail as taken from the wire -> Incoming. Pure but for the clock value it is given."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.incoming import File, Incoming
from outbox.address import parse_mail
from parsers.mail import Mail
from parsers.mail_auth import author_proof
from parsers.mail_bounce import read_bounce
from parsers.mail_headers import is_reply
from parsers.mail_mime import MailLimits, raw_fields
from parsers.mail_tables import Opened, open_mail

HOPS = 50
OUR_MARK = "x-vocero-message"
LIMITS = MailLimits()
SHOWN = 2_000
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = timedelta(days=1)
_OUR_ID = re.compile(r"<[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}@[^<>@]+>")
_OUR_NUMBER = re.compile(r"\bR\d{3,9}\b")


OpenMail = Callable[[bytes, str], Opened]


def incoming_of(
    raw: bytes, *, channel: str, own: str, mail_from: str | None, to: str | None, now: datetime, authserv_id: str = "",
    opening: OpenMail = open_mail,
) -> Incoming:  # fmt: skip
    """Read `raw` by `opening`. `own` is our address, `mail_from` the envelope's, None when unknown.

    An empty one marks a bounce (RFC 5321 4.5.5). With `authserv_id` our own server has to vouch for the author.
    """
    mail, tables = opening(raw, own.lower())
    auto = "loop" if _is_marked_ours(raw) else _auto(mail, own, mail_from)
    address = parse_mail(mail.sender) if mail.sender else None
    return Incoming(
        channel=channel, sender=f"mailto:{address}" if address else f"raw:{(mail.sender_name or '')[:64]}",
        text=mail.text, heard_at=now, external_id=mail.message_id or _fingerprint(mail), to=to,
        sent_at=_believable(mail.date, now), subject=None if _is_ours(mail) else mail.subject or None,
        raw=as_text(raw), auto=auto,
        thread=_thread(mail), answerable=auto is None and address is not None,
        files=tuple(File(one.name, one.content_type, one.size, one.sha256) for one in mail.attachments), tables=tables,
        bounce=read_bounce(raw, to=to or "") if auto == "bounce" else None,
        proof=author_proof(raw, authserv_id, mail.sender) if authserv_id else None,
    )  # fmt: skip


def _is_marked_ours(raw: bytes) -> bool:
    """Whether the header that only our own mails carry stands in it: somebody sent one of them on as it was."""
    return any(name == OUR_MARK for name, _ in raw_fields(raw, LIMITS))


def _is_ours(mail: Mail) -> bool:
    """Whether the subject is one of our mails', which an answer only carries on: it says nothing of its writer's."""
    answers_us = _OUR_ID.fullmatch(mail.in_reply_to or "") is not None
    return is_reply(mail.subject_raw) and (answers_us or _OUR_NUMBER.search(mail.subject) is not None)


def unread(raw: bytes, *, channel: str, to: str | None, now: datetime) -> Incoming:
    """A mail that must not or could not be read: kept whole, shown to a person, answered by nobody."""
    body = raw.partition(b"\r\n\r\n")[2] or raw
    return Incoming(
        channel=channel, sender="raw:", text=body[:SHOWN].decode("utf-8", "replace"), heard_at=now,
        external_id=hashlib.sha256(raw).hexdigest(), to=to, raw=as_text(raw), answerable=False, unreadable=True,
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
