"""Mail of ours that comes back, over a real connection."""

import smtplib
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from uuid_utils.compat import uuid7

from gateway.house import House
from outbox.rows import OUTBOUND, NewMessage, new_rows
from tests.gateway.channels.test_mail_listener import kept, with_mail
from tests.parsers.test_mail_bounce import ORIGINAL, free, report


def put_sent(house: House, provider_id: str | None = None) -> Any:
    """A mail that its relay took."""
    message = NewMessage(id=uuid7(), kind="digest", channel="salida", to="mailto:marta@ong.example", text="Informe")
    rows = new_rows([message], seals=house.sealer, now=house.clock())
    name = provider_id or f"<{message.id}@vocero.example>"
    rows[0] |= {"state": "sent", "provider_id": name, "provider_hash": house.sealer.hash("provider", name)}
    house.writer.write_now(lambda conn: conn.execute(insert(OUTBOUND), rows))
    return message.id, name


def row(house: House, message_id: Any) -> Any:
    return house.read_now(lambda conn: conn.execute(select(OUTBOUND).where(OUTBOUND.c.id == message_id)).one())


def bring(house: House, *mails: bytes, to: str = "vocero@example.org") -> None:
    def peer(port: int, _lmtp: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            for mail in mails:
                client.sendmail("", [to], mail)

    with_mail(house, peer)


def about(name: str) -> str:
    return ORIGINAL.replace(ORIGINAL.split("Message-ID: ")[1].split("\r\n")[0], name)


FATES = {
    "refused for good": ("failed", "5.1.1", "failed", "bounced"),
    "given up": ("failed", "4.4.1", "failed", "bounced_temporary"),
    "still trying": ("delayed", "4.4.1", "sent", None),
    "delivered": ("delivered", "2.0.0", "delivered", None),
}


@pytest.mark.parametrize("label", FATES)
def test_a_bounce_says_what_became_of_a_mail_and_is_answered_by_nobody(house: House, label: str) -> None:
    action, status, state, error = FATES[label]
    message_id, name = put_sent(house)
    bring(house, report(action, status, about(name)))
    assert (row(house, message_id).state, row(house, message_id).error) == (state, error)
    assert [one.state for one in kept(house)] == ["auto_reply"]
    assert house.read_now(lambda conn: conn.execute(select(OUTBOUND.c.id)).all()) == [(message_id,)]


def test_a_bounce_in_plain_spanish_is_linked_by_the_mail_below_it(house: House) -> None:
    message_id, name = put_sent(house)
    bring(house, free(f"No se pudo entregar su mensaje a marta@ong.example: no existe.\r\n\r\n{about(name)}"))
    assert row(house, message_id).error == "bounced"


def test_a_bounce_that_quotes_nothing_is_linked_by_the_address_it_comes_to(house: House) -> None:
    message_id, _ = put_sent(house)
    bring(house, free("No se pudo entregar"), to=f"vocero+{message_id.hex}@example.org")
    assert row(house, message_id).error == "bounced"


def test_a_mail_with_an_id_of_its_own_is_found_by_it(house: House) -> None:
    message_id, name = put_sent(house, "<digest-17@vocero.example>")
    house.writer.write_now(lambda conn: conn.execute(update(OUTBOUND).values(channel="correo")))
    bring(house, report("failed", "5.1.1", about(name)))
    assert row(house, message_id).error == "bounced"


def test_a_bounce_of_nothing_of_ours_changes_nothing(house: House) -> None:
    message_id, _ = put_sent(house)
    bring(house, report("failed", "5.1.1"), free("No se pudo entregar su mensaje a marta@ong.example"))
    assert row(house, message_id).state == "sent"


def test_a_warning_after_the_end_and_the_same_bounce_twice_change_nothing_more(house: House) -> None:
    message_id, name = put_sent(house)
    failed = report("failed", "5.1.1", about(name))
    bring(house, failed, failed, report("failed", "4.4.1", about(name)).replace(b"<9@", b"<10@"))
    assert row(house, message_id).error == "bounced"


def test_our_own_mail_sent_on_to_us_starts_no_loop(house: House) -> None:
    raw = f"From: ana@example.org\r\nMessage-ID: <1@x.org>\r\nX-Vocero-Message: {uuid7()}\r\n\r\ninc rob nebaj ayer\r\n"

    def peer(port: int, _lmtp: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.sendmail("ana@example.org", ["vocero@example.org"], raw)

    with_mail(house, peer)
    assert [one.state for one in kept(house)] == ["auto_reply"]
    assert house.read_now(lambda conn: conn.execute(select(OUTBOUND.c.id)).all()) == []
