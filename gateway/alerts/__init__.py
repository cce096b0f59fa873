"""Alerts: who is told at once, who is told next when nobody answers, and who has seen it."""

from gateway.alerts.acts import Attends, Doer, Done, acknowledge, attended_by, first_name, mark
from gateway.alerts.following import follow
from gateway.alerts.ladder import escalate_due, keep_ladder, tell_more_due
from gateway.alerts.office import Office, office_of
from gateway.alerts.opening import Sender, lock_events, raise_alert
from gateway.alerts.rows import ACT, ALERT, JOINED, RECEIVER, alert_of, event_key, is_placed, open_alerts, was_sent_to
from gateway.alerts.rules import load_rules, may_alert
from gateway.alerts.staff import covers, receivers

__all__ = [
    "ACT",
    "ALERT",
    "JOINED",
    "RECEIVER",
    "Attends",
    "Doer",
    "Done",
    "Office",
    "Sender",
    "acknowledge",
    "alert_of",
    "attended_by",
    "covers",
    "escalate_due",
    "event_key",
    "first_name",
    "follow",
    "is_placed",
    "keep_ladder",
    "load_rules",
    "lock_events",
    "mark",
    "may_alert",
    "office_of",
    "open_alerts",
    "raise_alert",
    "receivers",
    "tell_more_due",
    "was_sent_to",
]
