"""What a mail server says about a mail of ours that it could not deliver: which one, and whether for good.

Read are reports of RFC 3464 and the free forms of older servers, in English and Spanish. Which mail is meant is told
by ids alone, never by the address in it: anybody could write that.
"""

import re
from dataclasses import dataclass
from typing import Literal

from parsers.mail_charset import decode_bytes, visible
from parsers.mail_mime import Budget, Headers, MailLimits, decode_transfer, leaves, split_message

Fate = Literal["failed", "gave_up", "delayed", "delivered"]

LIMITS = MailLimits(total=512_000, parts=30, depth=5, text=200_000)
IDS = 20

_ID = re.compile(r"<[^<>\s]{1,200}@[^<>\s]{1,200}>")
_NAMED = re.compile(rf"^[>\s]*Message-ID:\s*({_ID.pattern})", re.I | re.M)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_OURS = re.compile(rf"^X-Vocero-Message:[ \t]*({_UUID.pattern})", re.I | re.M)
_ENVELOPE = re.compile(rf"^Original-Envelope-Id:[ \t]*({_UUID.pattern})", re.I | re.M)
_RETURN = re.compile(r"\+([0-9a-f]{32})@", re.I)
_ACTION = re.compile(r"^Action:[ \t]*(failed|delayed|delivered|relayed|expanded)", re.I | re.M)
_STATUS = re.compile(r"^Status:[ \t]*([245])\.\d{1,3}\.\d{1,3}", re.I | re.M)
_ENHANCED = re.compile(r"(?<![\d.])([45])\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([45])[0-5]\d[ -](?:#?\d\.\d|\D)")
_STILL_TRYING = re.compile(
    r"this is a warning|(?:delivery|message) (?:is |has been )?delayed|will (?:keep|continue) (?:trying|to (?:try|be))"
    r"|(?:se )?seguir(?:á|emos) intent|a[uú]n no se ha (?:podido )?entregad|se volver[aá] a intentar|retrasad[oa]",
    re.I,
)
_GAVE_UP = re.compile(
    r"buz[oó]n (?:est[aá] )?lleno|cuota (?:excedida|superada)|over quota|mailbox (?:is )?full|timed? ?out"
    r"|tiempo de espera|connection refused|no route to host|could not (?:connect|be reached)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Bounce:
    """`failed` for good, `gave_up` after trying, `delayed` and still trying, or `delivered`.

    `ours`: ids (UUID) of messages of ours that are named by our own marks. `message_ids`: all that are named.
    """

    fate: Fate
    ours: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()


def read_bounce(raw: bytes, *, to: str = "") -> Bounce:
    """Read a mail that is known to be a bounce; `to` is the address it was brought to. Never raises."""
    problems: set[str] = set()
    headers, body = split_message(raw[: LIMITS.total], LIMITS, problems)
    texts = [_text(headers, body)]
    for part in leaves(headers, body, Budget(LIMITS, problems=problems)):
        texts.append(visible(decode_bytes(decode_transfer(part, LIMITS.text, problems), part.charset)[0]))
    text = "\n".join(texts).replace("\r\n", "\n")
    return Bounce(_fate(text), _ours(headers, text, to), _ids(headers, text))


def _text(headers: Headers, body: bytes) -> str:
    """The body as it stands: some servers put the original below it without saying so."""
    return decode_bytes(body[: LIMITS.text], "")[0] if not headers.first("content-type").startswith("multipart") else ""


def _fate(text: str) -> Fate:
    action, status = _ACTION.search(text), _STATUS.search(text)
    if action is not None and action[1].lower() != "failed":
        return "delayed" if action[1].lower() == "delayed" else "delivered"
    if status is not None:
        return {"2": "delivered", "4": "gave_up", "5": "failed"}[status[1]]  # type: ignore[return-value]
    if action is None and _STILL_TRYING.search(text):
        return "delayed"
    code = _ENHANCED.search(text) or _REPLY.search(text)
    if (code is not None and code[1] == "4") or (code is None and _GAVE_UP.search(text)):
        return "gave_up"
    return "failed"


def _ours(headers: Headers, text: str, to: str) -> tuple[str, ...]:
    addressed = " ".join([to, *(headers.first(name) for name in ("to", "delivered-to", "x-original-to"))])
    found = [*_OURS.findall(text), *_ENVELOPE.findall(text)]
    found += [_dashed(token.lower()) for token in _RETURN.findall(addressed)]
    return tuple(dict.fromkeys(one.lower() for one in found))[:IDS]


def _dashed(token: str) -> str:
    return "-".join((token[:8], token[8:12], token[12:16], token[16:20], token[20:]))


def _ids(headers: Headers, text: str) -> tuple[str, ...]:
    """The ids of the returned mail, else what the bounce says it answers, else any: a thread names other mails too."""
    own = headers.first("message-id").strip()
    for named in (_NAMED.findall(text), _ID.findall(headers.first("in-reply-to")), _ID.findall(text)):
        found = tuple(dict.fromkeys(one for one in named if one != own))
        if found:
            return found[:IDS]
    return ()
