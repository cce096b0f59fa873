"""MIME bytes to the sender's own words: quotations, forwards, signatures and disclaimers taken off.

Pure and total: any bytes give a `Mail`; what could not be read stands in `problems`, the caller keeps the raw form.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from parsers import mail_headers
from parsers.mail_charset import decode_bytes, visible
from parsers.mail_files import Attachment, read_attachment
from parsers.mail_html import Kind, html_lines
from parsers.mail_mime import Budget, Headers, MailLimits, Part, decode_transfer, leaves, split_message, without_files
from parsers.mail_words import Ours, Words, own_words, says_nothing

__all__ = ["Attachment", "Mail", "MailLimits", "read_mail"]

Lines = list[tuple[Kind, str]]

REFERENCES = 20

_BODY_TYPES = frozenset({"text/plain", "text/html", "text/enriched", "text"})
_UNREAD = frozenset({"message/delivery-status", "message/disposition-notification", "text/rfc822-headers"})
_ENCRYPTED = frozenset({"application/pgp-encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_WORD = re.compile(r"\w+")
_LINK = re.compile(r"<?https?://\S+")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as read.

    Attributes:
        sender: address of the one author, lower case; None when absent or ambiguous.
        to: addresses of To, at most twenty.
        subject: one line without `Re:`/`RV:`/`Fwd:`; "" when it is a subject of ours. `subject_raw` keeps everything.
        text: own words; when nothing but a greeting stands above a forward, the forwarded body.
        forwarded: whether `text` is a forwarded body. `forwarded_text`: that body also below own words.
        full_text: all text, quotations marked with `>`.
        date: aware UTC, None when absent or impossible; 1970 and the future are the caller's to judge.
        auto: `auto_reply`, `bounce`, `list` or None.
        hops: number of Received fields.
        problems: sorted words: boundary, charset, date, depth, differs (plain and HTML say different things),
            encoding, encrypted, forwards (several forwarded messages, none read), from, message-id, ours (a message
            of ours came back and was left out), parts, size.
    """

    sender: str | None = None
    sender_name: str | None = None
    to: tuple[str, ...] = ()
    subject: str = ""
    subject_raw: str = ""
    text: str = ""
    full_text: str = ""
    forwarded: bool = False
    forwarded_text: str = ""
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    date: datetime | None = None
    auto: str | None = None
    hops: int = 0
    attachments: tuple[Attachment, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class _Body:
    """What the leaves hold: text as lines with their kind, files, and forwarded messages as bytes."""

    lines: Lines = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)


def read_mail(
    raw: bytes,
    *,
    limits: MailLimits = MailLimits(),
    own_addresses: frozenset[str] = frozenset(),
    own_quote_marks: Sequence[str] = (),
) -> Mail:
    """Read a message in wire form (RFC 5322); never raises.

    `own_addresses` (any case) and `own_quote_marks` (phrases that open lines of our messages) tell a message of ours
    that comes back, quoted or forwarded, from the sender's words.
    """
    problems: set[str] = set()
    if len(raw) > limits.total:
        problems.add("size")
        raw = raw[: limits.total]
    ours = Ours(frozenset(address.lower() for address in own_addresses), tuple(own_quote_marks))
    budget = Budget(limits, problems=problems)
    headers, content = split_message(raw, limits, problems)
    subject, subject_raw = mail_headers.read_subject(headers)
    sender, sender_name = mail_headers.read_sender(headers, problems)
    body = _read_body(headers, content, budget)
    words = _read_words(body, ours, budget, answer=mail_headers.is_reply(subject_raw))
    if words.ours or (sender is not None and ours.wrote(sender)) or ours.opens(subject):
        problems.add("ours")
    forwarded = bool(words.forwarded) and says_nothing(words.own)
    full_text = _join(line if kind is not Kind.QUOTE else f"> {line}" for kind, line in body.lines)
    answered = mail_headers.read_ids(headers, "in-reply-to", problems)
    return Mail(
        sender=sender,
        sender_name=sender_name,
        to=mail_headers.read_recipients(headers),
        subject="" if ours.opens(subject) else subject,
        subject_raw=subject_raw,
        text=words.forwarded if forwarded else words.own,
        full_text=full_text,
        forwarded=forwarded,
        forwarded_text=words.forwarded,
        message_id=next(iter(mail_headers.read_ids(headers, "message-id", problems)), None),
        in_reply_to=answered[0] if answered else None,
        references=tuple(mail_headers.read_ids(headers, "references", problems)[-REFERENCES:]),
        date=mail_headers.read_date(headers, problems),
        auto=mail_headers.read_auto(headers, sender, subject_raw, full_text),
        hops=len(headers.all("received")),
        attachments=tuple(body.files),
        problems=tuple(sorted(problems)),
    )


