# ruff: noqa: N815 - the names are those of the libraries' hooks
"""Real web servers on loopback that answer as a test tells them, and keep what they heard."""

import base64
import contextlib
import datetime
import functools
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}


@dataclass
class Say:
    """One answer. `cut`: close the connection before it ("none"), within it ("body"); `slow`: seconds a byte."""

    status: int = 200
    body: str = ""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    cut: str = ""
    slow: float = 0.0
    hold: threading.Event | None = None


Answerer = Callable[[Heard], Say]


class HttpServer:
    """Answers each request with what `answer` says, in threads."""

    def __init__(self, answer: Answerer, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[Heard] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                heard = Heard(self.command, self.path, headers, body)
                outer.heard.append(heard)
                outer._speak(self, answer(heard))

            do_GET = do_POST

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @staticmethod
    def _speak(handler: BaseHTTPRequestHandler, say: Say) -> None:
        if say.hold is not None:
            say.hold.wait(20)
        if say.cut == "none":
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
            return
        body = say.body.encode()
        handler.send_response_only(say.status)
        for name, value in {"Content-Type": say.kind, "Content-Length": str(len(body)), **say.headers}.items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        if say.cut == "body":
            handler.wfile.write(body[: len(body) // 2])
            handler.wfile.flush()
            handler.connection.shutdown(socket.SHUT_RDWR)
            handler.close_connection = True
        elif say.slow:
            with contextlib.suppress(OSError):
                for byte in body:
                    handler.wfile.write(bytes([byte]))
                    handler.wfile.flush()
                    time.sleep(say.slow)
        else:
            handler.wfile.write(body)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def http_server(*answers: Say, tls: ssl.SSLContext | None = None) -> Iterator[HttpServer]:
    """Gives `answers` in turn, the last one for ever."""
    waiting = list(answers)
    server = HttpServer(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0], tls)
    try:
        yield server
    finally:
        server.close()


class FakeTwilio:
    """The Messages resource of Twilio's REST API, in memory; its answers are held against Twilio's own description.

    `stored` are messages as they stand in the account, in the order they were made. `arriving` come in, one each time
    a page is turned. `page_size` is the most a page holds.
    """

    def __init__(self, account: str = "AC" + "0" * 32, token: str = "secret") -> None:
        self.account, self.token = account, token
        self.holder = account
        self.messages: list[dict[str, Any]] = []
        self.stored: list[dict[str, Any]] = []
        self.arriving: list[dict[str, Any]] = []
        self.page_size = 50
        self.next: list[Say] = []
        self.next_lists: list[Say] = []
        self.keep_when_saying = True
        self.server = HttpServer(self._answer)

    def _answer(self, heard: Heard) -> Say:
        assert urlsplit(heard.path).path == f"/2010-04-01/Accounts/{self.holder}/Messages.json"
        login = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        if heard.headers.get("authorization") != f"Basic {login}":
            return Say(401, '{"code": 20003, "message": "Authenticate", "status": 401}')
        if heard.method == "GET":
            return self.next_lists.pop(0) if self.next_lists else self._list(heard)
        assert set(heard.form) <= set(described()["form"]["properties"]), heard.form
        say = self.next.pop(0) if self.next else None
        if say is None or (self.keep_when_saying and say.cut):
            message = self.add(heard.form)
            if say is None:
                return Say(201, json.dumps(fits(message, MESSAGE)))
        return say

    def _list(self, heard: Heard) -> Say:
        """The newest first; a page token names the message a page begins below."""
        asked = heard.query
        assert set(asked) <= {one["name"] for one in described()["query"]}, asked
        fit = [one for one in reversed([*self.messages, *self.stored]) if _is_asked_for(one, asked)]
        below = asked.get("PageToken")
        start = next(n for n, one in enumerate(fit) if f"PT{one['sid']}" == below) + 1 if below else 0
        size = min(int(asked.get("PageSize", 50)), self.page_size)
        page, more = fit[start : start + size], len(fit) > start + size
        path = f"/2010-04-01/Accounts/{self.holder}/Messages.json"
        following = {**asked, "PageToken": f"PT{page[-1]['sid']}", "Page": "1"} if more else None
        if self.arriving:
            self.stored.append(self.arriving.pop(0))
        return Say(body=json.dumps(fits({
            "messages": [fits(one, MESSAGE) for one in page], "page": 0, "page_size": size, "start": start,
            "end": start + len(page), "uri": heard.path, "first_page_uri": path, "previous_page_uri": None,
            "next_page_uri": f"{path}?{urlencode(following)}" if following else None,
        }, described()["list"])))  # fmt: skip

    def add(self, form: dict[str, str], **changes: Any) -> dict[str, Any]:
        """A message we sent."""
        number = len(self.messages)
        sender = {"from": form.get("From"), "to": form["To"], "body": form["Body"]}
        message = self._message(f"SM{number:032d}", datetime.datetime.now(datetime.UTC)) | sender | changes
        self.messages.append(message)
        return message

    def hear(self, number: int, text: str, at: datetime.datetime, **changes: Any) -> dict[str, Any]:
        """A message that Twilio heard at `at`, as it stands in the account afterwards."""
        message = self._message(f"SM{number:032x}", at) | {
            "direction": "inbound", "status": "received", "body": text, "to": "+15005550006",
            "from": f"+502555{number % 100_000:05d}", "date_sent": rfc_2822(at),
        }  # fmt: skip
        return message | changes

    def _message(self, sid: str, at: datetime.datetime) -> dict[str, Any]:
        return {
            "sid": sid, "account_sid": self.holder, "status": "queued", "num_segments": "1",
            "direction": "outbound-api", "error_code": None, "error_message": None, "api_version": "2010-04-01",
            "date_created": rfc_2822(at), "date_sent": None, "date_updated": rfc_2822(at), "num_media": "0",
            "price": None, "price_unit": "USD", "messaging_service_sid": None, "uri": f"/2010-04-01/{sid}.json",
            "subresource_uris": {"media": f"/2010-04-01/{sid}/Media.json"},
        }  # fmt: skip

    def close(self) -> None:
        self.server.close()


MESSAGE = {"$ref": "#/components/schemas/api.v2010.account.message"}


def _is_asked_for(message: dict[str, Any], asked: dict[str, str]) -> bool:
    """Dates are inclusive on both sides, to the second; what has not been sent has none."""
    if any(asked.get(name, message[name.lower()]) != message[name.lower()] for name in ("To", "From")):
        return False
    sent = message["date_sent"]
    at = parsedate_to_datetime(sent) if sent else None
    if ("DateSent>" in asked or "DateSent<" in asked) and at is None:
        return False
    low, high = (datetime.datetime.fromisoformat(asked[n]) if n in asked else at for n in ("DateSent>", "DateSent<"))
    return bool(at is None or low <= at <= high)


def rfc_2822(at: datetime.datetime) -> str:
    return format_datetime(at.astimezone(datetime.UTC)).replace("GMT", "+0000")


@functools.cache
def described() -> dict[str, Any]:
    """Twilio's own description of the resource."""
    found: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "twilio_messages.json").read_text())
    return found


def fits(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """`document`, which must be what the description says (OpenAPI 3.0: `nullable` besides JSON Schema)."""
    import jsonschema

    known = {"components": described()["components"], **schema}
    jsonschema.validate(document, _plain(known))
    return document


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(value) for name, value in schema.items() if name != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain
