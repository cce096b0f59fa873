"""How texts come in on a played day: by HTTP and by mail, through the doors that a provider would use."""

import html.parser
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib
import httpx

from gateway.days.model import HTTP, MODEM, Text
from gateway.days.stage import OFFICE
from gateway.errors import VoceroError

TIMEOUT_S = 30.0
# Everything goes over plain loopback; reading the authorities for each call would take longer than the call.
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
SILENT_TAGS = ("script", "style", "template")


class DoorClosed(VoceroError):
    """The program did not take a text or show a page."""


async def post_text(port: int, token: str, text: Text, *, sent_at: datetime, delivery: str) -> None:
    """Hand over an SMS as the provider does. Raises DoorClosed unless it was kept."""
    body: dict[str, object] = {
        "from": (text.sender.address("tel") or "").removeprefix("tel:"), "text": text.body, "id": delivery,
        "sent_at": sent_at.isoformat(),
    }  # fmt: skip
    if text.part is not None:
        body["part"] = dict(zip(("ref", "seq", "total"), text.part, strict=True))
    channel = HTTP if text.via == "http" else MODEM
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=PLAIN) as client:
        answer = await client.post(
            f"http://127.0.0.1:{port}/in/{channel}", json=body, headers={"Authorization": f"Bearer {token}"}
        )
    if answer.status_code >= 300:
        raise DoorClosed(f"A text was not taken: {answer.status_code} {answer.text[:200]}")


async def post_mail(port: int, text: Text, *, sent_at: datetime, delivery: str) -> None:
    """Hand over a mail by SMTP, as the mail server of the office does. Raises DoorClosed unless it was kept."""
    address = (text.sender.address("mailto") or "").removeprefix("mailto:")
    mail = raw_mail(text, sent_at) if text.raw else made_mail(text, address, sent_at, delivery)
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False, timeout=TIMEOUT_S)
    try:
        await client.connect()
        await client.sendmail(address, [OFFICE], mail)
        await client.quit()
    except (aiosmtplib.SMTPException, OSError) as error:
        raise DoorClosed(f"A mail was not taken: {type(error).__name__}") from error
    finally:
        client.close()


def made_mail(text: Text, address: str, sent_at: datetime, delivery: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = address if text.sender.role == "stranger" else f"{text.sender.name} <{address}>"
    mail["To"] = OFFICE
    mail["Subject"] = text.subject
    mail["Date"] = format_datetime(sent_at)
    mail["Message-ID"] = f"<{delivery}@{address.rpartition('@')[2]}>"
    mail.set_content(text.body)
    return mail.as_bytes()


def raw_mail(text: Text, sent_at: datetime) -> bytes:
    """The mail as it stands in the file, with the Date of the step when it has none of its own."""
    lines = text.body.strip("\n").splitlines()
    head = lines[: lines.index("")] if "" in lines else lines
    if not any(line.lower().startswith("date:") for line in head):
        lines.insert(0, f"Date: {format_datetime(sent_at)}")
    return "\r\n".join([*lines, ""]).encode()


async def open_page(port: int, cookie: str, path: str) -> str:
    """The text of a page as an admin sees it. A page that is not there is told with its status."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=PLAIN, cookies={"vocero": cookie}) as client:
        answer = await client.get(f"http://127.0.0.1:{port}{path}")
    if answer.status_code != 200:
        return f"(status {answer.status_code})"
    return text_of(answer.text)


def text_of(page: str) -> str:
    """What a person reads on a page: its text without marks, and the values of its fields."""
    reader = _TextReader()
    reader.feed(page)
    return " ".join(" ".join(reader.found).split())


class _TextReader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT_TAGS
        named = dict(attrs)
        if tag == "input" and named.get("type", "text") not in ("hidden", "password"):
            self.found.append(named.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT_TAGS

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found.append(data)
