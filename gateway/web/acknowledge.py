"""The page that the link of an alert mail opens: what the alert said, and the one button that says VISTO.

Opening it changes nothing, for mail scanners open every link.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select
from starlette.responses import Response

from gateway.alerts import ALERT, Doer, acknowledge, alert_of, attended_by, first_name, office_of
from gateway.alerts.links import PATH, read_token
from gateway.alerts.office import alert_text
from gateway.alerts.rows import RECEIVER
from gateway.errors import NotFound
from gateway.reports import REPORT
from gateway.standing import CONTACT
from gateway.web.access import PUBLIC
from gateway.web.alerting import send
from gateway.web.labels import Labels
from gateway.web.visit import Page, Visit


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page tells: the words of the alert, its state, and who attends since when."""

    words: str
    state: str
    own: bool
    attends: str
    since: str


async def show(visit: Visit) -> Response:
    return visit.render("acknowledge.html", shown=await visit.house.read(lambda connection: _load(connection, visit)))


async def press(visit: Visit) -> Response:
    def keep(connection: Connection) -> None:
        row, contact_id = _linked(connection, visit)
        alert = alert_of(connection, row.report_id)
        if alert is None:
            raise NotFound("alert")
        office = office_of(connection, visit.house)
        doer = Doer(f"contact:{contact_id}", contact_id, first_name(connection, contact_id, office.sealer), "link")
        send(connection, visit, acknowledge(office, alert, "seen", doer).messages)

    await visit.house.write(keep)
    return visit.go(visit.request.url.path)


def _linked(connection: Connection, visit: Visit) -> tuple[Row[Any], UUID]:
    """The alert and the person of the link, while it is valid and the person still one whom it was sent to."""
    house = visit.house
    found = read_token(house.sealer, visit.request.path_params["token"], house.clock())
    if found is None:
        raise NotFound("link")
    sent = (RECEIVER.c.alert_id == found.alert_id, RECEIVER.c.contact_id == found.contact_id)
    query = select(ALERT).join(RECEIVER, RECEIVER.c.alert_id == ALERT.c.id)
    row = connection.execute(query.join(CONTACT).where(*sent, CONTACT.c.status == "active").limit(1)).first()
    if row is None:
        raise NotFound("link")
    return row, found.contact_id


def _load(connection: Connection, visit: Visit) -> Shown:
    row, contact_id = _linked(connection, visit)
    office = office_of(connection, visit.house)
    report = connection.execute(select(REPORT).where(REPORT.c.id == row.report_id)).one()
    words = alert_text(office, "coordinator_alert", report, report.heard_at)
    attends = attended_by(office, row.id)
    state = Labels(office.codebook, visit.t).word(row.state)
    if attends is None:
        return Shown(words, state, False, "", "")
    return Shown(words, state, attends.contact_id == contact_id, attends.name, f"{office.local(attends.at):%H:%M}")


PAGES = (
    Page("GET", f"{PATH}/{{token}}", PUBLIC, show),
    Page("POST", f"{PATH}/{{token}}", PUBLIC, press),
)
