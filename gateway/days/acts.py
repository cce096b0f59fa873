"""What an admin does on a day, by the functions behind the pages. To learn what there is, read the literal ACTS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from gateway import limits, subscriptions
from gateway.casework import act, correct
from gateway.channels import registry
from gateway.contacts import require, set_status
from gateway.days.lines import Node
from gateway.days.wishes.base import Ground, read_category, read_date, read_place, read_ref
from gateway.house import House
from gateway.reports import COUNTS, REPORT, Event

ACTOR = "user:admin"
CHANNEL_STATES = {"pause": "paused", "resume": "active", "disable": "disabled"}
STATUSES = {"approve": "active", "suspend": "suspended", "left": "left"}
REPORT_EVENTS = {"close": "closed", "reopen": "reopened", "withdraw": "withdrawn", "note": "noted"}
VERIFIED = ("verified", "refuted", "corroborated")


@dataclass(frozen=True, slots=True)
class Doing:
    """One act: its word, its values, and where it is done."""

    do: str
    values: Mapping[str, Node]
    house: House
    ground: Ground

    def text(self, name: str) -> str:
        return self.values[name].text(name).strip()

    def contact(self, connection: Connection) -> UUID:
        member = self.ground.cast.one(self.values["who"])
        return require(connection, member.addresses[0], self.house.sealer)

    def report(self, connection: Connection) -> UUID:
        ref = read_ref(self.values["ref"])
        found: UUID | None = connection.scalar(select(REPORT.c.id).where(REPORT.c.ref == ref))
        if found is None:
            raise self.values["ref"].wrong(f"there is no report R{ref} at that time")
        return found


@dataclass(frozen=True, slots=True)
class ActSpec:
    """Which values an act takes and needs, and what it does in the transaction it is given."""

    run: Callable[[Connection, Doing], object]
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def takes(self) -> tuple[str, ...]:
        return self.needs + self.may


def _status(connection: Connection, doing: Doing) -> None:
    set_status(connection, doing.contact(connection), STATUSES[doing.do], now=doing.house.clock(), actor=ACTOR)


def _event(connection: Connection, doing: Doing) -> None:
    note = {"note": doing.text("text")} if "text" in doing.values else {}
    event = Event(REPORT_EVENTS[doing.do], doing.house.clock(), ACTOR, {}, note)
    act(connection, doing.report(connection), event, sealer=doing.house.sealer)


def _verify(connection: Connection, doing: Doing) -> None:
    word = doing.text("as") if "as" in doing.values else VERIFIED[0]
    if word not in VERIFIED:
        raise doing.values["as"].wrong(f"as must be one of {', '.join(VERIFIED)}")
    event = Event("verified", doing.house.clock(), ACTOR, {"verification": word})
    act(connection, doing.report(connection), event, sealer=doing.house.sealer)


def _correct(connection: Connection, doing: Doing) -> None:
    name, node = doing.text("field"), doing.values["value"]
    value: Any = node.text("value")
    if name == "category":
        value = read_category(node, doing.ground.codebook)
    elif name == "place":
        value = read_place(node, doing.ground.codebook)
    elif name == "date":
        value = str(read_date(node, doing.ground.calendar))
    elif name in COUNTS:
        value = node.number(name)
    correct(
        connection, doing.report(connection), {name: value}, doing.ground.codebook, at=doing.house.clock(),
        actor=ACTOR, sealer=doing.house.sealer,
    )  # fmt: skip


def _channel(connection: Connection, doing: Doing) -> None:
    state = CHANNEL_STATES[doing.do]
    registry.set_state(connection, name=doing.text("channel"), state=state, at=doing.house.clock(), actor=ACTOR)


def _set(connection: Connection, doing: Doing) -> None:
    limits.change(connection, doing.text("name"), doing.text("value"), at=doing.house.clock(), actor=ACTOR)


def _stop_digests(connection: Connection, doing: Doing) -> None:
    contact = doing.contact(connection)
    for row in subscriptions.standing(connection):
        if row.contact_id == contact:
            active = doing.do == "resume_digests"
            subscriptions.set_active(connection, row.id, active, now=doing.house.clock(), actor=ACTOR)


WHO = {"contact": "who", "person": "who", "of": "who", "phone": "who"}
ACTS: Mapping[str, ActSpec] = {
    "approve": ActSpec(_status, ("who",), others=WHO),
    "suspend": ActSpec(_status, ("who",), others=WHO),
    "left": ActSpec(_status, ("who",), others=WHO),
    "close": ActSpec(_event, ("ref",), ("text",), {"note": "text"}),
    "reopen": ActSpec(_event, ("ref",), ("text",), {"note": "text"}),
    "withdraw": ActSpec(_event, ("ref",), ("text",), {"note": "text"}),
    "note": ActSpec(_event, ("ref", "text"), others={"note": "text", "body": "text"}),
    "verify": ActSpec(_verify, ("ref",), ("as",)),
    "correct": ActSpec(_correct, ("ref", "field", "value")),
    "pause": ActSpec(_channel, ("channel",)),
    "resume": ActSpec(_channel, ("channel",)),
    "disable": ActSpec(_channel, ("channel",)),
    "set": ActSpec(_set, ("name", "value")),
    "pause_digests": ActSpec(_stop_digests, ("who",), others=WHO),
    "resume_digests": ActSpec(_stop_digests, ("who",), others=WHO),
}
