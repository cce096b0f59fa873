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
    pass


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


def verification() -> None:
    pass


def downgrade() -> None:
    op.drop_index("ix_channel_outage_began_at", "channel_outage")
    op.drop_table("channel_outage")
