"""`vocero same-event`."""

from datetime import timedelta

import pytest

from gateway.same_event import propose
from tests.conftest import HandClock
from tests.gateway.cli.conftest import Vocero
from tests.gateway.desk import ANA, GASPAR, MARIA, Desk

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_proposals_are_listed_confirmed_and_refused(desk: Desk, clock: HandClock, vocero: Vocero) -> None:
    for who, text in ((ANA, "2 heridos"), (GASPAR, "eran tres hombres"), (MARIA, "se llevaron dos motos")):
        desk.say(who, f"INC ROB NEBAJ ayer {text}")
    clock.advance(timedelta(minutes=1))
    propose(desk.house)
    listed = [line.split() for line in vocero("same-event", "list").out.splitlines()[1:]]
    assert {(row[1], row[3], row[4]) for row in listed} == {
        ("corroborates", "R3001", "R3000"),
        ("corroborates", "R3002", "R3000"),
        ("corroborates", "R3002", "R3001"),
    }
    assert vocero("same-event", "confirm", listed[0][0]).code == 0
    assert vocero("same-event", "refuse", listed[1][0]).code == 0
    assert vocero("same-event", "refuse", listed[0][0]).code == 1
    assert vocero("same-event", "confirm", "zzzzzz").code == 1
    assert len(vocero("same-event", "list").out.splitlines()) == 2
    assert len(vocero("same-event", "list", "--all").out.splitlines()) == 4
