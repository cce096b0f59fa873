"""A look at how things stand: everything an expectation may ask about, taken out of the database at once."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from gateway.days.model import Day
from gateway.days.record import Look, Record
from gateway.days.wishes.rows import flat
from gateway.figures.map import map_spots
from gateway.figures.matrix import commitment_matrix
from gateway.figures.polls import poll_totals
from gateway.figures.public import PublicCell, public_figures
from gateway.figures.returns import return_board
from gateway.house import House
from gateway.models import Alert, AlertAct, AlertReceiver, Contact, Message, OptOut
from gateway.reports import EVENT, REPORT
from gateway.sealing import Sealer
from outbox.rows import OUTBOUND

ACT: Table = AlertAct.__table__  # type: ignore[attr-defined]
ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
MESSAGE: Table = Message.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]
RECEIVER: Table = AlertReceiver.__table__  # type: ignore[attr-defined]

DRAFTS = ("draft",)


class Looker:
    """Looks at one house for one day. `texts` is how many texts people have sent so far."""

    def __init__(self, house: House, day: Day, record: Record) -> None:
        self._house = house
        self._day = day
        self._record = record

    def look(self, connection: Connection, texts: int, pages: Mapping[str, str]) -> Look:
        now = self._house.clock()
        reports = list(self._reports(connection))
        return Look(
            at=now, reports=reports, alerts=list(self._alerts(connection)), outbox=list(self._outbox(connection)),
            totals=self._totals(connection, texts), figures=self._figures(connection, now, reports), pages=pages,
        )  # fmt: skip

    def shown(self, at: datetime | None) -> str | None:
        return self._day.ground.calendar.shown(at) if at else None

    def _reports(self, connection: Connection) -> Iterator[dict[str, Any]]:
        was = self._old_values(connection)
        query = select(REPORT, MESSAGE.c.id.label("mid"), MESSAGE.c.sender_sealed, MESSAGE.c.channel)
        query = query.join(MESSAGE, MESSAGE.c.id == REPORT.c.message_id).order_by(REPORT.c.created_at, REPORT.c.id)
        for row in connection.execute(query):
            address = self._house.sealer.open("message", "sender", row.mid, row.sender_sealed)
            found = {
                "ref": row.ref, "form": row.form, "category": row.category, "place": row.place, "date": row.event_date,
                "state": row.state, "verification": row.verification, "urgent": row.urgent,
                "registered": row.registered, "practice": row.practice, "address": address,
                "from": self._day.cast.by_address(address).name, "via": row.channel,
                "received": self.shown(row.heard_at), "sent": self.shown(row.sent_at), "created_at": row.created_at,
                "counts": row.fields, "fields": row.fields, "was": was.get(row.id, {}),
            }  # fmt: skip
            yield flat(found)

    def _old_values(self, connection: Connection) -> dict[Any, dict[str, Any]]:
        """By report: the value each corrected field had before its last correction."""
        found: dict[Any, dict[str, Any]] = {}
        query = select(EVENT.c.report_id, EVENT.c.data).order_by(EVENT.c.report_id, EVENT.c.seq)
        for row in connection.execute(query):
            found.setdefault(row.report_id, {}).update(row.data.get("old") or {})
        return found

    def _alerts(self, connection: Connection) -> Iterator[dict[str, Any]]:
        names = self._names(connection)
        query = select(ALERT, REPORT.c.ref, REPORT.c.heard_at).join(REPORT, REPORT.c.id == ALERT.c.report_id)
        for row in connection.execute(query.order_by(ALERT.c.opened_at)):
            told = select(RECEIVER.c.contact_id).where(RECEIVER.c.alert_id == row.id)
            seen = select(func.count()).where(ACT.c.alert_id == row.id, ACT.c.type == "seen")
            yield {
                "ref": row.ref, "state": row.state, "seen_by": names.get(row.seen_by), "escalations": row.step,
                "seen_after": int((row.seen_at - row.heard_at).total_seconds()) if row.seen_at else None,
                "told": ", ".join(sorted({names.get(key) or "?" for key in connection.scalars(told)})),
                "acknowledgements": connection.scalar(seen),
            }  # fmt: skip

    def _names(self, connection: Connection) -> dict[Any, str]:
        rows = connection.execute(select(CONTACT.c.id, CONTACT.c.name_sealed))
        return {row.id: self._house.sealer.open("contact", "name", row.id, row.name_sealed) for row in rows}

    def _outbox(self, connection: Connection) -> Iterator[dict[str, Any]]:
        columns = (OUTBOUND.c.id, OUTBOUND.c.kind, OUTBOUND.c.channel, OUTBOUND.c.state, OUTBOUND.c.to_sealed)
        for row in connection.execute(select(*columns).where(OUTBOUND.c.queued_at >= self._day.start)):
            to = self._house.sealer.open("outbound_message", "to", row.id, row.to_sealed)
            by = "sms" if to.startswith("tel:") else "email"
            yield {"kind": row.kind, "channel": row.channel, "state": row.state, "address": to, "by": by}

    def _totals(self, connection: Connection, texts: int) -> dict[str, int]:
        start = self._day.start

        def number(table: Table, *which: Any) -> int:
            return int(connection.scalar(select(func.count()).select_from(table).where(*which)) or 0)

        today = (REPORT.c.created_at >= start, REPORT.c.practice.is_(False))
        draft = REPORT.c.state.in_(DRAFTS)
        heard = MESSAGE.c.kept_at >= start
        sends = [send for send in self._record.sends if send.at >= start]
        return {
            "texts": texts, "reports": number(REPORT, *today, ~draft),
            "duplicates": number(MESSAGE, heard, MESSAGE.c.state == "duplicate"),
            "spam": number(MESSAGE, heard, MESSAGE.c.state == "spam"),
            "drafts": number(REPORT, *today, draft, REPORT.c.registered),
            "unregistered_drafts": number(REPORT, *today, draft, ~REPORT.c.registered),
            "unregistered": number(REPORT, *today, ~REPORT.c.registered),
            "polls": poll_totals(connection).answers, "stops": number(OPT_OUT, OPT_OUT.c.since >= start),
            "alerts": number(ALERT, ALERT.c.opened_at >= start), "lost": max(0, texts - number(MESSAGE, heard)),
            "doubled": sum(send.again for send in sends), "sms": sum(send.by == "sms" for send in sends),
            "mails": sum(send.by == "email" for send in sends),
        }  # fmt: skip

    def _figures(self, connection: Connection, now: datetime, reports: list[dict[str, Any]]) -> dict[str, Any]:
        zone = self._day.ground.calendar.zone
        spots = [
            {
                **asdict(spot), "refs": ", ".join(str(ref) for ref in spot.refs),
                "silent_since": str(spot.silent_since.astimezone(zone).date()) if spot.silent_since else None,
            }
            for spot in map_spots(connection, now)
        ]  # fmt: skip
        public = public_figures(connection, self._house.codebook(connection), now)
        told = [report["created_at"].astimezone(zone).date() for report in reports]
        today = [day for day in told if day >= self._day.ground.calendar.first and public.begin <= day < public.end]
        return {
            "matrix": [asdict(cell) for cell in commitment_matrix(connection)],
            "board": [asdict(line) for line in return_board(connection)],
            "map": spots,
            "polls": asdict(poll_totals(connection)),
            "public": {
                "until": str(public.end), "today": len(today), "reports": _cells(public.reports),
                "polls": _cells(public.polls),
            },
        }  # fmt: skip


def queued(connection: Connection, sealer: Sealer) -> dict[str, tuple[str, datetime]]:
    """Of which kind each message of the outbox is and since when it waited, by its id, and by the Message-ID that a
    mail was given."""
    found: dict[str, tuple[str, datetime]] = {}
    columns = (OUTBOUND.c.id, OUTBOUND.c.kind, OUTBOUND.c.queued_at, OUTBOUND.c.headers_sealed)
    for row in connection.execute(select(*columns)):
        headers = json.loads(sealer.open_optional("outbound_message", "headers", row.id, row.headers_sealed) or "{}")
        wished = [value for name, value in headers.items() if name.lower() == "message-id"]
        found.update(dict.fromkeys([str(row.id), *wished], (row.kind, row.queued_at)))
    return found


def _cells(cells: tuple[PublicCell, ...]) -> dict[str, str]:
    return {f"{cell.department} {cell.what}": "hidden" if cell.number is None else str(cell.number) for cell in cells}
