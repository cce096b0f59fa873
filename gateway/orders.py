"""What coordinators order by a text or a mail: VISTO, CERRAR, VERIFICAR, NOTA. Each may come twice and acts once."""

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from gateway.alerts import (
    ALERT,
    RECEIVER,
    Doer,
    acknowledge,
    alert_of,
    attended_by,
    covers,
    first_name,
    was_sent_to,
)
from gateway.answering import Done
from gateway.casework import ALLOWED, act
from gateway.conversation import Known
from gateway.keeping import Keeper
from gateway.plan import Heard
from gateway.reports import REPORT, Event, fold, load_events
from gateway.standing import CONTACT
from outbox.rows import OUTBOUND
from parsers import ReportReading

VERIFICATION = {"si": "verified", "no": "refuted", "parcial": "corroborated"}
ROLES = ("coordinator", "admin")
LISTED = 8
_OURS = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@")


def report_number(value: object) -> int | None:
    """A report number from its digits; None when none was said, -1 when it can be no number of ours."""
    if value is None:
        return None
    digits = str(value).lstrip("Rr")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else -1


def not_found(keeper: Keeper, command: ReportReading) -> Done:
    return Done(keeper.replies.text("not_found", ref=str(command.get("ref") or "")[:10]), kind="notice")


def seen(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """VISTO: only an alert that was sent to this person; without a number the one that can be meant."""
    known = _staff(keeper, heard)
    if known is None:
        return not_found(keeper, command)
    keeper.flush()
    ref = report_number(command.get("ref"))
    if ref is None:
        return _seen_without_number(keeper, heard, known)
    report = _report(keeper, ref)
    alert = alert_of(keeper.connection, report.id) if report is not None else None
    if report is not None and alert is None and _may_see(keeper, known, report):
        return Done(keeper.replies.text("no_alert", ref=ref), report.id, ref, kind="notice")
    if report is None or alert is None or not _was_sent(keeper, alert, known):
        return not_found(keeper, command)
    return _acknowledged(keeper, heard, known, alert, report)


def _seen_without_number(keeper: Keeper, heard: Heard, known: Known) -> Done:
    """The alert a mail answers; else the only open one this person was sent, else the only one seen."""
    answered = _answered_report(keeper, heard, known)
    if answered is not None and (alert := alert_of(keeper.connection, answered.id)) is not None:
        return _acknowledged(keeper, heard, known, alert, answered)
    for state in ("open", "seen"):
        query = select(REPORT, ALERT.c.id.label("alert_id")).join(ALERT, ALERT.c.report_id == REPORT.c.id)
        query = query.where(ALERT.c.state == state, was_sent_to(known.contact_id))
        newest = query.order_by(ALERT.c.opened_at.desc(), REPORT.c.ref.desc())
        found = list(keeper.connection.execute(newest.limit(LISTED)))
        if len(found) == 1:
            alert = alert_of(keeper.connection, found[0].id)
            assert alert is not None
            return _acknowledged(keeper, heard, known, alert, found[0])
        if found and state == "open":
            refs = " ".join(f"R{row.ref}" for row in found)
            return Done(keeper.replies.text("which_alert", n=len(found), refs=refs), kind="notice", urgent=True)
    return Done(keeper.replies.text("no_open_alert"), kind="notice", urgent=True)


def _answered_report(keeper: Keeper, heard: Heard, known: Known) -> Row[Any] | None:
    """The report of the alert mail of ours to this person that a mail is a reply to."""
    thread = heard.incoming.thread
    ids = [UUID(found) for found in _OURS.findall(f"{thread.get('in_reply_to', '')} {thread.get('references', '')}")]
    if not ids:
        return None
    sent = select(OUTBOUND.c.report_id).where(
        OUTBOUND.c.id.in_(ids), OUTBOUND.c.contact_id == known.contact_id, OUTBOUND.c.kind == "alert"
    )
    return keeper.connection.execute(select(REPORT).where(REPORT.c.id.in_(sent)).limit(1)).first()


def _acknowledged(keeper: Keeper, heard: Heard, known: Known, alert: Row[Any], report: Row[Any]) -> Done:
    office = keeper.office(heard)
    keeper.send(acknowledge(office, alert, "seen", _doer(keeper, heard, known)).messages)
    attends = attended_by(office, alert.id)
    if attends is None or attends.contact_id == known.contact_id:
        text = keeper.replies.form_reply("seen", ref=report.ref)
    else:
        time = f"{office.local(attends.at):%H:%M}"
        text = keeper.replies.text("seen_also", ref=report.ref, name=attends.name, time=time)
    return Done(text, report.id, report.ref, urgent=True)


def close(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """CERRAR: the report and its alert."""
    known, row = _case(keeper, heard, command)
    if row is None or known is None:
        return not_found(keeper, command)
    alert = alert_of(keeper.connection, row.id)
    if alert is not None and alert.report_id == row.id:
        keeper.send(acknowledge(keeper.office(heard), alert, "closed", _doer(keeper, heard, known)).messages)
    if row.state != "closed" and not _act(keeper, heard, row, "closed"):
        return _not_possible(keeper, row)
    return Done(keeper.replies.form_reply("close", ref=row.ref), row.id, row.ref, urgent=True)


def verify(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """VERIFICAR: the same word twice makes one event."""
    known, row = _case(keeper, heard, command)
    if row is None or known is None:
        return not_found(keeper, command)
    status, note = str(command.get("status")), str(command.get("note") or "")
    wanted = VERIFICATION.get(status, "unverified")
    if row.verification != wanted or note:
        if _said_last(keeper, row, note) and row.verification == wanted:
            note = ""
        elif not _act(keeper, heard, row, "verified", {"verification": wanted}, note):
            return _not_possible(keeper, row)
    choice = keeper.codebook.choices.get("verify.status", {}).get(status)
    label = choice.label if choice else status
    return Done(keeper.replies.form_reply("verify", ref=row.ref, status=label), row.id, row.ref)


def note(keeper: Keeper, heard: Heard, command: ReportReading) -> Done:
    """NOTA: a remark on a report; the same one twice in a row is one."""
    known, row = _case(keeper, heard, command)
    if row is None or known is None:
        return not_found(keeper, command)
    words = str(command.get("note") or "")
    if not _said_last(keeper, row, words) and not _act(keeper, heard, row, "noted", note=words):
        return _not_possible(keeper, row)
    return Done(keeper.replies.form_reply("note", ref=row.ref), row.id, row.ref)


def _case(keeper: Keeper, heard: Heard, command: ReportReading) -> tuple[Known | None, Row[Any] | None]:
    """The report a coordinator may act on: in the own places, or one whose alert was sent to that coordinator."""
    known = _staff(keeper, heard)
    if known is None:
        return None, None
    keeper.flush()
    ref = report_number(command.get("ref"))
    row = _report(keeper, ref) if ref is not None else None
    if row is None or _may_see(keeper, known, row):
        return known, row
    alert = alert_of(keeper.connection, row.id)
    return known, row if alert is not None and _was_sent(keeper, alert, known) else None


def _staff(keeper: Keeper, heard: Heard) -> Known | None:
    known = keeper.known(heard)
    return known if known is not None and known.role in ROLES else None


def _report(keeper: Keeper, ref: int) -> Row[Any] | None:
    query = select(REPORT).where(REPORT.c.node_id == keeper.node_id, REPORT.c.ref == ref)
    return keeper.connection.execute(query).first()


def _may_see(keeper: Keeper, known: Known, row: Row[Any]) -> bool:
    if known.role == "admin":
        return True
    places = keeper.connection.scalar(select(CONTACT.c.places).where(CONTACT.c.id == known.contact_id)) or []
    return covers(places, row.place)


def _was_sent(keeper: Keeper, alert: Row[Any], known: Known) -> bool:
    sent = select(RECEIVER.c.id).where(RECEIVER.c.alert_id == alert.id, RECEIVER.c.contact_id == known.contact_id)
    return keeper.connection.execute(sent.limit(1)).first() is not None


def _doer(keeper: Keeper, heard: Heard, known: Known) -> Doer:
    name = first_name(keeper.connection, known.contact_id, keeper.sealer)
    way = "mail" if heard.incoming.sender.startswith("mailto:") else "sms"
    return Doer(keeper.actor(heard), known.contact_id, name, way, heard.message_id)


def _said_last(keeper: Keeper, row: Row[Any], words: str) -> bool:
    remarks = fold(load_events(keeper.connection, row.id, keeper.sealer)).private.get("remarks", [])
    return bool(remarks) and remarks[-1] == words


def _act(
    keeper: Keeper, heard: Heard, row: Row[Any], kind: str, data: dict[str, Any] | None = None, note: str = ""
) -> bool:
    """Add the event; False when the report's state does not allow it."""
    if row.state not in ALLOWED[kind]:
        return False
    private = {"note": note} if note else {}
    event = Event(kind, keeper.now, keeper.actor(heard), data or {}, private, heard.message_id)
    act(keeper.connection, row.id, event, sealer=keeper.sealer)
    return True


def _not_possible(keeper: Keeper, row: Row[Any]) -> Done:
    state = keeper.replies.codebook.replies[f"state.{row.state}"]
    return Done(keeper.replies.text("not_possible", ref=row.ref, state=state), row.id, row.ref, kind="notice")
