"""A whole office without wires: texts go in by `say`, what was made of them is looked up opened."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from gateway.contact_file import read_contact_file
from gateway.contacts import import_contacts
from gateway.house import House
from gateway.incoming import Incoming, Receipt
from gateway.intake import Intake
from gateway.models import Channel
from gateway.reports import EVENT, REPORT, fold, open_event, open_private
from gateway.standing import MESSAGE, QUESTION
from outbox.rows import OUTBOUND

CONTACTS = Path(__file__).parents[1] / "data" / "contacts.csv"
CHANNEL = Channel.__table__

ANA = "tel:+50255550101"
GASPAR = "tel:+50255550102"
MARIA = "tel:+50255550103"
TOMAS = "tel:+50255550105"
MARCOS = "tel:+50255550112"
LUCIA = "tel:+50255550115"
CONCEPCION = "tel:+50255550117"
MARTA = "tel:+50255550201"
EULALIO = "tel:+50255550202"
STRANGER = "tel:+50255559044"


@dataclass
class Desk:
    house: House
    intake: Intake

    def say(self, sender: str, text: str, **more: Any) -> Receipt:
        """One text on the channel `modem`, kept."""
        return self.say_all([self.incoming(sender, text, **more)])[0]

    def say_all(self, batch: Sequence[Incoming]) -> list[Receipt]:
        """Texts that arrive together."""

        async def everyone() -> list[Receipt]:
            return await asyncio.gather(*(self.intake.receive(one) for one in batch))

        return asyncio.run(everyone())

    def incoming(self, sender: str, text: str, **more: Any) -> Incoming:
        at: datetime = self.house.clock()
        values = {"channel": "modem", "heard_at": at, "external_id": uuid7().hex, **more}
        return Incoming(sender=sender, text=text, **values)

    def messages(self) -> list[Any]:
        return self._rows(select(MESSAGE).order_by(MESSAGE.c.id))

    def message(self, message_id: UUID) -> Any:
        return self._rows(select(MESSAGE).where(MESSAGE.c.id == message_id))[0]

    def reports(self) -> list[Any]:
        return self._rows(select(REPORT).order_by(REPORT.c.ref, REPORT.c.id))

    def report(self, ref: int) -> Any:
        return self._rows(select(REPORT).where(REPORT.c.ref == ref))[0]

    def events(self, report_id: UUID) -> list[str]:
        return [
            row.type for row in self._rows(select(EVENT).where(EVENT.c.report_id == report_id).order_by(EVENT.c.seq))
        ]

    def questions(self) -> list[Any]:
        return self._rows(select(QUESTION).order_by(QUESTION.c.id))

    def told(self, to: str) -> list[str]:
        """Every text queued for an address, in the order of queueing."""
        found = self._rows(select(OUTBOUND).where(OUTBOUND.c.to_hash == self.house.sealer.hash("address", to)))
        found.sort(key=lambda row: row.id)
        return [self.house.sealer.open("outbound_message", "text", row.id, row.text_sealed) for row in found]

    def outbox(self) -> list[Any]:
        return self._rows(select(OUTBOUND).order_by(OUTBOUND.c.id))

    def texts(self, row: Any) -> dict[str, Any]:
        return open_private(row, self.house.sealer)

    def folds_differ(self) -> list[UUID]:
        """Ids of reports whose row is not the fold of their events."""
        columns = (
            "ref", "form", "category", "place", "event_date", "urgent", "practice", "state", "verification", "fields",
            "codebook_revision", "last_seq", "changed_at",
        )  # fmt: skip
        wrong = []
        for row in self.reports():
            events = self._rows(select(EVENT).where(EVENT.c.report_id == row.id).order_by(EVENT.c.seq))
            state = fold(open_event(event, self.house.sealer) for event in events)
            same = all(getattr(row, name) == getattr(state, name) for name in columns)
            if (
                not same
                or self.texts(row) != state.private
                or [e.seq for e in events] != list(range(1, len(events) + 1))
            ):
                wrong.append(row.id)
        return wrong

    def _rows(self, query: Any) -> list[Any]:
        return self.house.read_now(lambda conn: list(conn.execute(query)))


def open_cast(house: House) -> None:
    """The people of the day."""
    places = house.read_now(house.codebook).places
    rows = read_contact_file(CONTACTS, places)
    now = house.clock()
    house.writer.write_now(lambda conn: import_contacts(conn, rows, sealer=house.sealer, now=now, actor="test"))


def open_desk(house: House) -> Desk:
    """The cast, a modem (kind `simulator`) and a mail channel that can send."""
    open_cast(house)
    base = {"state": "active", "created_at": house.clock(), "changed_at": house.clock()}
    rows = [
        {"id": uuid7(), "name": "modem", "kind": "simulator", "config": {}, **base},
        {"id": uuid7(), "name": "mail", "kind": "smtp", "config": {"host": "127.0.0.1"}, **base},
    ]
    house.writer.write_now(lambda conn: conn.execute(insert(CHANNEL), rows))
    intake = Intake(house)
    house.writer.first = intake
    return Desk(house, intake)
