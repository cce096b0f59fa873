# ruff: noqa: N802 - the names are those of the libraries' hooks
"""Real mail servers on loopback that answer as a test tells them, and keep what they heard."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


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
        self.transports: list[Any] = []
        arguments: dict[str, Any] = {}
        if starttls:
            arguments = {"tls_context": tls, "require_starttls": True}
        if login:
            bare = tls is None
            arguments |= {
                "authenticator": self._authenticate, "auth_required": not bare, "auth_require_tls": not bare,
            }  # fmt: skip
            self.password = login
        wrapping = None if starttls else tls
        self.controller = Controller(
            self, hostname="127.0.0.1", port=_free_port(), ssl_context=wrapping, ready_timeout=10, **arguments
        )
        self.controller.start()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.transports.append(server.transport)
        return responses

    @property
    def port(self) -> int:
        return int(self.controller.port)

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password.decode() == self.password, handled=False)

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
        for transport in self.transports:
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
