"""By which rule a report becomes an alert."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, func, select

from gateway.alerts.rows import ALERT
from gateway.alerts.staff import covers
from gateway.models import AlertRule
from gateway.reports import REPORT, ReportState
from parsers import fold_text

RULE: Table = AlertRule.__table__  # type: ignore[attr-defined]
COUNTED = ("open", "closed")


def load_rules(connection: Connection) -> list[Row[Any]]:
    """The rules that hold now, the first made first."""
    standing = (RULE.c.active, RULE.c.removed_at.is_(None))
    return list(connection.execute(select(RULE).where(*standing).order_by(RULE.c.created_at, RULE.c.id)))


def find_rule(
    connection: Connection, rules: Sequence[Row[Any]], state: ReportState, *, registered: bool, now: datetime
) -> Row[Any] | None:
    """The first rule that makes an alert of a report."""
    for rule in rules:
        if _fits(rule, state) and (rule.reports is None or _is_enough(connection, rule, state, registered, now)):
            return rule
    return None


def may_alert(rules: Sequence[Row[Any]], state: ReportState) -> bool:
    """Whether a rule may hold, without looking at other reports."""
    return not state.practice and any(_fits(rule, state) for rule in rules)


def _fits(rule: Row[Any], state: ReportState) -> bool:
    """What can be seen of the report itself; a draft becomes an alert only when it is urgent."""
    if not state.urgent and (rule.urgent or state.state == "draft"):
        return False
    if rule.categories and state.category not in rule.categories:
        return False
    if rule.places and not covers(rule.places, state.place):
        return False
    return not rule.words or has_word(rule.words, str(state.private.get("text", "")))


def has_word(words: Sequence[str], text: str) -> bool:
    """Whether one of the words, or phrases, stands in the text, spelled alike but for case and accents."""
    said = f" {_plain(text)} "
    return any(f" {_plain(word)} " in said for word in words)


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in fold_text(text)).split())


def _is_enough(connection: Connection, rule: Row[Any], state: ReportState, registered: bool, now: datetime) -> bool:
    """Whether so many reports of one municipality came within the days, since the rule's last alert there.

    Only those of registered senders count, so that no stranger can raise the alarm by writing often.
    """
    if state.place is None or not registered:
        return False
    last = _last_alert(connection, rule.id, state.place)
    since = now - timedelta(days=rule.days or 1)
    since = max(since, last) if last is not None and last <= now else since
    counted = [
        REPORT.c.place == state.place, REPORT.c.created_at > since, REPORT.c.registered, ~REPORT.c.practice,
        REPORT.c.state.in_(COUNTED),
    ]  # fmt: skip
    if rule.categories:
        counted.append(REPORT.c.category.in_(rule.categories))
    if rule.urgent:
        counted.append(REPORT.c.urgent)
    number = connection.scalar(select(func.count()).select_from(REPORT).where(*counted)) or 0
    return int(number) >= int(rule.reports)


def _last_alert(connection: Connection, rule_id: UUID, place: str) -> datetime | None:
    query = select(func.max(ALERT.c.opened_at)).join(REPORT, REPORT.c.id == ALERT.c.report_id)
    at: datetime | None = connection.scalar(query.where(ALERT.c.rule_id == rule_id, REPORT.c.place == place))
    return at
