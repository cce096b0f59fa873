"""No answer to ourselves, to short codes and to names: two machines that answer each other never stop."""

from datetime import timedelta

import pytest

from gateway.channels import registry
from tests.conftest import HandClock
from tests.gateway.desk import Desk

SID, SECRET = "AC" + "0" * 32, "a-secret-of-the-test-0123"
SETTINGS = {
    "twilio": {
        "account_sid": SID, "auth_token": SECRET, "from": "+50255557000", "numbers": "+50255557001,+50255557002",
    },
    "http": {"token": SECRET, "send_url": "http://127.0.0.1:9/send", "from": "5555 7003"},
    "smtp": {"host": "127.0.0.1", "from": "Vocero@Oficina.example", "tls": "none"},
}  # fmt: skip
OURS = ["tel:+50255557000", "tel:+50255557001", "tel:+50255557002", "tel:+50255557003", "mailto:vocero@oficina.example"]


@pytest.fixture
def office(desk: Desk) -> Desk:
    """A desk with channels that have numbers and a mailbox of their own."""
    for kind in SETTINGS:
        add(desk, kind)
    return desk


def add(desk: Desk, kind: str) -> None:
    house = desk.house
    house.writer.write_now(lambda conn: registry.add(
        conn, house.sealer, kind=kind, name=f"own-{kind}", values=SETTINGS[kind], at=house.clock(), actor="test"
    ))  # fmt: skip


@pytest.mark.parametrize("sender", OURS)
@pytest.mark.parametrize("text", ["inc rob nebaj ayer 2 heridos", "hola", "AYUDA", "BAJA"])
def test_a_text_from_our_own_number_is_kept_and_not_answered(office: Desk, sender: str, text: str) -> None:
    office.say(sender, text)
    assert len(office.messages()) == 1
    assert office.outbox() == []


@pytest.mark.parametrize("sender", ["raw:1500", "raw:TIGO", "raw:", "raw:*123#"])
def test_a_short_code_or_a_name_is_kept_and_not_answered(office: Desk, sender: str) -> None:
    office.say(sender, "Su saldo es Q5.00. Responda SI")
    assert len(office.messages()) == 1
    assert office.outbox() == []


def test_another_number_is_answered(office: Desk) -> None:
    office.say("tel:+50255557009", "inc rob nebaj ayer")
    assert len(office.outbox()) == 1


def test_two_machines_that_answer_each_other_stop(office: Desk, clock: HandClock) -> None:
    """The other one sends back what it was told, for ever: one text goes twice an hour at most, so it runs dry."""
    other, said, answers = "tel:+50255557009", "inc rob nebaj ayer", list[int]()
    for _ in range(60):
        clock.now += timedelta(seconds=10)
        office.say(other, said)
        said = office.told(other)[-1]
        answers.append(len(office.outbox()))
    assert answers[-1] <= 12
    assert answers[-1] == answers[30]
