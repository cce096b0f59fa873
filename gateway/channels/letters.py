"""Mail that comes by webhook: the mail as it was, or made again of the fields that a provider cut it into."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP

from gateway.channels.base import ChannelConfig, ChannelError, Letter, Surroundings
from gateway.channels.forms import FIELD_LIMIT, malformed
from gateway.incoming import Receipt

# A mail of ten megabytes in base64.
LETTER_LIMIT = 15 * 1024 * 1024
REMEMBERED = 10_000

_BOUNDARY = re.compile(r'boundary="?([^";,]{1,70})"?', re.I)
_NAME = re.compile(rb'^content-disposition:[^\r\n]*?[;\s]name="([^"\r\n]{1,100})"', re.I | re.M)
_FILE = re.compile(rb"^content-disposition:[^\r\n]*?;\s*filename", re.I | re.M)
_HEADER = re.compile(r"[!-9;-~]{1,76}")
# What describes the mail as it was cut up, not as it is made again.
_NOT_OURS = frozenset({"content-type", "content-transfer-encoding", "mime-version", "content-length"})


class LetterDesk:
    """Keeps the mails of one channel, and knows the calls that brought them: one call brings one mail."""

    def __init__(self, config: ChannelConfig, around: Surroundings) -> None:
        from gateway.channels.mail_reading import MailReader

        self._reader = MailReader(config, around)
        self._brought: OrderedDict[str, bytes] = OrderedDict()

    async def keep(self, letter: Letter) -> Receipt:
        """Raises ChannelError when the call brought another mail before, and Busy when nothing was kept."""
        if letter.once is not None:
            self._check_once(letter.once, hashlib.sha256(letter.raw).digest())
        return await self._reader.keep(letter.raw, mail_from=letter.mail_from, to=letter.to)

    def _check_once(self, call: str, mail: bytes) -> None:
        if self._brought.setdefault(call, mail) != mail:
            raise ChannelError(403, "replayed", "This call has brought another mail before.", audited=True)
        if len(self._brought) > REMEMBERED:
            self._brought.popitem(last=False)

    def close(self) -> None:
        self._reader.close()


def read_multipart(body: bytes, content_type: str) -> dict[str, bytes]:
    """Fields of a `multipart/form-data` body (RFC 7578) by name, as bytes; files are left out."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise malformed("the boundary is missing")
    pieces = (b"\r\n" + body).split(b"\r\n--" + found[1].encode("latin-1", "replace"), FIELD_LIMIT + 2)
    if len(pieces) > FIELD_LIMIT + 2:
        raise malformed(f"more than {FIELD_LIMIT} fields")
    fields: dict[str, bytes] = {}
    for piece in pieces[1:]:
        head, blank, value = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None or _FILE.search(head):
            continue
        if fields.setdefault(name[1].decode("utf-8", "replace"), value) is not value:
            raise malformed("a field stands twice")
    return fields


def compose(headers: Iterable[tuple[str, str]], text: str, html: str = "") -> bytes:
    """A mail in wire form of header fields and text; a field that cannot stand in a mail is left out."""
    mail = EmailMessage(policy=SMTP.clone(utf8=True))
    for name, value in headers:
        if not _HEADER.fullmatch(name) or name.lower() in _NOT_OURS:
            continue
        try:
            mail[name] = " ".join(value.split())
        except (ValueError, IndexError, TypeError, AttributeError):
            continue
    if text or not html:
        mail.set_content(_whole(text))
    if html:
        (mail.add_alternative if text else mail.set_content)(_whole(html), subtype="html")
    return mail.as_bytes()


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
