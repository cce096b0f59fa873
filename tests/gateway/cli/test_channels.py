"""`vocero channel show`, `test`, `rate`, and what the doctor tells of channels."""

import os
from pathlib import Path

from tests.gateway.cli.conftest import PEOPLE, Vocero

SECRET = "a-secret-of-the-test-0123"
SEND = "send_url=http://127.0.0.1:9/send"


def test_a_channel_is_shown_with_what_to_paste_and_without_its_secret(vocero: Vocero) -> None:
    vocero("channel", "add", "kannel", "telco", "--set", f"token={SECRET}", "--set", SEND, "--set", "username=vocero")
    vocero("channel", "budget", "telco", "--price", "0.25", "--segments", "500", "--cost", "100")
    shown = vocero("channel", "show", "telco")
    assert shown.code == 0
    assert "state: active" in shown.out and "0 of 500 segments, 0.00 of 100.00 GTQ, 0 %" in shown.out
    assert "/in/telco?token=********&" in shown.out and SECRET not in shown.out + shown.err
    assert vocero("channel", "show", "nada").code == 1


def test_a_test_is_queued_for_who_can_be_reached_by_it(vocero: Vocero) -> None:
    vocero("channel", "add", "http", "telco", "--set", f"token={SECRET}", "--set", SEND)
    assert vocero("channel", "test", "telco", "55550101").code == 0
    assert "queue: 1 waiting" in vocero("channel", "show", "telco").out
    assert vocero("channel", "test", "telco", "who@example.org").code == 2
    assert vocero("channel", "test", "nada", "55550101").code == 1
    vocero("channel", "pause", "telco")
    assert vocero("channel", "test", "telco", "55550101").code == 2


def test_a_rate_is_changed_and_taken_away(vocero: Vocero) -> None:
    vocero("channel", "add", "http", "telco", "--set", f"token={SECRET}", "--set", SEND)
    assert vocero("channel", "rate", "telco", "0.5").code == 0
    assert "0.5" in vocero("channel", "list").out
    assert vocero("channel", "rate", "telco").code == 0
    assert "0.5" not in vocero("channel", "list").out
    assert vocero("channel", "rate", "telco", "0").code == 2


def test_the_doctor_tells_of_modem_budget_and_who_stands_in(vocero: Vocero, tmp_path: Path) -> None:
    spool = tmp_path / "sms"
    (spool / "stats").mkdir(parents=True)
    (spool / "stats" / "status").write_text("Status\nGSM1: 1, Idle, 0, 0, ssi: -63 dBm\n")
    vocero("channel", "add", "smstools", "usb", "--set", f"spool={spool}")
    told = vocero("doctor").out
    assert "signal -63 dBm" in told and "none stands in" not in told
    vocero("channel", "add", "http", "telco", "--set", f"token={SECRET}", "--set", SEND)
    vocero("channel", "budget", "telco", "--segments", "500")
    told = " ".join(vocero("doctor").out.split())
    assert "0 of 500 segments" in told and "when one of usb, telco fails, none stands in" in told
    vocero("route", "add", "all", "usb", "telco")
    assert "none stands in" not in vocero("doctor").out


def test_a_modem_that_hangs_does_not_hold_the_command(vocero: Vocero, tmp_path: Path) -> None:
    (tmp_path / "stats").mkdir()
    os.mkfifo(tmp_path / "stats" / "status")
    vocero("channel", "add", "smstools", "usb", "--set", f"spool={tmp_path}")
    shown = vocero("channel", "show", "usb")
    assert shown.code == 0 and "modem:" not in shown.out
    (tmp_path / "stats" / "status").write_text("")


def test_how_a_person_wants_answers_is_noted(vocero: Vocero) -> None:
    vocero("contact", "import", str(PEOPLE))
    for way in ("email", "sms", "same"):
        assert vocero("contact", "answers", "55550101", way).code == 0
    assert vocero("contact", "answers", "55550101", "pigeon").code == 2
    assert vocero("contact", "answers", "44440000", "sms").code == 1
