"""The other end of the wires: an SMS provider and a mail server on loopback, which write down what they get and can be
taken away, so that connections are refused."""

import asyncio
import email
import json
import socket
import threading
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.clock import Clock
from gateway.days.record import Send

SIZE_LIMIT = 10 * 1024 * 1024
Take = Callable[[Send], None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Provider:
    """Takes SMS as JSON `{id, to, text}`, as the generic HTTP channel hands them over."""

    def __init__(self, clock: Clock, take: Take) -> None:
        self.port = free_port()
        self._clock = clock
        self._take = take
        self._seen: set[str] = set()
        self._server: ThreadingHTTPServer | None = None

    def up(self) -> None:
        if self._server is not None:
            return
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                answer = json.dumps({"id": provider.accept(json.loads(body))}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_arguments: Any) -> None:
                """Texts and numbers are written down, not logged."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="day-sms", daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def accept(self, message: dict[str, str]) -> str:
        name = message["id"]
        send = Send(self._clock(), f"tel:{message['to']}", "sms", message["text"], name, again=name in self._seen)
        self._seen.add(name)
        self._take(send)
        return f"sms-{name}"


class Post:
    """Takes mail over SMTP in a thread of its own, at the time of the day."""

    def __init__(self, clock: Clock, take: Take) -> None:
        self.port = free_port()
        self._clock = clock
        self._take = take
        self._seen: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._sessions: set[SMTP] = set()

    def up(self) -> None:
        if self._loop is not None:
            return
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="day-mail", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(loop), loop).result(10)

    def down(self) -> None:
        """Listen no more, and let go of connections that were kept."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        self._loop = self._thread = self._server = None

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _session(self) -> SMTP:
        session = SMTP(self, data_size_limit=SIZE_LIMIT, hostname="localhost", loop=self._loop)
        self._sessions.add(session)
        return session

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = email.message_from_bytes(bytes(envelope.original_content or b""), policy=default)
        assert isinstance(mail, EmailMessage)
        name = str(mail["Message-ID"] or "").strip()
        body = mail.get_body(("plain", "html"))
        text = str(body.get_content()) if body is not None else ""
        for to in envelope.rcpt_tos:
            again = f"{name} {to}" in self._seen
            self._seen.add(f"{name} {to}")
            self._take(
                Send(
                    self._clock(), f"mailto:{to}", "email", text.strip(), name, str(mail["Subject"] or ""), again=again
                )
            )
        return "250 taken"
