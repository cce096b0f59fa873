"""What a day file may say, and how its mistakes are told."""

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.days.day_file import load_day, read_day, shipped
from gateway.days.lines import DayError, Node
from gateway.days.model import Act, Day, Outage, Power, Text, Tick
from gateway.days.moments import read_span
from gateway.errors import UsageError

HEAD = "start: 2026-03-10 05:55\ncontacts: pack\n"
ANA = "from: Ana Cobo, body: INC ROB"


def read(steps: str = "", more: str = "") -> Day:
    return read_day(f"{HEAD}{more}steps:\n{steps or '  - at: 06:00'}\n", Path())


def mistake(steps: str = "", more: str = "") -> str:
    with pytest.raises(DayError) as found:
        read(steps, more)
    return str(found.value)


@pytest.mark.parametrize(
    ("written", "local"),
    [
        ("06:12", "2026-03-10 06:12:00"),
        ("10:02", "2026-03-10 10:02:00"),
        ("06:12:30", "2026-03-10 06:12:30"),
        ("+1d 08:30", "2026-03-11 08:30:00"),
        ("next day 08:30", "2026-03-11 08:30:00"),
        ("2026-03-12T08:30", "2026-03-12 08:30:00"),
        ("2026-03-12 08:30", "2026-03-12 08:30:00"),
        ("2026-03-12T14:30:00Z", "2026-03-12 08:30:00"),
        ("+10m", "2026-03-10 06:05:00"),
    ],
)
def test_times_are_taken_as_people_write_them(written: str, local: str) -> None:
    found = read(f"  - at: {written}")
    assert found.steps[0].at.astimezone(found.ground.calendar.zone).strftime("%Y-%m-%d %H:%M:%S") == local


def test_a_bare_time_is_of_the_day_of_the_step_above() -> None:
    found = read("  - at: +1d 08:30\n  - at: 09:00")
    assert found.steps[1].at - found.steps[0].at == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("written", "seconds"), [("60", 60), ("60s", 60), ("5m", 300), ("1h30m", 5400), ("2 min", 120)]
)
def test_lengths_of_time_are_taken_with_or_without_a_unit(written: str, seconds: int) -> None:
    assert read_span(Node(1, written)).total_seconds() == seconds


def test_every_action_of_a_step_is_read() -> None:
    found = read(
        "  - {at: 06:10, text: {from: tel:+50255550101, via: sms, body: hola, part: 2 of 3}}\n"
        "  - {at: 06:20, outage: {channel: email, until: 07:00}}\n"
        "  - {at: 06:30, power: {off_for: 2m}}\n"
        "  - {at: 06:40, tick: {to: 06:50}}\n"
        "  - {at: 06:50, admin: {do: close, ref: R3000}}\n"
    )
    text, outage, power, tick, act = (step.action for step in found.steps)
    assert isinstance(text, Text) and (text.sender.name, text.via, text.part) == ("Ana Cobo", "modem", ("1", 2, 3))
    assert isinstance(outage, Outage) and outage.channel == "mail"
    assert isinstance(power, Power) and power.off_for == timedelta(minutes=2)
    assert isinstance(tick, Tick) and tick.to - found.steps[3].at == timedelta(minutes=10)
    assert isinstance(act, Act) and act.do == "close"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("  - at: 06:00\n    expct: []", "line 5: a step has no key 'expct'; it knows at, text, outage, power, tick"),
        ("  - {at: 06:00, text: {from: Ana Cobo, bdy: x}}", "text has no key 'bdy'; it knows from, via, body, raw"),
        ("  - {at: 06:00, text: {from: Ana Cobo}}", "either `body` or `raw`"),
        ("  - {at: 06:00, text: {from: Zoila, body: x}}", "nobody in the contacts is called 'Zoila'"),
        ("  - {at: 06:00, text: {from: Juana, body: x}}", "may be Juana Ramirez or Juana Sunu"),
        ("  - {at: 06:00, text: {from: coordinators, body: x}}", "must be one person, and means 3"),
        (f"  - {{at: 06:00, text: {{{ANA}, via: fax}}}}", "via must be modem, http or email"),
        (f"  - {{at: 06:00, text: {{{ANA}, part: 3/2}}}}", "a part is written 2/2"),
        ("  - {at: 6 o'clock}", "is no time; write 06:12"),
        ("  - at: 07:00\n  - at: 06:00", "line 5: 06:00 is before the step above (07:00)"),
        (f"  - {{at: 06:00, text: {{{ANA}}}, tick: 07:00}}", "this one has text and tick"),
        ("  - {at: 06:00, outage: {channel: radio, until: 07:00}}", "channel must be mail, modem or http"),
        ("  - {at: 06:00, outage: {channel: mail, until: 05:58}}", "must end after it begins"),
        ("  - {at: 06:00, admin: {do: dance}}", "admin needs `do`, one of approve"),
        ("  - {at: 06:00, admin: {do: close}}", "admin close needs ref"),
        ("  - {at: 06:00, expect: [{to: Ana Cobo, hass: x}]}", "an expectation has no key 'hass'; it knows to, by"),
        ("  - {at: 06:00, expect: [{to: Ana Cobo, by: pigeon}]}", "by must be sms, email, none or any"),
        ("  - {at: 06:00, expect: [{report: {ref: 3200, place: Atlantis}}]}", "'Atlantis' is no place"),
        ("  - {at: 06:00, expect: [{report: {category: ROB}}]}", "a report needs its ref"),
        ("  - {at: 06:00, expect: [{outbox: {qeued: 1}}]}", "outbox has no key 'qeued'; it knows queued"),
        ("  - {at: 06:00, expect: [{totals: {reports: many}}]}", "reports must be a whole number"),
        ("  - {at: 06:00, at: 07:00}", "the key 'at' stands here twice"),
        ("  - {text: {from: Ana Cobo, body: x}}", "a step needs its time"),
        ("  - [", "not YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_may_stand_there(steps: str, words: str) -> None:
    told = mistake(steps)
    assert words in told
    assert told.startswith("line ")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("setings: {}\n", "line 3: a day has no key 'setings'; it knows name, about"),
        ("settings: {silence_dayz: 7}\n", "settings has no key 'silence_dayz'; it knows rhythm_days"),
        ("settings: {rhythm_days: often}\n", "no length of time"),
        ("settings: {quiet_from: 25:00}\n", "quiet_from: It must be an hour"),
        ("subscriptions: [{by: sms}]\n", "a subscription needs who"),
        ("subscriptions: [{who: Marta, by: pigeon, at: 06:00}]\n", "this subscription cannot stand"),
        ("before: {last_words: {Rosa Coc: 2026-03-11 10:00}}\n", "must lie before the start"),
        ("before: {reports: [{ref: 3180}]}\n", "needs its category, or the body"),
        ("refs_from: many\n", "refs_from must be a whole number"),
    ],
)
def test_a_mistake_before_the_steps_is_told_too(more: str, words: str) -> None:
    assert words in mistake(more=more)


