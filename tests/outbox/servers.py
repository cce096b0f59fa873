"""Every server of the outbox's tests under one name."""

from outbox_http import FakeTwilio, Heard, HttpServer, Say, http_server
from outbox_mail import Mail, Relay, silent_server
from outbox_tls import certificate

__all__ = ["FakeTwilio", "Heard", "HttpServer", "Mail", "Relay", "Say", "certificate", "http_server", "silent_server"]
