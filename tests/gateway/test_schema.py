from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from gateway.db import make_engine
from gateway.errors import SchemaTooNew, SchemaTooOld, SetupError
from gateway.install import check, init
from gateway.models import metadata
from gateway.schema import alembic_config, check_schema, downgrade, upgrade
from gateway.settings import Settings


def test_the_schema_goes_up_and_down_and_up_again(settings: Settings) -> None:
    settings.data_dir.mkdir()
    engine = make_engine(settings.url, writer=True)
    upgrade(engine)
    assert "report_event" in inspect(engine).get_table_names()
    downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade(engine)
    assert "report_event" in inspect(engine).get_table_names()
    engine.dispose()


def test_rows_that_others_point_to_outlive_a_migration(settings: Settings) -> None:
    settings.data_dir.mkdir()
    engine = make_engine(settings.url, writer=True)
    upgrade(engine, "0001")
    at, ids = "2026-03-10 12:00:00+00:00", {name: uuid4().hex for name in ("contact", "subscription", "run")}
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO contact (id, role, status, name_sealed, places, language, discreet, created_at, changed_at)"
            " VALUES (:contact, 'admin', 'active', '', '[]', 'es', :no, :at, :at)",
            'INSERT INTO subscription (id, contact_id, "by", hours, zone, places, active, created_at)'
            " VALUES (:subscription, :contact, 'sms', '[]', 'UTC', '[]', :no, :at)",
            "INSERT INTO digest_run (id, subscription_id, period_from, period_to, made_at)"
            " VALUES (:run, :subscription, :at, :at, :at)",
        ):
            connection.execute(text(statement), {**ids, "at": at, "no": False})
    for change in (upgrade, lambda used: downgrade(used, "0001"), upgrade):
        change(engine)
        with engine.connect() as connection:
            found = connection.execute(
                text("SELECT s.by FROM digest_run r JOIN subscription s ON s.id = r.subscription_id")
            )
            assert found.scalars().all() == ["sms"]
    engine.dispose()


def test_models_and_migrations_do_not_drift(settings: Settings) -> None:
    init(settings)
    engine = make_engine(settings.url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
    engine.dispose()
    assert found == []


def test_every_migration_names_its_constraints(settings: Settings) -> None:
    init(settings)
    engine = make_engine(settings.url)
    inspector = inspect(engine)
    for table in inspector.get_table_names():
        if table == "alembic_version":
            continue
        for unique in inspector.get_unique_constraints(table):
            assert str(unique["name"]).startswith(f"uq_{table}_")
        for check_constraint in inspector.get_check_constraints(table):
            assert str(check_constraint["name"]).startswith(f"ck_{table}_")
    engine.dispose()


def test_a_newer_schema_is_refused(settings: Settings) -> None:
    init(settings)
    engine = make_engine(settings.url, writer=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaTooNew):
        check(settings)
    with pytest.raises(SchemaTooNew):
        init(settings)
    engine.dispose()


def test_an_older_schema_is_backed_up_and_migrated_on_sqlite_and_refused_on_postgres(settings: Settings) -> None:
    init(settings)
    engine = make_engine(settings.url, writer=True)
    with engine.begin() as connection:
        command.stamp(alembic_config(connection), "base", purge=True)
        with pytest.raises(SchemaTooOld):
            check_schema(connection)
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES ('0000')"))
    engine.dispose()
    with pytest.raises(SetupError):
        check(settings)


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(settings: Settings) -> None:
    init(settings)
    engine = make_engine(settings.url, writer=True)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            found = [connection.scalar(text(f"SHOW {name}")) for name in ("synchronous_commit", "timezone")]
            assert found == ["on", "UTC"]
        else:
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            pragmas = [connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names]
            assert pragmas == ["wal", 2, 1, 10000]
    engine.dispose()
