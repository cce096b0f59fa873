# ruff: noqa: N815 - the names are those of the libraries' hooks
"""Real web servers on loopback that answer as a test tells them, and keep what they heard."""

import contextlib
import datetime
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


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
    """The Messages resource of Twilio's REST API, in memory."""

    def __init__(self, account: str = "AC" + "0" * 32, token: str = "secret") -> None:
        self.account, self.token = account, token
        self.messages: list[dict[str, Any]] = []
        self.next: list[Say] = []
        self.keep_when_saying = True
        self.server = HttpServer(self._answer)

    def _answer(self, heard: Heard) -> Say:
        assert urlsplit(heard.path).path == f"/2010-04-01/Accounts/{self.account}/Messages.json"
        if heard.method == "GET":
            to = heard.query["To"]
            page = [message for message in reversed(self.messages) if message["to"] == to]
            return Say(body=json.dumps({"messages": page, "page": 0, "page_size": 50, "next_page_uri": None}))
        say = self.next.pop(0) if self.next else None
        if say is None or (self.keep_when_saying and say.cut):
            message = self.add(heard.form)
            if say is None:
                return Say(201, json.dumps(message))
        return say

    def add(self, form: dict[str, str], **changes: Any) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC)
        message = {
            "sid": f"SM{len(self.messages):032d}", "account_sid": self.account, "to": form["To"],
            "from": form.get("From"), "body": form["Body"], "status": "queued", "num_segments": "1",
            "direction": "outbound-api", "error_code": None, "error_message": None, "api_version": "2010-04-01",
            "date_created": now.strftime("%a, %d %b %Y %H:%M:%S +0000"), "date_sent": None,
            "date_updated": now.strftime("%a, %d %b %Y %H:%M:%S +0000"), "num_media": "0", "price": None,
            "price_unit": "USD", "messaging_service_sid": None, "uri": "/x", "subresource_uris": {},
        } | changes  # fmt: skip
        self.messages.append(message)
        return message

    def close(self) -> None:
        self.server.close()
