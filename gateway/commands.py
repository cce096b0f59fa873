"""What a command does: BAJA, REGISTRO, CORREGIR, VISTO and the like. One function a command, one table of them."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from uuid_utils.compat import uuid7

from gateway import orders, pausing
from gateway.answering import Done
from gateway.clock import local_day
from gateway.keeping import Keeper
from gateway.orders import not_found, report_number
from gateway.plan import Heard
from gateway.registration import approve_by_message, next_number, tell_coordinators
from gateway.reports import COUNTS, Event, append_event, find_own, fold, load_events
from gateway.standing import ADDRESS, CONTACT, OPT_OUT
from outbox.queue import cancel_for
from parsers import ReportReading

OPEN_FIELDS = ("category", "place", "date")


def _help(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    return Done(keeper.replies.form_reply("help"), kind="notice")


def _stop(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """Nothing is sent to the sender's address any more but this one confirmation."""
    silent = keeper.plan.memory.opted_out
    if heard.speaker is not None:
        known = select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash.in_(heard.speaker.addresses))
        silent |= set(keeper.connection.scalars(known))
    leaving = [one for one in keeper.addresses(heard) if one not in silent]
    if not leaving:
        return Done(None)
    rows = [{"address_hash": one, "since": keeper.now, "channel": None, "source": "message"} for one in leaving]
    keeper.connection.execute(insert(OPT_OUT), rows)
    keeper.flush()
    for one in leaving:
        cancel_for(keeper.connection, one)
    silent.update(leaving)
    return Done(keeper.replies.form_reply("stop"), kind="notice", last_word=True)