def _join(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip()


def _read_words(body: _Body, ours: Ours, budget: Budget, *, answer: bool) -> Words:
    """Own words of the text; an attached message stands for a forward when there is exactly one."""
    words = own_words(_readable(body.lines), ours, answer=answer)
    if not body.messages or words.forwarded:
        return words
    if len(body.messages) > 1:
        budget.problems.add("forwards")
        return words
    headers, content = split_message(body.messages[0], budget.limits, budget.problems)
    if any(ours.wrote(author) for author in headers.all("from")):
        words.ours = True
        return words
    inner = _read_body(headers, content, budget)
    subject_raw = mail_headers.read_subject(headers)[1]
    found = own_words(_readable(inner.lines), ours, answer=mail_headers.is_reply(subject_raw), depth=1)
    words.ours = words.ours or found.ours
    words.forwarded = "" if found.ours else found.own or found.forwarded
    return words


def _readable(lines: Lines) -> list[str]:
    return [f"> {line}" if kind is Kind.QUOTE else line for kind, line in lines if kind is not Kind.SIGNATURE]


def _read_body(headers: Headers, content: bytes, budget: Budget) -> _Body:
    """Sort the leaves into text, files and forwarded messages; text/plain wins inside an alternative."""
    body = _Body()
    group: list[Part] = []
    number: int | None = None
    for part in leaves(headers, content, budget):
        if part.group != number:
            _choose(group, body, budget)
            group, number = [], part.group
        if part.content_type in _ENCRYPTED:
            budget.problems.add("encrypted")
        if part.content_type == "message/rfc822":
            body.messages.append(decode_transfer(part, budget.limits.total, budget.problems))
        elif part.content_type in _UNREAD:
            continue
        elif part.content_type not in _BODY_TYPES or part.disposition == "attachment" or part.filename:
            body.files.append(read_attachment(part, budget.limits, budget.problems))
        else:
            group.append(part)
            if part.group is None:
                _choose(group, body, budget)
                group = []
    _choose(group, body, budget)
    return body


def _choose(parts: list[Part], body: _Body, budget: Budget) -> None:
    """Add the text of parts that say the same: the plain ones, or HTML where those are blank."""
    plain: Lines = []
    rich: Lines = []
    for part in parts:
        (rich if part.content_type == "text/html" else plain).extend(_part_lines(part, budget))
    written = any(line.strip() for _, line in plain)
    if written and rich and _differ(plain, rich):
        budget.problems.add("differs")
    room = budget.limits.text - sum(len(line) + 1 for _, line in body.lines)
    for kind, line in plain if written else rich:
        if len(line) >= room:
            budget.problems.add("size")
            body.lines.append((kind, line[: max(0, room)]))
            break
        body.lines.append((kind, line))
        room -= len(line) + 1


def _part_lines(part: Part, budget: Budget) -> Lines:
    is_html = part.content_type == "text/html"
    room = budget.limits.html if is_html else budget.limits.text * 4
    data = decode_transfer(part, room, budget.problems)
    if len(data) >= room:
        budget.problems.add("size")
    text, sound = decode_bytes(data, part.charset)
    if not sound:
        budget.problems.add("charset")
    if is_html:
        return html_lines(text, budget.limits.text)
    text = visible(text)
    lines = without_files(text.split("\n"))
    return [(Kind.OWN, line) for line in (_unflow(lines) if part.flowed else lines)]


def _unflow(lines: list[str]) -> list[str]:
    """Soft breaks of format=flowed joined (RFC 3676): a line that ends in a space goes on, unless quoted."""
    joined: list[str] = []
    open_line = False
    for line in lines:
        quoted = line.startswith(">")
        if open_line and not quoted and line != "-- ":
            joined[-1] += line.removeprefix(" ")
        else:
            joined.append(line.removeprefix(" "))
        open_line = line.endswith(" ") and line != "-- " and not quoted
    return joined


def _differ(plain: Lines, rich: Lines) -> bool:
    """Whether plain and HTML text say different things: another number, or more than a fifth of the words."""
    one, other = (
        set(_WORD.findall(_LINK.sub(" ", " ".join(line for _, line in lines)[:20_000]).casefold()))
        for lines in (plain, rich)
    )
    different = one ^ other
    return any(word.isdigit() for word in different) or len(different) * 5 > len(one | other)
