# ruff: noqa: N802, N815 - the names are those of the libraries' hooks
"""Real servers on loopback that answer as a test tells them, and keep what they heard."""

import asyncio
import contextlib
import datetime
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


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


def certificate(folder: Path, name: str = "localhost") -> tuple[ssl.SSLContext, str]:
    """A context of a server with a certificate of its own making, and the file a client must trust for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate_file, key_file)
    return context, str(certificate_file)


@dataclass
class Mail:
    sender: str
    recipients: list[str]
    content: bytes


class Relay:
    """An aiosmtpd server. `refuse` maps a stage (MAIL, RCPT, DATA) to answers given in turn before a yes."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, starttls: bool = False, login: str | None = None) -> None:
        self.mails: list[Mail] = []
        self.sessions: list[int] = []
        self.refuse: dict[str, list[str]] = {}
        self.drop_after_dot = 0
        self.drop_at_rcpt = 0
        self._transports: list[Any] = []
        arguments: dict[str, Any] = {}
        if starttls:
            arguments = {"tls_context": tls, "require_starttls": True}
        if login:
            arguments |= {"authenticator": self._authenticate, "auth_required": True}
            self._login = login
        wrapping = None if starttls else tls
        self.controller = Controller(
            self, hostname="127.0.0.1", port=_free_port(), ssl_context=wrapping, ready_timeout=10, **arguments
        )
        self.controller.start()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._transports.append(server.transport)
        return responses

    @property
    def port(self) -> int:
        return int(self.controller.port)

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password.decode() == self._login, handled=False)

    def _refusal(self, stage: str) -> str | None:
        waiting = self.refuse.get(stage)
        return waiting.pop(0) if waiting else None

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self._refusal("MAIL"):
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.drop_at_rcpt:
            self.drop_at_rcpt -= 1
            server.transport.abort()
            return "421 gone"
        if answer := self._refusal("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if answer := self._refusal("DATA"):
            return answer
        assert isinstance(envelope.content, bytes)
        self.mails.append(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), envelope.content))
        self.sessions.append(id(session))
        if self.drop_after_dot:
            self.drop_after_dot -= 1
            server.transport.abort()
        return "250 taken"

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.controller.loop).result(5)
        self.controller.stop()

    async def _hang_up(self) -> None:
        """Let the loop see every connection end before it ends itself."""
        for transport in self._transports:
            transport.abort()
        for _ in range(20):
            await asyncio.sleep(0.001)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def silent_server(greeting: bytes = b"") -> Iterator[int]:
    """Takes connections, says `greeting` and nothing more."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                connection.sendall(greeting)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in kept:
            connection.close()
        thread.join(5)
