"""What a gateway's answer over HTTP says about a message, by rules that an admin may set. Pure."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outbox.errors import (
    AuthFailed,
    Deferred,
    Detail,
    InvalidAddress,
    Misconfigured,
    OptedOut,
    Refused,
    SendError,
    Throttled,
    TooLong,
    Unavailable,
    UnknownResult,
    Unsupported,
)
from outbox.senders.base import Sent
from outbox.senders.template import TemplateError, at_path, read_pairs, read_rule

if TYPE_CHECKING:
    from outbox.senders.wire import Answer

ERRORS: Mapping[str, type[SendError]] = {
    error.code: error
    for error in (
        AuthFailed, Deferred, InvalidAddress, Misconfigured, OptedOut, Refused, Throttled, TooLong, Unavailable,
        UnknownResult, Unsupported,
    )
}  # fmt: skip
TAKEN = "sent"
BY_STATUS: Mapping[int, type[SendError]] = {
    401: AuthFailed, 403: AuthFailed, 408: Deferred, 413: TooLong, 425: Deferred, 429: Throttled,
}  # fmt: skip


class AnswerReader:
    """`ok` is a rule (see Rule), `id_path` where the provider's id stands, `errors` like `403=auth_failed`.

    A name in `errors` is a status, or a value of the field that the rule of `ok` looks at. A status that means `sent`
    is a yes: so gateways refuse what they have taken before.
    """

    def __init__(self, ok: str = "", id_path: str = "", errors: str = "") -> None:
        self._ok = read_rule(ok)
        self._id_path = id_path or "id"
        self._errors, self._taken = read_meanings(errors)

    def read(self, answer: "Answer") -> Sent:
        """What the gateway's answer says about the message. Raises a SendError unless it is a yes."""
        if str(answer.status) in self._taken:
            return Sent()
        if answer.status >= 300:
            raise self._refusal(answer)
        document = _document(answer)
        if self._ok.path and document is None:
            raise UnknownResult(detail={"status": answer.status, "body": "broken"})
        if not self._ok.fits(answer.text, lambda: document):
            raise self._no(answer, document)
        return self._yes(answer, document)

    def _yes(self, answer: "Answer", document: Any) -> Sent:
        if not isinstance(document, (dict, list)):
            return Sent()
        provider_id = at_path(document, self._id_path)
        told = isinstance(provider_id, (str, int)) and not isinstance(provider_id, bool) and str(provider_id)
        if not told and not self._ok.path and isinstance(document, dict) and document.get("error"):
            raise Unavailable(detail={"status": answer.status, "body": "error"})
        return Sent(str(provider_id) if told else None)

    def _no(self, answer: "Answer", document: Any) -> SendError:
        """2xx with a word that is not the yes: what `errors` calls it, else final."""
        value = str(at_path(document, self._ok.path)) if self._ok.path else ""
        detail: Detail = {"status": answer.status, "body": "refused"}
        return self._errors.get(value, Refused)(retry_after=answer.retry_after, detail=detail)

    def _refusal(self, answer: "Answer") -> SendError:
        wish, detail = answer.retry_after, {"status": answer.status}
        kind = self._errors.get(str(answer.status)) or BY_STATUS.get(answer.status)
        if kind is None:
            kind = Unavailable if answer.status >= 500 else Refused
        return kind(retry_after=wish, detail=detail)


def read_meanings(text: str) -> tuple[dict[str, type[SendError]], frozenset[str]]:
    """Of `403=auth_failed, 409=sent`: the errors, and what means that it was taken. Raises TemplateError."""
    found, taken = {}, set()
    for name, word in read_pairs(text).items():
        if word == TAKEN:
            taken.add(name)
        elif word in ERRORS:
            found[name] = ERRORS[word]
        else:
            raise TemplateError(f"{word} is unknown; there are {TAKEN}, {', '.join(ERRORS)}")
    return found, frozenset(taken)


def _document(answer: "Answer") -> Any:
    """The JSON of an answer; None when it is something else. Raises UnknownResult when it is broken off."""
    if "json" not in answer.headers.get("content-type", "").lower() or not answer.text.strip():
        return None
    try:
        return json.loads(answer.text)
    except ValueError:
        raise UnknownResult(detail={"status": answer.status, "body": "broken"}) from None
