"""Acts on alerts from pages: who acts, what is sent because of it."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from gateway.alerts import Doer, Office, acknowledge, alert_of, first_name, follow, office_of
from gateway.alerts.timeline import Moment
from gateway.reports import ReportState, load_events
from gateway.sessions import Person
from gateway.web import people
from gateway.web.visit import Visit
from outbox.queue import NewMessage, enqueue


def office_here(connection: Connection, visit: Visit) -> Office:
    return office_of(connection, visit.house)


def doer_of(connection: Connection, who: Person, office: Office) -> Doer:
    """The person at the page; coordinators are told the first name of a contact, else the name of the login."""
    name = first_name(connection, who.contact_id, office.sealer) if who.contact_id else who.name
    return Doer(who.actor, who.contact_id, name, "page")


def settle(connection: Connection, visit: Visit, report_id: UUID, act: str) -> bool:
    """Note an act on the alert of a report and tell whom it concerns; False when the report has none."""
    alert = alert_of(connection, report_id)
    if alert is None:
        return False
    office = office_here(connection, visit)
    done = acknowledge(office, alert, act, doer_of(connection, visit.who, office))
    send(connection, visit, done.messages)
    return True


def tell_correction(connection: Connection, visit: Visit, report_id: UUID, state: ReportState) -> None:
    """After a correction by page: the receivers of the report's alert hear what changed, but not that it is over."""
    office = office_here(connection, visit)
    event = load_events(connection, report_id, visit.house.sealer)[-1]
    facts = {name: value for name, value in event.data.items() if name != "category"}
    send(connection, visit, follow(office, report_id, state, replace(event, data=facts)) or [])


def send(connection: Connection, visit: Visit, messages: list[NewMessage]) -> None:
    enqueue(connection, messages, seals=visit.house.sealer, now=visit.house.clock())


def actors_of(connection: Connection, moments: list[Moment], visit: Visit) -> dict[str, str]:
    """Who acted, in words: the name of a contact, of a user, or that it was a stranger."""
    ids = {one.who: UUID(one.who[8:]) for one in moments if one.who.startswith("contact:")}
    known = people.names(connection, ids.values(), visit.house.sealer)
    shown = {actor: known.get(key, "") for actor, key in ids.items()}
    users = {one.who: one.who[5:] for one in moments if one.who.startswith("user:")}
    return {"stranger": visit.t("not registered"), "system": "Vocero", **users, **shown}
