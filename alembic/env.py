"""Runs the migrations on the connection it is given, or on the database of the settings."""

from alembic import context
from sqlalchemy import Connection

from gateway.models import metadata


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True,
        transaction_per_migration=False,
    )  # fmt: skip
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    from gateway.db import make_engine
    from gateway.settings import Settings

    with make_engine(Settings().url, writer=True).begin() as own:
        run(own)
