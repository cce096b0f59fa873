"""Two reports of one event: proposed, confirmed by a person, never counted twice."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.errors import Conflict
from gateway.same_event import LINK, SETTLED_AFTER, count_sources, propose
from gateway.settling import settle
from tests.conftest import HandClock
from tests.gateway.desk import ANA, GASPAR, MARIA, STRANGER, TOMAS, Desk

ANA_MAIL = "mailto:nebaj1@monitores.example"


def links(desk: Desk) -> list[Any]:
    desk.house.clock.advance(SETTLED_AFTER + timedelta(seconds=1))  # type: ignore[attr-defined]
    propose(desk.house)
    return desk.house.read_now(lambda conn: list(conn.execute(select(LINK).order_by(LINK.c.id))))


def told(desk: Desk) -> list[tuple[str, int, int]]:
    """(kind, number of the later report, number of the earlier one) of every proposal."""
    refs = {row.id: row.ref for row in desk.reports()}
    return sorted((link.kind, refs[link.report_id], refs[link.other_id]) for link in links(desk))


def settled(desk: Desk, link: Any, state: str) -> None:
    house = desk.house
    house.writer.write_now(
        lambda conn: settle(conn, link.id, state, sealer=house.sealer, at=house.clock(), actor="user:eva")
    )


def test_another_monitor_on_the_same_event_is_proposed_as_a_source(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(GASPAR, "asaltaron a unos comerciantes en nebaj ayer por la tarde")
    assert told(desk) == [("corroborates", 3001, 3000)]
    assert told(desk) == [("corroborates", 3001, 3000)]
    assert [row.verification for row in desk.reports()] == ["unverified", "unverified"]


# first text | second text: what does not make two sources of one event
APART = (
    ("INC ROB NEBAJ ayer", "INC ROB CHAJUL ayer"),
    ("INC ROB NEBAJ ayer", "INC TIE NEBAJ ayer"),
    ("INC ROB NEBAJ ayer", "INC ROB NEBAJ hace 5 dias"),
    ("INC OTR NEBAJ ayer", "INC EXH NEBAJ ayer"),
    ("INC ROB NEBAJ ayer", "INC NEBAJ"),
    ("INC ROB NEBAJ ayer", "PRUEBA INC ROB NEBAJ ayer 3 heridos"),
    ("AC 23 NO 1413", "AC 23 NO 1413 los maestros no hablan ixil"),
)  # fmt: skip


@pytest.mark.parametrize(("first", "second"), APART)
def test_another_place_kind_or_day_is_another_event(desk: Desk, first: str, second: str) -> None:
    desk.say(ANA, first)
    desk.say(GASPAR, second)
    assert told(desk) == []


def test_two_texts_of_one_person_are_one_source(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(ANA, "INC ROB NEBAJ ayer, se llevaron dos motos")
    assert told(desk) == []


def test_two_people_on_one_phone_are_one_source(desk: Desk) -> None:
    from tests.gateway.test_borrowed import give

    give(desk.house, GASPAR, "555666")
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(ANA, "ID 555666 INC ROB NEBAJ ayer, se llevaron dos motos")
    assert told(desk) == []


def test_a_stranger_may_support_a_monitor_but_not_another_stranger(desk: Desk) -> None:
    desk.say(STRANGER, "INC ROB NEBAJ ayer dos motos")
    desk.say("tel:+50255559045", "INC ROB NEBAJ ayer eran tres hombres")
    assert told(desk) == []
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    assert told(desk) == [("corroborates", 3002, 3000), ("corroborates", 3002, 3001)]


def test_the_same_words_from_many_numbers_are_one_group_and_no_source(desk: Desk) -> None:
    for number in range(40):
        desk.say(f"tel:+502555560{number:02d}", "INC AME NEBAJ ayer vienen por nosotros")
    assert told(desk) == [("possible_duplicate", ref, 3000) for ref in range(3001, 3040)]
    desk.say(ANA, "INC AME NEBAJ ayer 3 familias")
    found = [one for one in told(desk) if one[0] == "corroborates"]
    assert found == [("corroborates", 3040, 3000)]


def test_the_same_words_by_phone_and_by_mail_are_linked_and_both_kept(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(ANA_MAIL, "INC ROB NEBAJ ayer 2 heridos", channel="mail", subject="Reporte")
    desk.say(ANA_MAIL, "INC AME CHAJUL ayer", channel="mail")
    desk.say(ANA, "INC AME CHAJUL ayer")
    assert [row.state for row in desk.reports()] == ["open"] * 4
    assert told(desk) == [("possible_duplicate", 3001, 3000), ("possible_duplicate", 3003, 3002)]


def test_a_confirmed_source_makes_both_corroborated(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(GASPAR, "INC ROB NEBAJ ayer eran tres hombres")
    (link,) = links(desk)
    settled(desk, link, "confirmed")
    settled(desk, link, "confirmed")
    for row in desk.reports():
        assert row.verification == "corroborated"
        assert desk.events(row.id) == ["accepted", "verified"]
        assert desk.house.read_now(lambda conn, key=row.id: count_sources(conn, key)) == 2  # type: ignore[misc]
    with pytest.raises(Conflict):
        settled(desk, link, "refused")
    assert desk.folds_differ() == []
    desk.say(ANA, "ESTADO 3000")
    assert "confirmado por otra fuente" in desk.told(ANA)[-1]


def test_a_refused_proposal_changes_nothing_and_is_not_made_again(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(GASPAR, "INC ROB NEBAJ ayer eran tres hombres")
    (link,) = links(desk)
    settled(desk, link, "refused")
    desk.say(GASPAR, "CORREGIR 3001 heridos 2")
    assert [one.state for one in links(desk)] == ["refused"]
    assert {row.verification for row in desk.reports()} == {"unverified"}


def test_what_a_coordinator_verified_stays_verified(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(GASPAR, "INC ROB NEBAJ ayer eran tres hombres")
    (link,) = links(desk)
    desk.say("tel:+50255550201", "VERIFICAR 3000 NO")
    settled(desk, link, "confirmed")
    assert [row.verification for row in desk.reports()] == ["refuted", "corroborated"]


def test_a_draft_is_compared_when_it_is_complete_and_a_correction_compared_anew(desk: Desk) -> None:
    desk.say(ANA, "INC ROB NEBAJ ayer 2 heridos")
    desk.say(GASPAR, "INC NEBAJ ayer")
    desk.say(MARIA, "INC ROB CHAJUL ayer")
    assert told(desk) == []
    desk.say(GASPAR, "robo")
    assert told(desk) == [("corroborates", 3002, 3000)]
    desk.say(MARIA, "CORREGIR 3001 LUGAR NEBAJ")
    assert ("corroborates", 3001, 3000) in told(desk)


def test_events_are_looked_at_in_pieces_and_from_where_it_stopped(desk: Desk, clock: HandClock) -> None:
    desk.say_all(
        [desk.incoming(f"tel:+50255561{n:03d}", f"INC ROB 14{n % 20 + 1:02d} {n} familias") for n in range(250)]
    )
    desk.say(ANA, "INC ROB NEBAJ 2 heridos")
    clock.advance(timedelta(minutes=1))
    assert propose(desk.house) > 0
    assert propose(desk.house) == 0
    clock.now -= timedelta(days=2)
    assert propose(desk.house) == 0


def test_an_alert_and_an_incident_of_one_family_are_one_event(desk: Desk) -> None:
    desk.say(TOMAS, "ALERTA ALN 1416 tienen amarrado a un joven")
    desk.say(ANA, "lincharon a un hombre en sacapulas hoy")
    assert told(desk) == [("corroborates", 3001, 3000)]
