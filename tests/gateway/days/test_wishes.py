"""What an expectation means, on records made by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.contact_file import ContactRow
from gateway.days.cast import Cast
from gateway.days.lines import read_yaml
from gateway.days.moments import Calendar
from gateway.days.record import Look, Record, Send, Waiting
from gateway.days.wishes import Ground, read_wishes
from gateway.days.wishes.base import View
from parsers import compile_codebook, load_pack

AT = datetime(2026, 3, 10, 12, 12, tzinfo=UTC)
ANA, MARTA = "tel:+50255550101", "tel:+50255550201"
PEOPLE = (
    ContactRow(1, "Ana Cobo", "monitor", ANA),
    ContactRow(2, "Marta Brito", "coordinator", MARTA, "mailto:marta@oficina.example"),
)
GROUND = Ground(
    Cast(PEOPLE), compile_codebook(load_pack("gt")),
    Calendar(ZoneInfo("America/Guatemala"), date(2026, 3, 10), AT),
)  # fmt: skip


def send(text: str, *, to: str = ANA, after: int = 0, **more: Any) -> Send:
    return Send(AT + timedelta(seconds=after), to, "sms" if to.startswith("tel:") else "email", text, text, **more)


def failures(wish: str, *sends: Send, look: Mapping[str, Any] | None = None, queues: tuple[Waiting, ...] = ()) -> int:
    record = Record(AT, AT, list(sends), {(0, "+0"): Look(AT, **(look or {}))}, list(queues))
    view = View(record, GROUND, 0, AT, AT)
    return sum(len(list(one.failures(view))) for one in read_wishes(read_yaml(wish), GROUND))


@pytest.mark.parametrize(
    ("wish", "holds"),
    [
        ("{to: Ana, by: sms, has: R3200}", True),
        ("{to: Ana, by: sms, has: [r3200, robo, '2 HERIDOS']}", True),
        ("{to: Ana, by: sms, has: [R3201]}", False),
        ("{to: Ana, by: sms, has: [R3200], not: [Robo]}", False),
        ("{to: Ana, by: sms, has: [R3200], not: [gracias]}", True),
        ("{to: Ana, by: email, has: [R3200]}", False),
        ("{to: Marta, by: sms, has: [R3200]}", False),
        ("{to: '5555 0101', has: R3200}", True),
        ("{to: monitors, has: R3200}", True),
        ("{to: all, has: R3200}", False),
        ("{has: R3200}", True),
        ("{to: Ana, by: sms, not: [adios]}", True),
        ("{to: Ana, by: sms, not: [gracias]}", False),
        ("{to: Ana, by: none}", False),
        ("{to: Marta, by: none}", True),
        ("{to: Ana, by: none, has: [R9]}", True),
        ("{to: Ana, by: sms, times: 2}", True),
        ("{to: Ana, by: sms, times: 1}", False),
        ("{to: Ana, by: sms, has: [R3200], times: 1}", True),
        ("{to: Ana, by: sms, has: [tarde], within: 60}", False),
        ("{to: Ana, by: sms, has: [tarde], within: 2m}", True),
        ("{to: Marta, by: none, within: 1h}", True),
    ],
)
def test_what_a_person_gets_is_held_against_the_messages_of_the_span(wish: str, holds: bool) -> None:
    told = send("R3200 recibido: Robo,\n Nebáj. 2 heridos.", after=2), send("Gracias", after=3)
    assert failures(wish, *told, send("muy tarde", after=90)) == (0 if holds else 1)


def test_a_message_of_before_the_step_does_not_count() -> None:
    assert failures("{to: Ana, by: sms}", send("R3200", after=-1)) == 1


def test_the_subject_of_a_mail_counts_with_its_text() -> None:
    mail = send("el texto", to="mailto:marta@oficina.example", subject="Resumen 06:00")
    assert failures("{to: Marta, by: email, has: [resumen 06:00, texto]}", mail) == 0


def test_an_sms_of_two_segments_or_with_strange_letters_is_found() -> None:
    long, strange = send("a" * 161), send("ｗ")
    assert failures("{sms: {segments: 1, digest: 2}}", long, strange) == 2
    assert failures("{sms: {segments: 1, digest: 2}}", replace(long, kind="digest")) == 0
    assert failures("{sms: {}}", replace(send("a" * 400), kind="digest")) == 1


REPORT = {
    "ref": 3200, "category": "ROB", "place": "1413", "date": "2026-03-09", "state": "open", "urgent": False,
    "counts.injured": 2, "was.category": "AME", "address": ANA, "from": "Ana Cobo",
}  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ("{report: {ref: R3200, category: robo o asalto, place: Nebaj, date: yesterday, state: open, urgent: no}}", 0),
        ("{report: {from: Ana, counts: {heridos: 2}, was: {category: AME}}}", 0),
        ("{report: {ref: 3200, counts: 2 heridos}}", 0),
        ("{report: {ref: 3200, place: 1405, state: closed, counts: {dead: 1}}}", 3),
        ("{report: {ref: 3201}}", 1),
        ("{report: {ref: 3201, exists: no}}", 0),
        ("{report: {ref: 3200, exists: no}}", 1),
        ("{report: [{ref: 3200}, {ref: 3201}]}", 1),
    ],
)
def test_a_report_is_held_against_each_value_that_is_given(wish: str, wrong: int) -> None:
    assert failures(wish, look={"reports": [REPORT]}) == wrong


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ("{outbox: {queued: 1, sent: 2}}", 0),
        ("{outbox: {queued: 0}}", 1),
        ("{outbox: {channel: mail, queued: 1, sent: 0}}", 0),
        ("{outbox: {to: Ana, sent: 2}}", 0),
        ("{totals: {reports: 1, lost: 0}}", 0),
        ("{reports: 1, lost: 1}", 1),
        ("{totals: {unregistered drafts: 0}}", 0),
    ],
)
def test_the_outbox_and_totals_are_counted(wish: str, wrong: int) -> None:
    own = {"kind": "confirmation", "by": "sms", "address": ANA, "channel": "modem", "state": "sent"}
    mail = {**own, "by": "email", "address": "mailto:marta@oficina.example", "channel": "mail", "state": "queued"}
    totals = {"reports": 1, "lost": 0, "unregistered_drafts": 0}
    assert failures(wish, look={"outbox": [own, own, mail], "totals": totals}) == wrong


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ("{queue: {channel: mail, peak: 3, empty_by: '06:14'}}", 0),
        ("{queue: {channel: mail, peak: 2}}", 1),
        ("{queue: {channel: mail, empty_by: '06:13'}}", 1),
        ("{queue: {channel: modem, peak: 0}}", 0),
    ],
)
def test_a_queue_is_known_by_its_peak_and_its_end(wish: str, wrong: int) -> None:
    minutes = (Waiting(AT, {"mail": 1}), Waiting(AT + timedelta(minutes=1), {"mail": 3}))
    assert failures(wish, queues=(*minutes, Waiting(AT + timedelta(minutes=2), {}))) == wrong


@pytest.mark.parametrize(("order", "holds"), [((1, 2, 3, 4), True), ((2, 1, 3, 4), True), ((3, 1, 2, 4), False)])
def test_of_what_waited_the_oldest_goes_first(order: tuple[int, ...], holds: bool) -> None:
    to = "mailto:marta@oficina.example"
    sends = [send(str(number), to=to, queued_at=AT + timedelta(minutes=number)) for number in order]
    assert failures("{queue: {channel: mail, oldest_first: yes}}", *sends) == (0 if holds else 1)
    assert failures("{queue: {channel: mail, oldest_first: no}}", *sends) == (1 if holds else 0)


def test_the_words_of_a_timeline_stand_in_their_order() -> None:
    pages = {"/reports/R3200": "06:12 texto 06:15 alerta 06:20 vista"}
    assert failures("{timeline: {ref: 3200, has: [texto, alerta, vista]}}", look={"pages": pages}) == 0
    assert failures("{timeline: {ref: 3200, has: [vista, alerta]}}", look={"pages": pages}) == 1
    assert failures("{timeline: {ref: 3200, has: [texto], not: [vista]}}", look={"pages": pages}) == 1


def test_public_figures_are_known_by_cell_and_by_what_they_do_not_hold() -> None:
    public = {"until": "2026-03-03", "today": 0, "reports": {"14 ROB": "6", "13 TIE": "hidden"}, "polls": {}}
    wish = "{public: {until: 2026-03-03, today: 0, cells: {14 ROB: 6, 13 TIE: hidden, 16 ROB: absent}, not: [Nebaj]}}"
    assert failures(wish, look={"figures": {"public": public}}) == 0
    assert (
        failures(
            "{public: {until: 2026-03-04, cells: {14 ROB: 7}, not: [hidden]}}", look={"figures": {"public": public}}
        )
        == 3
    )
