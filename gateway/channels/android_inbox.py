"""The inbox of a phone with SMS Gateway for Android: what its app and Android itself have kept."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.channels.mapping import read_moment
from outbox.errors import UnknownResult
from outbox.senders.answers import AnswerReader
from outbox.senders.pool import Pool
from outbox.senders.wire import Answer, Wire, check_url

PAGE = 200
PAGES_AT_MOST = 500
NOT_THERE = (404, 405, 501)

_log = logging.getLogger("vocero.channels")


@dataclass(frozen=True, slots=True)
class InboxText:
    """A text that the phone has; `at` is when the operator took it."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    recipient: str | None = None


class Inbox:
    """Asks by Basic login. Raises SendErrors; an app too old to be asked has nothing to give."""

    def __init__(self, url: str, login: str) -> None:
        check_url(url)
        self._url = url
        self._headers = {"Authorization": f"Basic {login}", "Accept": "application/json"}
        self._wire = Wire(parallel=1)
        self._pool = Pool(1, "android-inbox")

    async def refresh(self, since: datetime, until: datetime) -> None:
        """Have the app take what Android's own inbox holds, also from when the app did not run."""
        period = {"since": since.isoformat(), "until": until.isoformat()}
        body = json.dumps({**period, "messageTypes": ["SMS"], "triggerWebhooks": False}).encode()
        headers = {**self._headers, "Content-Type": "application/json"}
        answer = await self._ask("POST", "/inbox/refresh", content=body, headers=headers)
        if answer.status in NOT_THERE:
            _log.warning("the app on the phone is too old to be asked for texts that were missed")
        else:
            AnswerReader().read(answer)

    async def texts(self, since: datetime, until: datetime) -> AsyncIterator[InboxText]:
        """Every SMS of the period, page by page."""
        for page in range(PAGES_AT_MOST):
            params = {
                "type": "SMS", "from": since.isoformat(), "to": until.isoformat(), "limit": str(PAGE),
                "offset": str(page * PAGE),
            }  # fmt: skip
            answer = await self._ask("GET", "/inbox", params=params, headers=self._headers)
            found = _listed(answer)
            for one in found:
                if (text := _text(one)) is not None:
                    yield text
            if len(found) < PAGE:
                return

    async def _ask(self, method: str, path: str, **more: Any) -> Answer:
        return await self._pool.run(lambda: self._wire.request(method, self._url + path, **more))

    def close(self) -> None:
        self._pool.close()
        self._wire.close()


def _listed(answer: Answer) -> list[Any]:
    if answer.status in NOT_THERE:
        return []
    AnswerReader().read(answer)
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise UnknownResult(detail={"status": answer.status, "body": "broken"})
    return found


def _text(one: Any) -> InboxText | None:
    """None for what is no SMS."""
    if not isinstance(one, dict) or one.get("type", "SMS") != "SMS":
        return None
    sender, text, at = one.get("sender"), one.get("contentPreview"), read_moment(str(one.get("createdAt") or ""))
    if not isinstance(sender, str) or not isinstance(text, str) or at is None:
        return None
    recipient = one.get("recipient")
    return InboxText(sender, text, at, recipient if isinstance(recipient, str) else None)