def _optin(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    _opt_in(keeper, heard)
    return Done(keeper.replies.form_reply("optin"), kind="notice")


def _opt_in(keeper: Keeper, heard: Heard) -> None:
    own = keeper.addresses(heard)
    keeper.connection.execute(delete(OPT_OUT).where(OPT_OUT.c.address_hash.in_(own)))
    keeper.plan.memory.opted_out.difference_update(own)
    if heard.speaker is not None:
        heard.speaker.standing.opted_out = False


def _register(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """A stranger becomes a contact that waits for approval; a known sender only opts in again."""
    _opt_in(keeper, heard)
    name, place = str(command.get("name") or ""), command.get("place")
    if keeper.enrolled(heard) is None and heard.incoming.sender[:4] in ("tel:", "mail"):
        _add_pending(keeper, heard, name, str(place) if place else None, str(command.get("lang") or "es"))
    told = keeper.replies.place(str(place) if place else None)
    return Done(keeper.replies.form_reply("register", name=name[:24], place=told), kind="notice")


def _add_pending(keeper: Keeper, heard: Heard, name: str, place: str | None, language: str) -> None:
    contact_id, address_id, seal = uuid7(), uuid7(), keeper.sealer.seal
    contact = {
        "id": contact_id, "role": "monitor", "status": "pending", "home_place": place, "language": language,
        "name_sealed": seal("contact", "name", contact_id, name), "village_sealed": None, "places": [],
        "discreet": False, "created_at": keeper.now, "changed_at": keeper.now, "last_heard_at": keeper.now,
        "registration": next_number(keeper.connection),
    }  # fmt: skip
    sender = heard.incoming.sender
    address = {
        "id": address_id, "contact_id": contact_id, "kind": sender.partition(":")[0], "preferred": True,
        "address_hash": heard.sender_hash, "created_at": keeper.now,
        "address_sealed": seal("contact_address", "address", address_id, sender),
    }  # fmt: skip
    keeper.connection.execute(insert(CONTACT), [contact])
    keeper.connection.execute(insert(ADDRESS), [address])
    keeper.tell(
        tell_coordinators(
            keeper.connection, contact, replies=keeper.replies, found=keeper.ways, sealer=keeper.sealer, now=keeper.now
        )
    )


def _own_report(keeper: Keeper, heard: Heard, command: ReportReading) -> Row[Any] | None:
    keeper.flush()
    known = keeper.known(heard)
    contact_id = known.contact_id if known else None
    ref = report_number(command.get("ref"))
    return find_own(keeper.connection, sender_hash=heard.owner_hash, contact_id=contact_id, ref=ref)


def _status(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    row = _own_report(keeper, heard, command)
    if row is None:
        return not_found(keeper, command)
    state = fold(load_events(keeper.connection, row.id, keeper.sealer))
    values = {"ref": state.ref, "date": keeper.replies.date(state.event_date), "state": keeper.replies.state(state)}
    return Done(keeper.replies.form_reply("status", **values), row.id, row.ref, kind="notice")


def _correction(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    row = _own_report(keeper, heard, command)
    if row is None:
        return not_found(keeper, command)
    actor = keeper.actor(heard)
    if command.get("cancel"):
        event = Event("withdrawn", keeper.now, actor, {}, {}, heard.message_id)
        state = append_event(keeper.connection, row.id, event, sealer=keeper.sealer)
        keeper.follow_alert(heard, row.id, state, event)
        return Done(keeper.replies.text("withdrawn", ref=row.ref), row.id, row.ref)
    field, value = str(command.get("field")), command.get("value")
    data, private = _corrected(row, field, value)
    if field == "category" and not row.urgent and _is_urgent(keeper, str(value), row.event_date):
        data["urgent"] = True
    event = Event("corrected", keeper.now, actor, data, private, heard.message_id)
    state = append_event(keeper.connection, row.id, event, sealer=keeper.sealer)
    keeper.follow_alert(heard, row.id, state, event)
    names = {"ref": row.ref, "field": keeper.replies.field_name(field)}
    told = "" if private else keeper.replies.field_value(field, value)
    return Done(keeper.replies.form_reply("correction", value=told, **names), row.id, row.ref)


def _is_urgent(keeper: Keeper, category: str, day: date | None) -> bool:
    """Whether a category is urgent when it is recent, and the day is today or yesterday."""
    found = keeper.codebook.categories.get(category)
    if found is None or found.urgent != "if_recent" or day is None:
        return False
    return timedelta(0) <= local_day(keeper.now, keeper.codebook.zone) - day <= timedelta(days=1)


def _corrected(row: Row[Any], field: str, value: object) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event of one corrected field, with the value it had; a text people wrote stays on the private side."""
    if field in OPEN_FIELDS:
        old = getattr(row, "event_date" if field == "date" else field)
        return {field: value, "old": {field: None if old is None else str(old)}}, {}
    if field in COUNTS or field in row.fields:
        return {"fields": {field: value}, "old": {field: row.fields.get(field)}}, {}
    if field in ("status", "topic", "commitment"):
        return {"fields": {field: value}, "old": {field: None}}, {}
    return {"corrected": field}, {field: value}


def _language(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    language = str(command.get("lang"))
    known = keeper.enrolled(heard)
    if known is not None:
        keeper.connection.execute(update(CONTACT).where(CONTACT.c.id == known.contact_id).values(language=language))
    choice = keeper.codebook.choices.get("lang", {}).get(language)
    return Done(keeper.replies.form_reply("language", language=choice.label if choice else language), kind="notice")


def _alive(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    known = keeper.known(heard)
    place = keeper.replies.place(known.home_place if known else None)
    return Done(keeper.replies.form_reply("alive", place=place), kind="notice")


def _by_hand(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """A command nobody may give by message alone: a person looks at it."""
    return Done(keeper.replies.text("unread"), kind="notice")


COMMANDS: Mapping[str, Callable[[Keeper, Heard, ReportReading], Done]] = {
    "help": _help,
    "stop": _stop,
    "optin": _optin,
    "pause": pausing.pause,
    "resume": pausing.resume,
    "register": _register,
    "status": _status,
    "correction": _correction,
    "language": _language,
    "alive": _alive,
    "seen": orders.seen,
    "close": orders.close,
    "verify": orders.verify,
    "note": orders.note,
    "identify": _by_hand,
    "approve": approve_by_message,
    "practice": _by_hand,
}
