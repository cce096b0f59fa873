"""How far a channel has read, and who reads."""

from datetime import timedelta

from gateway.channels import registry
from gateway.channels.marks import Marks
from gateway.house import House
from tests.conftest import HandClock
from tests.gateway.at_work import add_channel


def test_a_mark_is_what_was_put_last(house: House) -> None:
    marks = Marks(house, "one")
    assert marks.get("buzon", "mailbox") is None
    marks.put("buzon", "mailbox", {"uid": 1})
    marks.put("buzon", "mailbox", {"uid": 2})
    assert marks.get("buzon", "mailbox") == {"uid": 2}
    assert marks.get("otro", "mailbox") is None


def test_the_turn_of_a_dead_process_ends(house: House, clock: HandClock) -> None:
    assert Marks(house, "dead").take_turn("buzon")
    assert not Marks(house, "alive").take_turn("buzon")
    clock.advance(timedelta(minutes=4))
    assert Marks(house, "alive").take_turn("buzon")


def test_a_turn_taken_before_the_clock_was_set_back_holds_nobody(house: House, clock: HandClock) -> None:
    assert Marks(house, "dead").take_turn("buzon")
    clock.advance(timedelta(days=-1))
    assert Marks(house, "alive").take_turn("buzon")


def test_only_who_has_the_turn_ends_it(house: House) -> None:
    assert Marks(house, "one").take_turn("buzon")
    Marks(house, "another").end_turn("buzon")
    assert not Marks(house, "another").take_turn("buzon")
    Marks(house, "one").end_turn("buzon")
    assert Marks(house, "another").take_turn("buzon")


def test_a_channel_that_is_taken_away_has_read_nothing(house: House, clock: HandClock) -> None:
    marks = Marks(house, "one")
    add_channel(house, "simulator", "buzon")
    marks.put("buzon", "mailbox", {"uid": 1})
    house.writer.write_now(lambda conn: registry.remove(conn, name="buzon", at=clock(), actor="test"))
    assert marks.get("buzon", "mailbox") is None
