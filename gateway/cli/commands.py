"""The literal list of what `vocero` can do."""

import typer

from gateway.cli import (
    backups,
    channels,
    checkup,
    contacts,
    digests,
    exports,
    keywords,
    reading,
    sealing_keys,
    start,
    subscriptions,
    users,
)

app = typer.Typer(
    name="vocero",
    help="Hears short texts and e-mails of rural monitors, keeps them, and tells coordinators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for name, command in (
    ("init", start.init),
    ("migrate", start.migrate),
    ("serve", start.serve),
    ("worker", start.worker),
    ("read", reading.read),
    ("export", exports.export),
    ("reread", reading.reread),
    ("backup", backups.backup),
    ("restore", backups.restore),
    ("doctor", checkup.doctor),
    ("demo", checkup.demo),
):
    app.command(name)(command)

for name, group in (
    ("channel", channels.app),
    ("contact", contacts.app),
    ("user", users.app),
    ("subscription", subscriptions.app),
    ("keyword", keywords.app),
    ("digest", digests.app),
    ("keys", sealing_keys.app),
):
    app.add_typer(group, name=name)
