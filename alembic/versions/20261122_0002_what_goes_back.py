"""What goes back and every channel: alerts with their receivers, wishes for digests, silence, outages.

Revision ID: 0002
Revises: 0001
Created: 2026-11-22 00:05:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    alerts()
    digests()
    silence()
    reading()
    channels()
    verification()


def alerts() -> None:
    pass


def digests() -> None:
    pass


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
    pass


def channels() -> None:
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


def verification() -> None:
    pass


def downgrade() -> None:
    drop_silence()
    op.drop_index("uq_channel_outage_channel", "channel_outage")
    op.drop_index("ix_channel_outage_began_at", "channel_outage")
    op.drop_table("channel_outage")
