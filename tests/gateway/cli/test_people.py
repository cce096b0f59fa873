"""People, channels, logins, subscriptions and words by command."""

from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.gateway.cli.conftest import PEOPLE, Result, Vocero

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
MARTA = "marta.coordinadora@oficina.example"


def test_people_are_imported_and_listed_masked(vocero: Vocero) -> None:
    assert "25 added" in vocero("contact", "import", str(PEOPLE)).err
    assert "0 added, 25 brought up to date" in vocero("contact", "import", str(PEOPLE)).err
    masked, shown = vocero("contact", "list").out, vocero("contact", "list", "--show").out
    assert "Ana Cobo" in masked
    assert "50255550101" not in masked
    assert "+50255550101" in shown


def test_a_wrong_table_takes_nobody_and_names_the_lines(vocero: Vocero, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("phone,email,name,role\n55550101,,Ana,monitor\n,,Rosa,monitor\n77,,Eva,chief\n")
    result = vocero("contact", "import", str(table))
    assert result.code == 1
    assert result.err.splitlines() == [
        "line 3: phone and email are both missing",
        "line 4: phone is not a number",
        "line 4: role must be one of monitor, coordinator, admin",
    ]
    assert len(vocero("contact", "list").out.splitlines()) == 1


def test_one_person_is_added_stopped_and_let_in_again(vocero: Vocero) -> None:
    assert vocero("contact", "add", "--name", "Ana", "--phone", "5555 0101", "--place", "1413").code == 0
    for command, status in (("suspend", "suspended"), ("approve", "active"), ("left", "left")):
        assert vocero("contact", command, "55550101").code == 0
        assert status in vocero("contact", "list").out
    assert vocero("contact", "add", "--name", "Eva").code == 1


def test_a_subscription_is_made_listed_paused_and_removed(vocero: Vocero) -> None:
    vocero("contact", "import", str(PEOPLE))
    made = vocero("subscription", "add", MARTA, "--by", "email", "--at", "18:00,6:00", "--places", "14,07")
    key = made.out.strip()
    assert made.code == 0
    listed = vocero("subscription", "list").out
    assert all(word in listed for word in (key, "06:00,18:00", "14,07", "America/Guatemala", "m***@oficina.example"))
    again = vocero("subscription", "add", MARTA, "--by", "email", "--at", "06:00,18:00", "--places", "14,07")
    assert again.code == 1
    assert vocero("subscription", "pause", key[-6:]).code == 0
    assert "paused" in vocero("subscription", "list").out
    assert vocero("subscription", "remove", key).code == 0
    assert key not in vocero("subscription", "list").out
    assert vocero("subscription", "remove", key).code == 1


def test_importing_a_coordinator_makes_no_subscription(vocero: Vocero) -> None:
    vocero("contact", "import", str(PEOPLE))
    assert len(vocero("subscription", "list").out.splitlines()) == 1


def test_a_login_is_a_link_that_works_once(vocero: Vocero, settings: Settings) -> None:
    link = vocero("user", "add", "marta", "--role", "coordinator")
    assert link.out.startswith(f"{settings.base_url}/setup/")
    assert vocero("user", "add", "marta", "--role", "admin").code == 1


def add_twilio(vocero: Vocero, *more: str) -> Result:
    sid = "AC" + "0" * 32
    values = (f"account_sid={sid}", "auth_token=verysecret", "from=+15005550006")
    return vocero("channel", "add", "twilio", "tigo", *(word for value in values for word in ("--set", value)), *more)


def test_settings_may_follow_one_set_or_each_its_own(vocero: Vocero) -> None:
    one = ("--set", "token=abcdefghijkl", "send_url=http://127.0.0.1:9/")
    each = ("--set", "token=abcdefghijkl", "--set", "send_url=http://127.0.0.1:9/")
    assert vocero("channel", "add", "http", "one", *one).code == 0
    assert vocero("channel", "add", "http", "each", *each).code == 0
    assert vocero("channel", "list").out.count("send_url=http://127.0.0.1:9/ token=********") == 2


def test_a_channel_is_added_changed_paused_and_removed_and_tells_no_secret(vocero: Vocero) -> None:
    added = add_twilio(vocero)
    assert added.code == 0
    assert "/in/tigo" in added.err
    listed = vocero("channel", "list")
    assert "verysecret" not in listed.out + added.err
    assert "auth_token=********" in listed.out
    for command, state in (("pause", "paused"), ("resume", "active"), ("disable", "disabled")):
        assert vocero("channel", command, "tigo").code == 0
        assert state in vocero("channel", "list").out
    assert vocero("channel", "set", "tigo", "auth_token=another").code == 0
    assert vocero("channel", "remove", "tigo").code == 0
    assert len(vocero("channel", "list").out.splitlines()) == 1
    assert "twilio: " in vocero("channel", "kinds").out


def test_a_word_is_added_tried_and_taken_away(vocero: Vocero) -> None:
    assert vocero("keyword", "add", "category", "ROB", "despojaron").code == 0
    assert "despojaron" in vocero("keyword", "list", "category", "ROB").out
    assert "ROB" in vocero("keyword", "try", "inc despojaron nebaj", "--place", "1413").out
    assert vocero("keyword", "add", "category", "ROB", "despojaron").code == 1
    assert vocero("keyword", "remove", "category", "ROB", "despojaron").code == 0
    assert vocero("keyword", "remove", "category", "ROB", "despojaron").code == 1


def test_a_word_that_collides_is_refused_with_the_reason(vocero: Vocero) -> None:
    refused = vocero("keyword", "add", "category", "AME", "robo")
    assert refused.code == 1
    assert "category.ROB" in refused.err
    assert "Revision 1." in vocero("keyword", "list", "category", "AME").err


def test_a_digest_is_printed_once_and_one_that_cannot_be_sent_is_named(vocero: Vocero) -> None:
    vocero("contact", "import", str(PEOPLE))
    key = vocero("subscription", "add", MARTA, "--by", "email", "--at", "06:00,18:00").out.strip()
    at = ("digest", "run", "--at", "2100-01-01T06:00-06:00")
    waiting = vocero(*at)
    assert (waiting.code, waiting.out) == (0, "")
    assert "wait for an address or a channel: 1" in waiting.err
    mail = ("host=127.0.0.1", "port=9", "tls=none", "from=v@gateway.example")
    vocero("channel", "add", "smtp", "correo", *(word for value in mail for word in ("--set", value)))
    (line,) = vocero(*at).lines
    assert set(line) == {"subscription", "contact", "from", "to", "refs", "outbox"}
    assert (line["subscription"], line["to"], line["refs"]) == (key, "2100-01-01T12:00:00Z", [])
    (row,) = vocero("export", "outbox").lines
    assert [row["id"]] == line["outbox"]
    assert (row["kind"], row["state"], row["to"]) == ("digest", "queued", MARTA)
    assert vocero(*at).out == ""


def test_a_personal_number_is_given_and_taken_away(vocero: Vocero) -> None:
    vocero("contact", "import", str(PEOPLE))
    drawn = vocero("contact", "pin", "55550101")
    assert drawn.code == 0
    assert len(drawn.err.removeprefix("Personal number: ").partition(".")[0]) == 6
    assert "Personal number: 4821." in vocero("contact", "pin", "55550101", "--number", "4821").err
    assert vocero("contact", "pin", "55550102", "--number", "4821").code == 1
    assert vocero("contact", "pin", "55550101", "--remove").code == 0
    assert vocero("contact", "pin", "55550102", "--number", "4821").code == 0
