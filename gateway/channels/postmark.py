"""E-mail by Postmark: its inbound stream brings mail as JSON with a login in the address, its SMTP server takes ours.

https://postmarkapp.com/developer/webhooks/inbound-webhook. Postmark signs nothing; the login is the proof. It tries for
about ten hours and gives up at 403, so a wrong login is told as 401.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from gateway.channels import checks, pasting
from gateway.channels.base import (
    ChannelConfig,
    ChannelError,
    HttpAnswer,
    HttpCall,
    Kind,
    Letter,
    Spec,
    StatusReport,
    Surroundings,
)  # fmt: skip
from gateway.channels.callers import basic, same
from gateway.channels.forms import JSON, malformed, read_json
from gateway.channels.letters import LETTER_LIMIT, compose
from gateway.channels.receipts import our_id
from gateway.channels.smtp import HEARING, SENDING, needs_encryption
from gateway.incoming import Receipt

if TYPE_CHECKING:
    from outbox.senders.base import Sender

# Comes back as the metadata `vocero` of every event.
ID_HEADER = "X-PM-Metadata-vocero"
KEPT = HttpAnswer(200, JSON.encode(), b"{}")
# What Postmark tells of bounces (`Type`); all others may pass.
FOR_GOOD = frozenset({"HardBounce", "BadEmailAddress", "ManuallyDeactivated", "SpamComplaint"})


class PostmarkDoor:
    """Hears one inbound stream."""

    media: tuple[str, ...] = (JSON,)
    methods: tuple[str, ...] = ("POST",)
    limit = LETTER_LIMIT

    def __init__(self, config: ChannelConfig) -> None:
        self._login = config.get("webhook_user").encode(), config.get("webhook_password").encode()

    def hear(self, call: HttpCall, _now: datetime) -> Letter:
        document = self._checked(call)
        raw = document.get("RawEmail")
        mail = raw.encode("utf-8", "replace") if isinstance(raw, str) and raw else _made(document)
        return Letter(mail, _word(document, "OriginalRecipient") or None)

    def answer(self, _receipt: Receipt) -> HttpAnswer:
        return KEPT

    def receipt(self, call: HttpCall) -> StatusReport | None:
        """A bounce or delivery of a message that carries our id in its metadata."""
        document = self._checked(call)
        metadata = document.get("Metadata")
        name = metadata.get("vocero") if isinstance(metadata, dict) else None
        if not isinstance(name, str) or not name:
            return None
        if document.get("RecordType") == "Delivery":
            return StatusReport("delivered", our_id(name))
        if document.get("RecordType") in ("Bounce", "SpamComplaint") and document.get("Type") in FOR_GOOD:
            return StatusReport("failed", our_id(name), None, "bounced")
        return None

    def noted(self) -> HttpAnswer:
        return KEPT

    def _checked(self, call: HttpCall) -> dict[str, Any]:
        if not all(self._login):
            raise ChannelError(503, "not_configured", "This channel has no login for webhooks.", retry_after=60)
        user, password = basic(call)
        # Both are compared, so that the time tells nothing of the name.
        if not same(user, self._login[0]) & same(password, self._login[1]):
            raise ChannelError(401, "unauthorized", "The login in the address of the webhook is missing or wrong.")
        return read_json(call.body)


def _made(document: dict[str, Any]) -> bytes:
    """Without *Include raw email content* the mail comes cut into fields."""
    if not _word(document, "From"):
        raise malformed("neither RawEmail nor From is there")
    listed = document.get("Headers")
    others = [
        (_word(one, "Name"), _word(one, "Value")) for one in (listed if isinstance(listed, list) else ())
        if isinstance(one, dict)
    ]  # fmt: skip
    own = [(name, _word(document, name)) for name in ("From", "To", "Subject", "Date") if _word(document, name)]
    names = {name.lower() for name, _ in own}
    headers = [*own, *((name, value) for name, value in others if name.lower() not in names)]
    return compose(headers, _word(document, "TextBody"), _word(document, "HtmlBody"))


def _word(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def make_sender(config: ChannelConfig, _around: Surroundings) -> "Sender | None":
    if not config.get("host"):
        return None
    from outbox.senders.smtp import SmtpSender

    return SmtpSender(config.config, config.secrets, id_header=ID_HEADER)


KIND = Kind(
    "postmark", "E-mail by Postmark",
    settings=(
        Spec("webhook_user", "the name in the address that Postmark calls", required=True),
        Spec("webhook_password", "the password in that address", required=True, secret=True, check=checks.secret),
        *HEARING,
        *SENDING,
    ),
    make_door=PostmarkDoor,
    make_sender=make_sender,
    check=needs_encryption,
    paste=pasting.postmark,
)  # fmt: skip
