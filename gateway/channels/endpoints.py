"""`POST /in/{channel}` and `/in/{channel}/status`: bare ASGI, because this path must bear every text of a country.

Nothing is parsed before its size, its method and its media type are known. Errors are `{"error": {"code", "message"}}`.
"""

import asyncio
import json
import time
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from starlette.types import Message, Receive, Scope, Send

from gateway.channels.base import (
    BODY_LIMIT,
    RECEIPT_LIMIT,
    ChannelError,
    Door,
    HttpAnswer,
    HttpCall,
    Letter,
    RoundDoor,
    RoundEnd,
    StatusReport,
)  # fmt: skip
from gateway.clock import Clock
from gateway.errors import Busy
from gateway.incoming import Receipt, Receiver

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from outbox.senders.base import Envelope

BODY_TIME_S = 10.0
LARGE_BODY_TIME_S = 120.0
JSON = b"application/json"


class Desk(Protocol):
    """What the endpoints need of the running gateway."""

    base_url: str
    clock: Clock

    @property
    def doors(self) -> Mapping[str, Door | RoundDoor]:
        """Doors of the channels that hear, by name."""
        ...

    @property
    def intake(self) -> Receiver:
        """The one door for every text."""
        ...

    async def keep_letter(self, channel: str, letter: Letter) -> Receipt:
        """Read and keep a mail; raises Busy or ChannelError when nothing was kept."""
        ...

    async def note(self, channel: str, report: StatusReport) -> None:
        """Record a delivery receipt; raises Busy when nothing was kept."""
        ...

    async def hand_over(self, channel: str, limit: int, hold: timedelta | None) -> "Sequence[Envelope]":
        """Give up to `limit` due messages to the device that asks, leased for `hold`; without it they are sent."""
        ...

    async def owed(self, channel: str) -> "Sequence[UUID]":
        """Ids of the messages that the device has and has not told of."""
        ...

    def refused(self, channel: str, code: str) -> None:
        """Note in the audit log that a known caller brought what is not for us; returns at once."""
        ...

    def heard(self, channel: str, result: str, seconds: float) -> None:
        """Count a call and how long it took."""
        ...


class Disconnected(Exception):
    """The caller went away before its body was complete: nothing is kept."""


class Hear:
    """The endpoint for texts."""

    limit = BODY_LIMIT

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        name = scope["path_params"]["channel"]
        result = "refused"
        try:
            door = self._desk.doors.get(name)
            call = await read_call(scope, receive, door, self._desk.base_url, self.limit_of(door))
            call = replace(call, at=self._desk.clock())
            answer = await self.do(name, _there(door), call)
            result = "kept"
        except ChannelError as error:
            if error.audited:
                self._desk.refused(name, error.code)
            await send_error(send, error)
        except Busy as error:
            result = "busy"
            await send_error(send, ChannelError(503, "busy", str(error), retry_after=error.retry_after))
        except Disconnected:
            pass
        else:
            await send_answer(send, answer)
        self._desk.heard(name if door else "", result, time.perf_counter() - started)

    def limit_of(self, door: Door | RoundDoor | None) -> int:
        return int(getattr(door, "limit", self.limit))

    async def do(self, name: str, door: Door | RoundDoor, call: HttpCall) -> HttpAnswer:
        if _makes_rounds(door):
            return await self._round(name, door, call)
        heard = door.hear(call, self._desk.clock())
        if isinstance(heard, Letter):
            return door.answer(await self._desk.keep_letter(name, heard))
        return door.answer(await self._desk.intake.receive(heard))

    async def _round(self, name: str, door: RoundDoor, call: HttpCall) -> HttpAnswer:
        """Everything a device brings is kept before it hears yes and gets what it is to send."""
        found = door.read(call, self._desk.clock())
        receipts = await asyncio.gather(*(self._desk.intake.receive(text) for text in found.texts))
        for report in found.reports:
            await self._desk.note(name, report)
        given = await self._desk.hand_over(name, found.takes, found.hold) if found.takes else ()
        owed = await self._desk.owed(name) if found.asks else ()
        return door.reply(call, RoundEnd(receipts, given, owed))


