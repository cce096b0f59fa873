"""Tables and hostile mail over a real LMTP listener, answered over a real SMTP server."""

import asyncio
import base64
import email.policy
import io
import smtplib
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from openpyxl import Workbook  # type: ignore[import-untyped]
from servers import Relay

from gateway.house import House
from tests.gateway.at_work import add_channel, at_work, mail_port, until
from tests.gateway.desk import Desk

XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "Tipo;Lugar;Fecha;Heridos\r\nextorsión;Nebaj;ayer;\r\nrobo;Chajul;9/3/2026;2\r\nrobo;Atlantis;;\r\n"


def open_channel(house: House, relay: Relay, **more: str) -> None:
    add_channel(
        house, "smtp", "correo", lmtp="127.0.0.1:0", host="127.0.0.1", port=str(relay.port), tls="none",
        **{"from": "reportes@gateway.example"}, **more,
    )  # fmt: skip


def letter(text: str, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Candelaria <panzos1@monitores.example>"
    message["To"] = "reportes@gateway.example"
    message["Subject"] = "Reportes de la semana"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def workbook() -> bytes:
    book = Workbook()
    for row in (("place", "type", "injured", "note"), ("Nebaj", "ROB", 2, "=1+1"), ("1607", "AME", None, "x")):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def deliver(office: Desk, raw: bytes, *, answers: int) -> list[str]:
    """The lines of what was answered, after the mail was taken with 250."""

    async def story() -> None:
        async with at_work(office.house, worker=True) as (running, _):
            port = mail_port(running, "correo")
            assert await asyncio.to_thread(send, port, raw) == 250

            async def all_sent() -> bool:
                return bool(sum(row.state == "sent" for row in office.outbox()) >= answers)

            await until(all_sent)

    asyncio.run(story())
    return [text for row in office.outbox() for text in office_text(office, row)]


def office_text(office: Desk, row: object) -> list[str]:
    return office.house.sealer.open("outbound_message", "text", row.id, row.text_sealed).splitlines()  # type: ignore[attr-defined]


def send(port: int, raw: bytes) -> int:
    with smtplib.LMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo()
        client.mail("panzos1@monitores.example")
        client.rcpt("reportes@gateway.example")
        return client.data(raw)[0]


def test_a_csv_and_a_workbook_become_reports_with_a_line_each(office: Desk, relay: Relay) -> None:
    open_channel(office.house, relay)
    message = letter("Buenos dias, adjunto los reportes de la semana. Saludos, Candelaria")
    message.add_attachment(CSV.encode("cp1252"), maintype="text", subtype="csv", filename="semana.csv")
    message.add_attachment(workbook(), maintype="application", subtype=XLSX, filename="otra.xlsx")
    message.add_attachment(b"\xff\xd8\xff" * 50, maintype="image", subtype="jpeg", filename="foto.jpg")
    lines = deliver(office, message.as_bytes(), answers=1)
    assert lines == [
        "semana.csv",
        "fila 2: R3000 Extorsion, Santa Maria Nebaj",
        "fila 3: R3001 Robo o asalto, Chajul",
        "fila 4: lugar: no se reconocio. Queda como borrador.",
        "otra.xlsx",
        "fila 2: R3002 Robo o asalto, Santa Maria Nebaj",
        "fila 3: R3003 Amenaza o intimidacion, Panzos",
    ]
    assert office.report(3001).fields == {"injured": 2}
    (mail,) = relay.mails
    reply = message_from_bytes(mail.content, policy=email.policy.default)
    assert reply["Subject"] == "Re: Reportes de la semana"
    assert "fila 3: R30" in reply.get_content()


BOMB = b"0" * 20_000_000


def hostile() -> dict[str, bytes]:
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", BOMB)
    bomb = letter("INC ROB NEBAJ ayer")
    bomb.add_attachment(out.getvalue(), maintype="application", subtype=XLSX, filename="bomba.xlsx")
    deep = b"From: panzos1@monitores.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    deep += b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 20_000 + b"INC ROB NEBAJ ayer\r\n"
    html = b"From: panzos1@monitores.example\r\nContent-Type: text/html\r\n\r\n" + b"<div><b>\r\n" * 150_000
    packed = b"From: panzos1@monitores.example\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    packed += base64.encodebytes(b"INC ROB NEBAJ ayer\n" + b"x" * 3_000_000).replace(b"\n", b"\r\n")
    return {"a zip bomb": bomb.as_bytes(), "deep parts": deep, "a wall of tags": html, "much base64": packed}


@pytest.mark.parametrize("what", ["a zip bomb", "deep parts", "a wall of tags", "much base64"])
def test_mail_made_to_hurt_is_taken_and_kept_whole(office: Desk, relay: Relay, what: str) -> None:
    open_channel(office.house, relay)
    raw = hostile()[what]
    deliver(office, raw, answers=0)
    (row,) = office.messages()
    kept = office.house.sealer.open("message", "raw", row.id, row.raw_sealed).encode("utf-8", "surrogateescape")
    assert kept.replace(b"\r\n", b"\n").rstrip() == raw.replace(b"\r\n", b"\n").rstrip()


def test_a_forged_coordinator_closes_nothing(office: Desk, relay: Relay) -> None:
    open_channel(office.house, relay, authserv_id="mx.ong.example")
    deliver(office, letter("INC ROB PANZOS ayer").as_bytes(), answers=0)
    forged = (
        letter("CERRAR 3000")
        .as_bytes()
        .replace(b"Candelaria <panzos1@monitores.example>", b"marta.coordinadora@oficina.example")
    )
    claim = b"Authentication-Results: mx.ong.example; dmarc=pass header.from=oficina.example\r\n"
    ours = b"Received: from evil by mx.ong.example; x\r\nAuthentication-Results: mx.ong.example; dmarc=fail\r\n"
    deliver(office, ours + claim + forged, answers=0)
    assert [(row.state, row.registered) for row in office.reports()] == [("open", False)]
    assert office.outbox() == []
