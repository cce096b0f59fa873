"""The literal list of what `vocero` can do."""

import typer

from gateway.cli.alerts import app as alerts
from gateway.cli.alerts import rules as alert_rules
from gateway.cli.announcing import announce
from gateway.cli.auditing import app as audit
from gateway.cli.backups import backup, restore
from gateway.cli.channels import app as channels
from gateway.cli.checkup import demo, doctor
from gateway.cli.contacts import app as contacts
from gateway.cli.digests import app as digests
from gateway.cli.exports import export
from gateway.cli.keywords import app as keywords
from gateway.cli.limits import app as limits
from gateway.cli.reading import read, reread
from gateway.cli.routes import app as routes
from gateway.cli.same_event import app as same_event
from gateway.cli.sealing_keys import app as keys
from gateway.cli.simulating import simulate
from gateway.cli.start import init, migrate, serve, worker
from gateway.cli.subscriptions import app as subscriptions
from gateway.cli.typing_in import say
from gateway.cli.users import app as users

app = typer.Typer(
    name="vocero",
    help="Hears short texts and e-mails of rural monitors, keeps them, and tells coordinators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COMMANDS = (
    init, migrate, serve, worker, read, export, reread, backup, restore, doctor, demo, simulate,
    announce, say,
)  # fmt: skip

for command in COMMANDS:
    app.command(command.__name__)(command)

for name, group in (
    ("channel", channels),
    ("contact", contacts),
    ("user", users),
    ("subscription", subscriptions),
    ("keyword", keywords),
    ("limit", limits),
    ("route", routes),
    ("digest", digests),
    ("keys", keys),
    ("audit", audit),
    ("alert", alerts),
    ("alert-rule", alert_rules),
    ("same-event", same_event),
):
    app.add_typer(group, name=name)
