"""Rows as the intake would leave them, for tests that need a stored past."""

import itertools
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert
from uuid_utils.compat import uuid7

from gateway.contact_file import COLUMNS, parse_contacts
from gateway.contacts import find, import_contacts
from gateway.house import House
from gateway.models import Message
from gateway.reports import EVENT, REPORT, Event, append_event, fold, new_event_row, state_columns

MESSAGE = Message.__table__  # type: ignore[attr-defined]
MARTA = "mailto:marta@oficina.example"
PEOPLE = (
    "+50255550101,nebaj1@monitores.example,Ana Cobo,monitor,Acul,1413,14,ixl,active,",
    "+50255550201,marta@oficina.example,Marta Brito,coordinator,Nebaj,1413,14,es,active,14|07",
    "+50255550202,eulalio@oficina.example,Eulalio Mendez,coordinator,Huehue,1301,13,en,active,13|08",
    "+50255550301,admin@oficina.example,Julio Admin,admin,Guatemala,0101,01,es,active,",
)
_refs = itertools.count(3000)


def add_people(house: House, *lines: str) -> None:
    table = "\n".join((",".join(COLUMNS), *(lines or PEOPLE))) + "\n"

    def job(connection: Connection) -> None:
        rows = parse_contacts(table, house.codebook(connection).places)
        import_contacts(connection, rows, sealer=house.sealer, now=house.clock(), actor="cli")

    house.writer.write_now(job)


def contact_of(house: House, address: str) -> UUID:
    found = house.read_now(lambda connection: find(connection, address, house.sealer))
    assert found is not None
    return found


def message_row(
    house: House, at: datetime, *, text: str = "inc rob nebaj", sender: str = "tel:+50255550101"
) -> dict[str, Any]:
    key, sealer = uuid7(), house.sealer
    return {
        "id": key, "node_id": house.node_id, "channel": "simulator", "external_hash": key.bytes, "body_hash": key.bytes,
        "sender_hash": sealer.hash("address", sender), "sender_sealed": sealer.seal("message", "sender", key, sender),
        "text_sealed": sealer.seal("message", "text", key, text), "heard_at": at, "kept_at": at, "state": "read",
        "codebook_revision": 1, "practice": False,
    }  # fmt: skip


def put_report(
    connection: Connection, house: House, at: datetime, *, place: str | None = "1413", category: str | None = "ROB",
    kind: str = "accepted", registered: bool = True, ref: int | None = None, fields: Mapping[str, Any] | None = None,
    **data: Any,
) -> tuple[UUID, int | None]:  # fmt: skip
    """A report with its first event; (id, ref). A draft has no number unless one is given."""
    message = message_row(house, at)
    connection.execute(insert(MESSAGE), [message])
    report_id = uuid7()
    number = ref if ref is not None or kind == "drafted" else next(_refs)
    facts = {
        "form": "incident", "category": category, "place": place, "date": at.date().isoformat(), "urgent": False,
        "practice": False, "revision": 1, "ref": number, "fields": dict(fields or {}), **data,
    }  # fmt: skip
    event = Event(kind, at, "stranger", facts, {"text": "el nombre de Ana"}, message["id"])
    state = fold([event])
    row = {
        "id": report_id, "node_id": house.node_id, "message_id": message["id"], "sender_hash": message["sender_hash"],
        "registered": registered, "heard_at": at, "created_at": at,
        **state_columns(report_id, state, house.sealer),
    }  # fmt: skip
    connection.execute(insert(REPORT), [row])
    event_row = new_event_row(report_id, house.node_id, 1, event, place=state.place, sealer=house.sealer)
    connection.execute(insert(EVENT), [event_row])
    return report_id, number


def add_report(house: House, at: datetime, **facts: Any) -> tuple[UUID, int | None]:
    return house.writer.write_now(lambda connection: put_report(connection, house, at, **facts))


def add_event(house: House, report_id: UUID, kind: str, at: datetime, **data: Any) -> None:
    event = Event(kind, at, "user:marta", data)
    house.writer.write_now(lambda connection: append_event(connection, report_id, event, sealer=house.sealer))
