"""All tables, one noun per file. Importing this package fills `metadata`."""

from gateway.models.alert import Alert, AlertAct, AlertReceiver, AlertReport, AlertRule
from gateway.models.announcement import Announcement
from gateway.models.attachment import Attachment
from gateway.models.audit import AuditEntry
from gateway.models.channel import Channel, ChannelMark, ChannelOutage
from gateway.models.codebook import CodebookRevision
from gateway.models.contact import Contact, ContactAddress, OptOut, PinAttempt
from gateway.models.digest import DigestEntry, DigestRun, Subscription
from gateway.models.link import ReportLink
from gateway.models.message import Message
from gateway.models.node import Counter, Node, SendingProcess, Setting
from gateway.models.poll import PollAnswer
from gateway.models.question import OpenQuestion
from gateway.models.report import Report, ReportEvent
from gateway.models.route import RouteRule
from gateway.models.silence import Silence
from gateway.models.user import Session, User, UserLink
from outbox.models import OutboundMessage, ParkedReceipt, SendAttempt
from outbox.tables import metadata

__all__ = [
    "Alert",
    "AlertAct",
    "AlertReceiver",
    "AlertReport",
    "AlertRule",
    "Announcement",
    "Attachment",
    "AuditEntry",
    "Channel",
    "ChannelMark",
    "ChannelOutage",
    "CodebookRevision",
    "Contact",
    "ContactAddress",
    "Counter",
    "DigestEntry",
    "DigestRun",
    "Message",
    "Node",
    "OpenQuestion",
    "OptOut",
    "OutboundMessage",
    "ParkedReceipt",
    "PinAttempt",
    "PollAnswer",
    "Report",
    "ReportEvent",
    "ReportLink",
    "RouteRule",
    "SendAttempt",
    "SendingProcess",
    "Session",
    "Setting",
    "Silence",
    "Subscription",
    "User",
    "UserLink",
    "metadata",
]
