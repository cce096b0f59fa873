"""Alerts of a database that is older than the ladder."""

from datetime import timedelta

from gateway.alerts import escalate_due
from gateway.alerts.rulebook import alerts_urgent
from gateway.db import make_engine
from gateway.schema import downgrade, upgrade
from tests.conftest import HandClock
from tests.gateway.alerts.crew import TURBA, alerts, receivers_of
from tests.gateway.desk import MARTA, TOMAS, Desk


def test_earlier_alerts_are_not_escalated_and_can_still_be_seen(desk: Desk, clock: HandClock) -> None:
    desk.say(TOMAS, TURBA)
    engine = make_engine(desk.house.settings.url, writer=True)
    for house_engine in (desk.house.engine, desk.house.writer.engine):
        house_engine.dispose()
    downgrade(engine, "0001")
    upgrade(engine)
    engine.dispose()
    clock.advance(timedelta(days=1))
    assert escalate_due(desk.house) == 0
    assert receivers_of(desk) == [("Marta", 0)]
    desk.say(MARTA, "VISTO 3000")
    assert alerts(desk)[0].state == "seen"
    assert desk.house.read_now(alerts_urgent)
