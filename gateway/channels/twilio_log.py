"""Texts that Twilio heard while it could not bring them, from its list of messages (2010-04-01, Messages).

https://www.twilio.com/docs/messaging/api/message-resource. Asked for by days, the oldest first, so that what was
fetched before a weak link broke is kept. The list gives the newest first, page by page; a day is turned round before it
is kept, so that an answer comes after its question. A text that was brought before has the same MessageSid.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from gateway.channels.base import ChannelConfig, Surroundings
from gateway.channels.forms import whole_characters
from gateway.channels.twilio import account_of, own_numbers
from gateway.errors import Busy
from gateway.incoming import Incoming
from outbox.address import parse_sender
from outbox.errors import AuthFailed, Deferred, Misconfigured, Throttled, Unavailable, UnknownResult
from outbox.senders.pool import Pool
from outbox.senders.wire import Answer, Wire, check_url

API_BASE = "https://api.twilio.com"
# A page must stay below what one answer may hold, also when every text is of ten parts.
PAGE = 20
PAGES = 500
STEP = timedelta(days=1)


async def fetch_missed(config: ChannelConfig, around: Surroundings, since: datetime) -> None:
    """Keep every text to our numbers that Twilio heard from `since` on. Raises a SendError when it cannot ask."""
    base = config.get("api_base") or API_BASE
    check_url(base)
    wire, pool = Wire(parallel=1), Pool(1, f"missed-{config.name}")
    now = around.clock()
    try:
        for number in own_numbers(config) or [""]:
            for begin, end in _days(since, now):
                messages = await pool.run(partial(_Log(wire, config, base).between, number, begin, end))
                await _keep(messages, config, around)
    finally:
        # A look that is broken off goes on in its thread for a while.
        pool.close(wire.close)


def _days(since: datetime, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Stretches that meet at their ends: who was heard in that very second is in both, and kept once."""
    begin = since.replace(microsecond=0)
    while begin <= now:
        # Twilio's clock may be before ours.
        end = begin + STEP if begin + STEP < now else now + timedelta(hours=1)
        yield begin, end
        begin += STEP


async def _keep(messages: list[dict[str, Any]], config: ChannelConfig, around: Surroundings) -> None:
    if around.intake is None:
        raise Busy("starting")
    for message in messages:
        await around.intake.receive(_incoming(message, config.name, around.clock()))
        around.heard(config.name, "kept")


def _incoming(message: dict[str, Any], channel: str, now: datetime) -> Incoming:
    text, raw = whole_characters(str(message.get("body") or ""))
    sender = parse_sender(str(message.get("from") or ""))
    return Incoming(
        channel=channel, sender=str(sender.address or f"raw:{sender.value}"), text=text, heard_at=now,
        external_id=str(message["sid"]), to=message.get("to"), raw=raw, sent_at=_sent_at(message),
    )  # fmt: skip


def _sent_at(message: dict[str, Any]) -> datetime | None:
    try:
        return parsedate_to_datetime(str(message.get("date_sent"))).astimezone(UTC)
    except ValueError:
        return None


class _Log:
    """One look at the list."""

    def __init__(self, wire: Wire, config: ChannelConfig, base: str) -> None:
        self._wire = wire
        self._base = base
        self._path = f"/2010-04-01/Accounts/{account_of(config)}/Messages.json"
        self._login = config.get("account_sid"), config.get("auth_token")

    def between(self, number: str, begin: datetime, end: datetime) -> list[dict[str, Any]]:
        """Texts to `number` (to any, when empty) from the second `begin` to the second `end`, the oldest first."""
        asked: dict[str, str] | None = {
            "DateSent>": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "DateSent<": f"{end:%Y-%m-%dT%H:%M:%SZ}", "PageSize": str(PAGE),
            **({"To": number} if number else {}),
        }  # fmt: skip
        found: dict[str, dict[str, Any]] = {}
        uri: str | None = self._path
        for _ in range(PAGES):
            page = self._page(f"{self._base}{uri}", asked)
            # A text that comes while we turn the pages moves the others: one may stand on two of them.
            found.update((str(one["sid"]), one) for one in page["messages"] if one.get("direction") == "inbound")
            uri, asked = _next(page), None
            if uri is None:
                oldest_first = list(found.values())[::-1]
                oldest_first.sort(key=lambda one: _sent_at(one) or begin)
                return oldest_first
        raise UnknownResult(detail={"body": "pages without end"})

    def _page(self, url: str, asked: dict[str, str] | None) -> dict[str, Any]:
        answer = self._wire.request("GET", url, params=asked, auth=self._login)
        if answer.status >= 300:
            raise _refusal(answer)
        try:
            page = json.loads(answer.text)
            if all("sid" in one for one in page["messages"]):
                return dict(page)
        except (ValueError, KeyError, TypeError):
            pass
        raise UnknownResult(detail={"body": "broken"})


def _next(page: dict[str, Any]) -> str | None:
    """The path of the next page; one at another host is not followed, for the password goes along."""
    uri = page.get("next_page_uri")
    if not uri:
        return None
    parts = urlsplit(str(uri))
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        raise UnknownResult(detail={"body": "next page elsewhere"})
    return str(uri)


def _refusal(answer: Answer) -> Exception:
    if answer.status in (401, 403):
        return AuthFailed(detail={"status": answer.status})
    if answer.status == 404:
        return Misconfigured(detail={"setting": "account_sid"})
    if answer.status == 429:
        return Throttled(retry_after=answer.retry_after, detail={"status": answer.status})
    kind = Unavailable if answer.status >= 500 else Deferred
    return kind(detail={"status": answer.status})