def test_settings_are_taken_in_the_words_of_the_day() -> None:
    found = read(more="settings: {silence: 7d, escalation: [15m, 30], quiet_hours: 20:00-08:30, question_hours: 24}\n")
    assert found.limits == {
        "rhythm_days": "7", "alert_next_minutes": "15", "alert_admin_minutes": "30", "quiet_from": "20:00",
        "quiet_until": "08:30",
    }  # fmt: skip
    assert found.settings == {"question_hours": "24"}


def test_digest_hours_give_every_coordinator_a_digest_both_ways() -> None:
    found = read(more="settings: {digest_hours: [06:00, 18:00]}\n")
    assert [(one.member.name, one.wish.by, one.wish.hours) for one in found.subscriptions] == [
        (name, "both", ("06:00", "18:00")) for name in ("Marta Brito", "Eulalio Mendez", "Petrona Xoy")
    ]


def test_contacts_may_stand_in_the_file_and_in_a_table_beside_it(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("phone,email,name,role\n+50255550301,,Julio,admin\n")
    found = read_day(
        "start: 2026-03-10 05:55\ncontacts:\n  - people.csv\n  - {name: Ana Cobo, phone: 5555 0101, role: monitor,"
        " place: 1413, language: ixl}\nsteps:\n  - at: 06:00\n", tmp_path,
    )  # fmt: skip
    assert [(row.name, row.phone, row.language) for row in found.cast.rows] == [
        ("Julio", "tel:+50255550301", "es"), ("Ana Cobo", "tel:+50255550101", "ixl"),
    ]  # fmt: skip


def test_an_expectation_may_hold_one_text_or_a_list_and_so_may_a_step() -> None:
    alone = read("  - {at: 06:00, expect: {to: Marta, by: sms, has: hola, not: [adios]}}")
    listed = read("  - {at: 06:00, expect: [{to: Marta, by: sms, has: [hola], not: adios}]}")
    assert [wish.words for wish in alone.steps[0].wishes] == [wish.words for wish in listed.steps[0].wishes]


def test_a_file_that_is_not_there_is_told_with_the_days_that_are() -> None:
    with pytest.raises(UsageError, match="2026-03-10"):
        load_day("nowhere.yaml")


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_day_can_be_read(name: str) -> None:
    assert load_day(name).steps