class HearReceipt(Hear):
    """The endpoint for delivery receipts."""

    limit = RECEIPT_LIMIT

    def limit_of(self, _door: Door | RoundDoor | None) -> int:
        return self.limit

    async def do(self, name: str, door: Door | RoundDoor, call: HttpCall) -> HttpAnswer:
        if _makes_rounds(door):
            return await self._round(name, door, call)
        report = door.receipt(call)
        if report is not None:
            await self._desk.note(name, report)
        return door.noted()


def _makes_rounds(door: Door | RoundDoor) -> "TypeIs[RoundDoor]":
    return hasattr(door, "read")


async def read_call(
    scope: Scope, receive: Receive, door: Door | RoundDoor | None, base_url: str, limit: int
) -> HttpCall:
    """The call with its whole body; raises ChannelError before anything of it is parsed."""
    method: str = scope["method"]
    methods = door.methods if door is not None else ("POST",)
    if method not in methods:
        raise ChannelError(405, "method_not_allowed", f"Only {' and '.join(methods)} is taken here.", allow=methods)
    headers: dict[bytes, bytes] = dict(scope["headers"])
    media = headers.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
    length = headers.get(b"content-length", b"")
    if length and not (length.isdigit() and len(length) < 10 and int(length) <= limit):
        raise ChannelError(413, "too_large", f"The body may have at most {limit} bytes.")
    if method != "GET" and media not in _there(door).media:
        raise ChannelError(415, "unsupported_media_type", f"The body must be {' or '.join(_there(door).media)}.")
    query: bytes = scope["query_string"]
    url = base_url + scope["raw_path"].decode("latin-1") + (f"?{query.decode('latin-1')}" if query else "")
    return HttpCall(url, media, headers, query, await read_body(receive, limit), method)


def _there(door: Door | RoundDoor | None) -> Door | RoundDoor:
    if door is None:
        raise ChannelError(404, "no_such_channel", "There is no channel of this name that takes calls.")
    return door


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body, bounded in size while it streams and in time. Raises ChannelError or Disconnected."""
    message = await _first(receive)
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= limit:
        return body
    try:
        async with asyncio.timeout(BODY_TIME_S if limit <= BODY_LIMIT else LARGE_BODY_TIME_S):
            while message.get("more_body", False):
                if len(body) > limit:
                    break
                message = await receive()
                body += _part(message)
    except TimeoutError as error:
        raise ChannelError(408, "too_slow", "The body came too slowly.") from error
    if len(body) > limit:
        raise ChannelError(413, "too_large", f"The body may have at most {limit} bytes.")
    return body


async def _first(receive: Receive) -> Message:
    async with asyncio.timeout(BODY_TIME_S):
        message = await receive()
    _part(message)
    return message


def _part(message: MutableMapping[str, Any]) -> bytes:
    if message["type"] == "http.disconnect":
        raise Disconnected
    return bytes(message.get("body", b""))


async def send_answer(send: Send, answer: HttpAnswer, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    size = str(len(answer.body)).encode()
    fixed = [(b"content-type", answer.media), (b"content-length", size), *headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": fixed})
    await send({"type": "http.response.body", "body": answer.body})


async def send_error(send: Send, error: ChannelError) -> None:
    body = json.dumps({"error": {"code": error.code, "message": error.message}}).encode()
    # After 413 the server swallows the rest of the body: closing at once would take the answer away from the caller.
    headers = [(b"connection", b"close")] if error.status == 408 else []
    if error.status == 405:
        headers.append((b"allow", ", ".join(error.allow).encode()))
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if error.retry_after is not None:
        headers.append((b"retry-after", str(error.retry_after).encode()))
    await send_answer(send, HttpAnswer(error.status, JSON, body), tuple(headers))
