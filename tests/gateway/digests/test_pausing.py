"""PAUSA and REANUDAR, by SMS or mail."""

from gateway import subscriptions
from tests.gateway.desk import ANA, EULALIO, MARTA, Desk
from tests.gateway.rows import contact_of

MAIL = "mailto:marta.coordinadora@oficina.example"


def subscribe(desk: Desk, by: str = "email", address: str = MARTA) -> None:
    house = desk.house
    wish = subscriptions.make_wish(by, "06:00", "", house.read_now(house.codebook).places)
    key = contact_of(house, address)
    house.writer.write_now(lambda conn: subscriptions.add(conn, key, wish, now=house.clock(), actor="cli"))


def states(desk: Desk) -> list[tuple[bool, str | None]]:
    return [(row.active, row.pause_reason) for row in desk.house.read_now(subscriptions.standing)]


def test_a_coordinator_pauses_and_takes_up_the_own_digests(desk: Desk) -> None:
    subscribe(desk)
    subscribe(desk, "sms")
    subscribe(desk, address=EULALIO)
    desk.say(MARTA, "Pausa")
    assert states(desk) == [(False, "self"), (False, "self"), (True, None)]
    desk.say(MAIL, "REANUDAR", channel="mail")
    assert states(desk) == [(True, None)] * 3
    assert desk.told(MARTA) == [
        "Listo. Ya no recibira resumenes; las alertas siguen. Para recibirlos otra vez mande REANUDAR."
    ]


def test_one_without_digests_is_told_so(desk: Desk) -> None:
    desk.say(EULALIO, "PAUSA")
    assert "Usted no tiene resumenes" in desk.told(EULALIO)[0]


def test_to_a_monitor_it_is_no_command(desk: Desk) -> None:
    subscribe(desk)
    desk.say(ANA, "PAUSA")
    assert states(desk) == [(True, None)]


def test_a_report_that_begins_so_is_a_report(desk: Desk) -> None:
    subscribe(desk)
    desk.say(MARTA, "pausa en el camino, robaron a 2 en Nebaj ayer")
    assert states(desk) == [(True, None)]
    assert desk.reports()[0].category == "ROB"
