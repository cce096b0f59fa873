"""What an admin does on a day, by the functions behind the pages. To learn what there is, read the literal ACTS."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from uuid_utils.compat import uuid7

from gateway import audit, limits, subscriptions
from gateway.alerts.acts import Doer, acknowledge
from gateway.alerts.office import office_of
from gateway.alerts.rows import alert_of
from gateway.announcing import Target, announce, preview
from gateway.casework import act, correct
from gateway.channels import registry
from gateway.codebook import Collides, current_words, save_words
from gateway.contact_file import COLUMNS, parse_row
from gateway.contacts import import_contacts, require, set_status
from gateway.days.cast import CONTACT_WORDS, EVERYBODY, plain
from gateway.days.lines import DayError, Node
from gateway.days.wishes.base import Ground, read_category, read_date, read_place, read_ref
from gateway.errors import UsageError
from gateway.house import House, touch_config
from gateway.pins import give_pin
from gateway.registration import approve
from gateway.reports import COUNTS, REPORT, Event
from outbox.queue import enqueue

ACTOR = "user:admin"
CHANNEL_STATES = {"pause": "paused", "resume": "active", "disable": "disabled"}
STATUSES = {"suspend": "suspended", "left": "left"}
ACKNOWLEDGED = {"seen": "seen", "handled": "handled"}
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


def _approve(connection: Connection, doing: Doing) -> None:
    house = doing.house
    approve(
        connection, doing.contact(connection), codebook=house.codebook(connection), sealer=house.sealer,
        now=house.clock(), actor=ACTOR,
    )  # fmt: skip


def _status(connection: Connection, doing: Doing) -> None:
    set_status(connection, doing.contact(connection), STATUSES[doing.do], now=doing.house.clock(), actor=ACTOR)


def _register(connection: Connection, doing: Doing) -> None:
    """One more contact, with the columns of the table of contacts."""
    cells: dict[str | None, object] = dict.fromkeys(COLUMNS, "")
    cells |= {name: "|".join(value.words(name)) for name, value in doing.values.items()}
    row, problems = parse_row(0, cells, doing.ground.codebook.places)
    if row is None:
        raise UsageError(f"this contact cannot stand: {'; '.join(problems)}")
    import_contacts(connection, [row], sealer=doing.house.sealer, now=doing.house.clock(), actor=ACTOR)


def _give_pin(connection: Connection, doing: Doing) -> None:
    house = doing.house
    give_pin(
        connection, doing.contact(connection), doing.text("pin"), sealer=house.sealer, at=house.clock(), actor=ACTOR
    )


def _acknowledge(connection: Connection, doing: Doing) -> None:
    """The button on the page of an alert, pressed by `who` (a coordinator) or by the admin."""
    alert = alert_of(connection, doing.report(connection))
    if alert is None:
        raise doing.values["ref"].wrong("that report has no alert")
    doer = Doer(ACTOR, None, ACTOR.partition(":")[2], "page")
    if "who" in doing.values:
        contact, member = doing.contact(connection), doing.ground.cast.one(doing.values["who"])
        doer = Doer(f"user:{contact}", contact, member.name.split(" ")[0], "page")
    done = acknowledge(office_of(connection, doing.house), alert, ACKNOWLEDGED[doing.do], doer)
    enqueue(connection, done.messages, seals=doing.house.sealer, now=doing.house.clock())


def _announce(connection: Connection, doing: Doing) -> None:
    """A text to a person, a place or all, confirmed at once."""
    to = doing.values["to"]
    target = Target("all")
    if plain(to.text("to")) not in EVERYBODY:
        try:
            target = Target("place", read_place(to, doing.ground.codebook))
        except DayError:
            member = doing.ground.cast.one(to)
            target = Target("contact", str(require(connection, member.addresses[0], doing.house.sealer)))
    announce(
        connection, doing.house, uuid7(), preview(connection, doing.house, doing.text("text"), target), target, ACTOR
    )


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


def _keyword(connection: Connection, doing: Doing) -> None:
    """One more word for a form, category or choice, or one less."""
    kind, name, word = (doing.text(key) for key in ("kind", "name", "word"))
    number, _, words = current_words(connection)
    if name not in words.get(kind, {}):
        raise doing.values["name"].wrong(f"there is no {kind} {name!r}; kinds are {', '.join(words)}")
    kept = [one for one in words[kind][name] if one != word]
    words[kind][name] = [*kept, word] if doing.do == "add_word" else kept
    now = doing.house.clock()
    try:
        made = save_words(connection, words, based_on=number, by=ACTOR, note=None, now=now)
    except Collides as error:
        raise UsageError(f"{word!r} collides: {error}") from error
    data = {"kind": kind, "name": name, "revision": made}
    audit.record(connection, at=now, actor=ACTOR, action="codebook.save", target=f"{kind}.{name}", data=data)
    touch_config(connection)


def _subscribe(connection: Connection, doing: Doing) -> None:
    """One more digest, from now on."""
    ways = {"mail": "email"}
    by = doing.text("by") if "by" in doing.values else "both"
    wish = subscriptions.make_wish(
        ways.get(by, by), ",".join(doing.values["at"].words("at")), "", doing.ground.codebook.places
    )
    subscriptions.add(connection, doing.contact(connection), wish, now=doing.house.clock(), actor=ACTOR)


WHO = {"contact": "who", "person": "who", "of": "who", "phone": "who"}
ACTS: Mapping[str, ActSpec] = {
    "approve": ActSpec(_approve, ("who",), others=WHO),
    "suspend": ActSpec(_status, ("who",), others=WHO),
    "left": ActSpec(_status, ("who",), others=WHO),
    "add_contact": ActSpec(_register, ("name",), tuple(name for name in COLUMNS if name != "name"), CONTACT_WORDS),
    "pin": ActSpec(_give_pin, ("who", "pin"), others=WHO),
    "seen": ActSpec(_acknowledge, ("ref",), ("who",), {**WHO, "by": "who"}),
    "handled": ActSpec(_acknowledge, ("ref",), ("who",), {**WHO, "by": "who"}),
    "announce": ActSpec(_announce, ("to", "text"), others={"body": "text"}),
    "close": ActSpec(_event, ("ref",), ("text",), {"note": "text"}),
    "reopen": ActSpec(_event, ("ref",), ("text",), {"note": "text"}),
    "withdraw": ActSpec(_event, ("ref",), ("text",), {"note": "text"}),
    "note": ActSpec(_event, ("ref", "text"), others={"note": "text", "body": "text"}),
    "verify": ActSpec(_verify, ("ref",), ("as",), {"state": "as", "status": "as", "verification": "as"}),
    "correct": ActSpec(_correct, ("ref", "field", "value")),
    "pause": ActSpec(_channel, ("channel",)),
    "resume": ActSpec(_channel, ("channel",)),
    "disable": ActSpec(_channel, ("channel",)),
    "add_word": ActSpec(_keyword, ("kind", "name", "word")),
    "remove_word": ActSpec(_keyword, ("kind", "name", "word")),
    "subscribe": ActSpec(_subscribe, ("who", "at"), ("by",), {**WHO, "hours": "at"}),
    "set": ActSpec(_set, ("name", "value")),
    "pause_digests": ActSpec(_stop_digests, ("who",), others=WHO),
    "resume_digests": ActSpec(_stop_digests, ("who",), others=WHO),
}
