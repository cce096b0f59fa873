"""What goes back and every channel: alerts with their receivers, wishes for digests, silence, outages.

Revision ID: 0002
Revises: 0001
Created: 2026-11-22 00:05:00
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The first word is what stands in the rows that exist.
DIGEST_CHOICES = {
    "every": ("day", "weekdays", "week", "month"), "when_empty": ("send", "silent"), "detail": ("full", "brief"),
    "catch_up": ("one", "each"), "attach": ("none", "csv", "xlsx"),
}  # fmt: skip


def upgrade() -> None:
    alerts()
    digests()
    silence()
    reading()
    channels()
    verification()
    routes()


def alerts() -> None:
    word, moment = sqlmodel.sql.sqltypes.AutoString, sqlmodel.sql.sqltypes.UTCDateTime
    op.add_column("alert", sa.Column("event_key", word(length=64), nullable=True))
    op.add_column("alert", sa.Column("rule_id", sa.Uuid(), nullable=True))
    op.add_column("alert", sa.Column("held_back", sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in ("reports", "reports_told"):
        op.add_column("alert", sa.Column(name, sa.Integer(), server_default="1", nullable=False))
    op.add_column("alert", sa.Column("step", sa.Integer(), server_default="0", nullable=False))
    for name in ("more_told_at", "ladder_from", "ended_at"):
        op.add_column("alert", sa.Column(name, moment(), nullable=True))
    unsettled = sa.text("state IN ('open', 'seen')")
    op.create_index("ix_alert_unsettled", "alert", ["event_key"], sqlite_where=unsettled, postgresql_where=unsettled)
    op.create_index("ix_alert_opened_at", "alert", ["opened_at"])
    op.create_table(
        "alert_report",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", moment(), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_alert_report_report_id_report")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_report_alert_id_alert")),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_alert_report")),
    )
    op.create_index("ix_alert_report_alert_id", "alert_report", ["alert_id"])
    op.create_table(
        "alert_receiver",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("told_at", moment(), nullable=False),
        sa.Column("sms_id", sa.Uuid(), nullable=True),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_receiver_alert_id_alert")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_alert_receiver_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_receiver")),
        sa.UniqueConstraint("alert_id", "contact_id", "step", name=op.f("uq_alert_receiver_alert_id_contact_id_step")),
    )
    op.create_index("ix_alert_receiver_contact_id", "alert_receiver", ["contact_id"])
    op.create_table(
        "alert_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("type", word(length=12), nullable=False),
        sa.Column("actor", word(length=80), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("way", word(length=8), nullable=False),
        sa.Column("at", moment(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("type IN ('seen', 'handled', 'closed')", name=op.f("ck_alert_act_type")),
        sa.CheckConstraint("way IN ('sms', 'mail', 'page', 'link', 'command')", name=op.f("ck_alert_act_way")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alert_act_alert_id_alert")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_act")),
        sa.UniqueConstraint("alert_id", "type", "actor", name=op.f("uq_alert_act_alert_id_type_actor")),
    )
    _keep_old_alerts()
    rules = op.create_table(
        "alert_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", word(length=80), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("categories", "places", "words")),
        sa.Column("reports", sa.Integer(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("changed_at", moment(), nullable=False),
        sa.Column("removed_at", moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_rule")),
    )
    if op.get_bind().execute(sa.text("SELECT 1 FROM node")).first():
        at = datetime.now(UTC)
        shipped = {
            "id": uuid4(), "name": "urgente", "urgent": True, "categories": [], "places": [], "words": [],
            "active": True, "created_at": at, "changed_at": at,
        }  # fmt: skip
        op.bulk_insert(rules, [shipped])


def _keep_old_alerts() -> None:
    """Those told of earlier alerts stay their receivers, and none of these alerts is escalated now."""
    bind = op.get_bind()
    bind.execute(sa.text("UPDATE alert SET step = 3"))
    told = sa.text(
        "SELECT DISTINCT alert.id, outbound_message.contact_id, alert.opened_at FROM alert "
        "JOIN outbound_message ON outbound_message.report_id = alert.report_id AND outbound_message.kind = 'alert' "
        "JOIN contact ON contact.id = outbound_message.contact_id"
    ).columns(
        sa.column("id", sa.Uuid()),
        sa.column("contact_id", sa.Uuid()),
        sa.column("opened_at", sqlmodel.sql.sqltypes.UTCDateTime()),
    )
    receivers = sa.table(
        "alert_receiver", sa.column("id", sa.Uuid()), sa.column("alert_id", sa.Uuid()),
        sa.column("contact_id", sa.Uuid()), sa.column("step", sa.Integer()), sa.column("told_at", sqlmodel.sql.sqltypes.UTCDateTime()),
    )  # fmt: skip
    rows = [
        {"id": uuid4(), "alert_id": row.id, "contact_id": row.contact_id, "step": 0, "told_at": row.opened_at}
        for row in bind.execute(told)
    ]
    if rows:
        op.bulk_insert(receivers, rows)


def drop_alerts() -> None:
    for table in ("alert_rule", "alert_act", "alert_receiver", "alert_report"):
        op.drop_table(table)
    op.drop_index("ix_alert_opened_at", "alert")
    op.drop_index("ix_alert_unsettled", "alert")
    for name in (
        "ended_at", "ladder_from", "more_told_at", "step", "reports_told", "reports", "held_back", "rule_id",
        "event_key",
    ):  # fmt: skip
        op.drop_column("alert", name)


def digests() -> None:
    word = sqlmodel.sql.sqltypes.AutoString
    with op.batch_alter_table("subscription") as batch_op:
        batch_op.drop_constraint(op.f("ck_subscription_by"), type_="check")
        batch_op.create_check_constraint(op.f("ck_subscription_by"), "by IN ('email', 'sms', 'both')")
        batch_op.add_column(sa.Column("forms", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("categories", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("weekday", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("month_day", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("language", word(length=8), nullable=True))
        for name, words in DIGEST_CHOICES.items():
            batch_op.add_column(sa.Column(name, word(length=8), server_default=words[0], nullable=False))
        for name, words in DIGEST_CHOICES.items():
            listed = ", ".join(f"'{one}'" for one in words)
            batch_op.create_check_constraint(op.f(f"ck_subscription_{name}"), f"{name} IN ({listed})")
    op.add_column("digest_run", sa.Column("told", sa.LargeBinary(), nullable=True))
    op.add_column("outbound_message", sa.Column("attachments_sealed", sa.LargeBinary(), nullable=True))


def drop_digests() -> None:
    op.execute("UPDATE subscription SET by = 'email' WHERE by = 'both'")
    op.drop_column("outbound_message", "attachments_sealed")
    op.drop_column("digest_run", "told")
    with op.batch_alter_table("subscription") as batch_op:
        for name in (*DIGEST_CHOICES, "by"):
            batch_op.drop_constraint(op.f(f"ck_subscription_{name}"), type_="check")
        for name in (*DIGEST_CHOICES, "language", "month_day", "weekday", "categories", "forms"):
            batch_op.drop_column(name)
        batch_op.create_check_constraint(op.f("ck_subscription_by"), "by IN ('email', 'sms')")


def silence() -> None:
    text = sqlmodel.sql.sqltypes.AutoString
    at = sqlmodel.sql.sqltypes.UTCDateTime
    op.add_column("contact", sa.Column("rhythm_days", sa.Integer(), nullable=True))
    op.add_column("contact", sa.Column("zone", text(length=64), nullable=True))
    op.add_column("contact_address", sa.Column("failing_since", at(), nullable=True))
    op.add_column("contact_address", sa.Column("failing_reason", text(length=64), nullable=True))
    op.add_column("contact_address", sa.Column("trusted_from", at(), nullable=True))
    op.add_column("subscription", sa.Column("pause_reason", text(length=32), nullable=True))
    op.add_column("outbound_message", sa.Column("about_id", sa.Uuid(), nullable=True))
    known = sa.text("about_id IS NOT NULL")
    op.create_index(
        "ix_outbound_message_about_id", "outbound_message", ["about_id"], sqlite_where=known, postgresql_where=known
    )
    op.create_table(
        "silence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("since", at(), nullable=False),
        sa.Column("noticed_at", at(), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", at(), nullable=True),
        sa.Column("last_reminded_at", at(), nullable=True),
        sa.Column("told_at", at(), nullable=True),
        sa.Column("ended_at", at(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_silence_contact_id_contact")),
        sa.UniqueConstraint("contact_id", "since", name=op.f("uq_silence_contact_id_since")),
    )
    op.create_index("ix_silence_contact_id", "silence", ["contact_id"])
    op.create_table(
        "announcement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("made_at", at(), nullable=False),
        sa.Column("actor", text(length=64), nullable=False),
        sa.Column("target_kind", text(length=8), nullable=False),
        sa.Column("target", text(length=40), nullable=True),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("segments", sa.Integer(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=True),
        sa.Column("queued_at", at(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
        sa.CheckConstraint("target_kind IN ('contact', 'place', 'all')", name=op.f("ck_announcement_target_kind")),
    )


def drop_silence() -> None:
    op.drop_table("announcement")
    op.drop_table("silence")
    op.drop_index("ix_outbound_message_about_id", "outbound_message")
    dropped = (
        ("outbound_message", "about_id"), ("subscription", "pause_reason"), ("contact_address", "trusted_from"),
        ("contact_address", "failing_reason"), ("contact_address", "failing_since"), ("contact", "zone"),
        ("contact", "rhythm_days"),
    )  # fmt: skip
    for table, column in dropped:
        op.drop_column(table, column)


def reading() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pin_hash", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("registration", sa.Integer(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_contact_pin_hash"), ["pin_hash"])
        batch_op.create_unique_constraint(batch_op.f("uq_contact_registration"), ["registration"])
    op.create_table(
        "pin_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sender_hash", sa.LargeBinary(), nullable=False),
        sa.Column("pin_hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin_attempt")),
    )
    op.create_index("ix_pin_attempt_at", "pin_attempt", ["at"])
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_attachment_message_id_message")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index("ix_attachment_message_id", "attachment", ["message_id"])


def channels() -> None:
    op.add_column("channel", sa.Column("caught_up_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True))
    op.create_table(
        "channel_outage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("began_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_outage")),
    )
    op.create_index("ix_channel_outage_began_at", "channel_outage", ["began_at"])
    lasting = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_channel_outage_channel", "channel_outage", ["channel"], unique=True, sqlite_where=lasting,
        postgresql_where=lasting,
    )  # fmt: skip
    op.create_table(
        "channel_mark",
        sa.Column("channel", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "name", name=op.f("pk_channel_mark")),
    )


def verification() -> None:
    op.create_table(
        "report_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("state", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=False),
        sa.Column("proposed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("settled_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("settled_by", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.CheckConstraint("kind IN ('corroborates', 'possible_duplicate')", name=op.f("ck_report_link_kind")),
        sa.CheckConstraint("state IN ('proposed', 'confirmed', 'refused')", name=op.f("ck_report_link_state")),
        sa.ForeignKeyConstraint(["report_id"], ["report.id"], name=op.f("fk_report_link_report_id_report")),
        sa.ForeignKeyConstraint(["other_id"], ["report.id"], name=op.f("fk_report_link_other_id_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_link")),
        sa.UniqueConstraint("report_id", "other_id", name=op.f("uq_report_link_report_id_other_id")),
    )
    op.create_index("ix_report_link_other_id", "report_link", ["other_id"])
    op.create_index("ix_report_link_state_proposed_at", "report_link", ["state", "proposed_at"])


def routes() -> None:
    name = sqlmodel.sql.sqltypes.AutoString
    moment = sqlmodel.sql.sqltypes.UTCDateTime
    op.create_table(
        "route_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", name(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("scheme", name(length=8), nullable=False),
        sa.Column("prefixes", sa.JSON(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("created_at", moment(), nullable=False),
        sa.Column("changed_at", moment(), nullable=False),
        sa.CheckConstraint("scheme IN ('tel', 'mailto')", name=op.f("ck_route_rule_scheme")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_rule")),
        sa.UniqueConstraint("name", name=op.f("uq_route_rule_name")),
    )
    op.create_table(
        "sending_process",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_process")),
    )
    op.add_column("channel", sa.Column("price", sa.Float(), nullable=True))
    op.add_column("channel", sa.Column("currency", name(length=3), nullable=False, server_default="GTQ"))
    op.add_column("channel", sa.Column("day_segments", sa.Integer(), nullable=True))
    op.add_column("channel", sa.Column("day_cost", sa.Float(), nullable=True))
    op.add_column("channel", sa.Column("warned_on", sa.Date(), nullable=True))
    op.add_column("outbound_message", sa.Column("moved_from", name(length=64), nullable=True))
    op.add_column("outbound_message", sa.Column("moved_why", name(length=64), nullable=True))
    op.add_column("outbound_message", sa.Column("moved_at", moment(), nullable=True))
    op.add_column("outbound_message", sa.Column("instead_of", sa.Uuid(), nullable=True))
    op.add_column("outbound_message", sa.Column("cost", sa.Float(), nullable=True))
    replacing = sa.text("instead_of IS NOT NULL")
    op.create_index(
        "uq_outbound_message_instead_of", "outbound_message", ["instead_of"], unique=True, sqlite_where=replacing,
        postgresql_where=replacing,
    )  # fmt: skip
    op.create_index("ix_outbound_message_channel_sent_at", "outbound_message", ["channel", "sent_at"])
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answer_by", name(length=8), nullable=True))
        batch_op.create_check_constraint(batch_op.f("ck_contact_answer_by"), "answer_by IN ('tel', 'mailto')")


def drop_routes() -> None:
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_contact_answer_by"), type_="check")
        batch_op.drop_column("answer_by")
    op.drop_index("ix_outbound_message_channel_sent_at", "outbound_message")
    op.drop_index("uq_outbound_message_instead_of", "outbound_message")
    for column in ("cost", "instead_of", "moved_at", "moved_why", "moved_from"):
        op.drop_column("outbound_message", column)
    for column in ("warned_on", "day_cost", "day_segments", "currency", "price"):
        op.drop_column("channel", column)
    op.drop_table("sending_process")
    op.drop_table("route_rule")


def downgrade() -> None:
    drop_routes()
    drop_alerts()
    op.drop_table("channel_mark")
    op.drop_index("ix_report_link_state_proposed_at", "report_link")
    op.drop_index("ix_report_link_other_id", "report_link")
    op.drop_table("report_link")
    op.drop_index("ix_attachment_message_id", "attachment")
    op.drop_table("attachment")
    op.drop_index("ix_pin_attempt_at", "pin_attempt")
    op.drop_table("pin_attempt")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_contact_registration"), type_="unique")
        batch_op.drop_constraint(batch_op.f("uq_contact_pin_hash"), type_="unique")
        batch_op.drop_column("registration")
        batch_op.drop_column("pin_hash")
    drop_digests()
    op.drop_column("channel", "caught_up_at")
    drop_silence()
    op.drop_index("uq_channel_outage_channel", "channel_outage")
    op.drop_index("ix_channel_outage_began_at", "channel_outage")
    op.drop_table("channel_outage")
