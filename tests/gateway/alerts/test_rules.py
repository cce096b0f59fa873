"""By which reports alerts are made."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.alerts.rulebook import add, alerts_urgent, make_wish
from gateway.alerts.rules import has_word
from gateway.errors import UsageError
from tests.conftest import HandClock
from tests.gateway.alerts.crew import alerts
from tests.gateway.desk import ANA, GASPAR, MARIA, MARTA, STRANGER, TOMAS, Desk


def rule(desk: Desk, **asks: Any) -> None:
    def make(connection: Any) -> None:
        wish = make_wish(desk.house.codebook(connection), "prueba", **asks)
        add(connection, wish, now=desk.house.clock(), actor="test")

    desk.house.writer.write_now(make)


def test_a_new_installation_alerts_urgent_reports(desk: Desk) -> None:
    assert desk.house.read_now(alerts_urgent)
    desk.say(ANA, "INC ROB NEBAJ")
    assert alerts(desk) == []


def test_everything_a_rule_asks_for_must_hold(desk: Desk) -> None:
    rule(desk, categories="rob,hur", places="1413", words="machete")
    for text in ("INC ROB NEBAJ", "INC ROB 1405 con machete", "INC AME NEBAJ con machete"):
        desk.say(ANA, text)
    assert alerts(desk) == []
    desk.say(ANA, "INC ROB NEBAJ con Machétes, digo MACHETE")
    assert len(alerts(desk)) == 1
    assert desk.told(MARTA)[0].startswith("ALERTA R3003: Robo")


def test_a_draft_that_is_not_urgent_waits_until_it_is_whole(desk: Desk) -> None:
    rule(desk, categories="AME")
    desk.say(STRANGER, "INC AME")
    assert alerts(desk) == []
    desk.say(STRANGER, "NEBAJ")
    assert len(alerts(desk)) == 1
    assert "(sin registro)" in desk.told(MARTA)[0]


def test_so_many_reports_of_one_place_within_days(desk: Desk, clock: HandClock) -> None:
    rule(desk, categories="ROB", reports="3", days="7")
    desk.say(ANA, "INC ROB NEBAJ")
    clock.advance(timedelta(days=8))
    for who, text in ((ANA, "INC ROB NEBAJ"), (GASPAR, "INC ROB 1405"), (GASPAR, "INC HUR NEBAJ")):
        desk.say(who, text)
    desk.say(GASPAR, "INC ROB NEBAJ")
    desk.say(STRANGER, "INC ROB NEBAJ")
    assert alerts(desk) == []
    clock.advance(timedelta(days=2))
    desk.say(MARIA, "INC ROB NEBAJ hoy")
    assert len(alerts(desk)) == 1
    clock.advance(timedelta(minutes=1))
    for who in (ANA, GASPAR):
        desk.say(who, "INC ROB NEBAJ hoy en la noche")
    assert len(alerts(desk)) == 1
    desk.say(TOMAS, "INC ROB NEBAJ hoy otra vez")
    assert len(alerts(desk)) + alerts(desk)[0].reports == 3


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["gasolina"], "traen GASOLINA", True), (["gasolina"], "gasolinera", False), (["con gas"], "con  gas!", True),
        (["niña"], "una niña", True), (["árbol"], "el arbol", True), ([".*"], "lo que sea", False),
        (["a"], "", False), (["lo van a quemar"], "dicen q lo van a quemar ya", True),
    ],
)  # fmt: skip
def test_words_are_literal_and_whole(words: list[str], text: str, found: bool) -> None:
    assert has_word(words, text) is found


def test_a_rule_of_everything_is_refused(desk: Desk) -> None:
    with pytest.raises(UsageError):
        rule(desk)
