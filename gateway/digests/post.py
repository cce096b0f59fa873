"""What makes a digest a mail people can live with: one thread a day, the same id if sent again, a way out."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import datetime
from hmac import compare_digest
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from gateway.routes import Way
from gateway.sealing import Sealer
from outbox.errors import Misconfigured
from outbox.senders.mime import sender_of

PURPOSE = "unsubscribe"
KEY_BYTES = 16


def stop_token(key: UUID, sealer: Sealer) -> str:
    """A token that lets who holds it pause this subscription and nothing else."""
    return urlsafe_b64encode(key.bytes + sealer.hash(PURPOSE, str(key))).decode().rstrip("=")


def read_stop_token(token: str, sealer: Sealer) -> UUID | None:
    """The subscription a token is for; None for what we did not make."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        key = UUID(bytes=raw[:KEY_BYTES])
    except (Error, ValueError):
        return None
    return key if compare_digest(raw[KEY_BYTES:], sealer.hash(PURPOSE, str(key))) else None


def stop_link(base_url: str, key: UUID, sealer: Sealer) -> str:
    return f"{base_url}/unsubscribe/{stop_token(key, sealer)}"


def mail_headers(row: Row, end: datetime, *, base_url: str, way: Way, sealer: Sealer) -> dict[str, str]:  # type: ignore[type-arg]
    """Headers of the digest of the subscription `row` whose period ends at `end`.

    Digests of one local day are one thread (RFC 5322 3.6.4); programs that offer it pause the subscription by one
    click (RFC 8058), which they do only where our address is https.
    """
    name = sealer.hash("digest", str(row.id)).hex()
    domain = _domain(base_url, way)
    thread = f"<digest.{name}.{end.astimezone(ZoneInfo(row.zone)):%Y%m%d}@{domain}>"
    return {
        "Message-ID": f"<digest.{name}.{end:%Y%m%dT%H%M%SZ}@{domain}>", "In-Reply-To": thread, "References": thread,
        "Auto-Submitted": "auto-generated", "List-ID": f"<digest.{domain}>",
        "List-Unsubscribe": f"<{stop_link(base_url, row.id, sealer)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }  # fmt: skip


def _domain(base_url: str, way: Way) -> str:
    """Of the address that sends, else of our own."""
    try:
        return sender_of(str(way.config.get("from") or ""))[1].rpartition("@")[2]
    except Misconfigured:
        return urlsplit(base_url).hostname or "localhost"
