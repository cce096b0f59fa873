"""What `vocero serve --local` adds on the first start: a phone, a mailbox, invented people, a digest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files

from sqlalchemy import Connection, select

from gateway import subscriptions
from gateway.channels import registry
from gateway.contact_file import parse_contacts
from gateway.contacts import CONTACT, import_contacts, people
from gateway.house import House
from gateway.rehearsal.mail_sink import mail_sink
from gateway.settings import Settings

PHONE = "simulator"
MAILBOX = "correo"
FROM = "vocero@localhost"
READER = "mailto:marta.coordinadora@oficina.example"
HOURS = "06:00,18:00"


def local_settings(settings: Settings) -> Settings:
    """The same settings with the simulated phone and the mailbox page on, and log lines for a person to read."""
    form = settings.log_format if "log_format" in settings.model_fields_set else "console"
    return settings.model_copy(update={"simulator": True, "log_format": form})


@contextmanager
def prepared() -> Iterator[Callable[[House], None]]:
    """A mail server that takes everything and keeps nothing, and what brings the open house up to it."""
    with mail_sink() as port:
        yield lambda house: house.writer.write_now(lambda connection: prepare(connection, house, port), timeout=None)


def prepare(connection: Connection, house: House, port: int) -> None:
    """Make or mend the simulated phone and the mailbox, and bring the invented people when there is nobody."""
    channels = {channel.name: channel for channel in registry.load(connection, house.sealer)}
    now, sealer = house.clock(), house.sealer
    if PHONE not in channels:
        registry.add(connection, sealer, kind="simulator", name=PHONE, values={}, at=now, actor="system")
    mail = {"host": "127.0.0.1", "port": str(port), "tls": "none", "from": FROM}
    if MAILBOX not in channels:
        registry.add(connection, sealer, kind="smtp", name=MAILBOX, values=mail, at=now, actor="system")
    elif channels[MAILBOX].get("from") == FROM:
        registry.change(connection, sealer, name=MAILBOX, values=mail, at=now, actor="system")
    if connection.execute(select(CONTACT.c.id).limit(1)).first() is None:
        add_people(connection, house)


def add_people(connection: Connection, house: House) -> None:
    """The invented people, and a digest by mail for one coordinator."""
    now = house.clock()
    codebook = house.codebook(connection)
    table = files("gateway.rehearsal").joinpath("contacts.csv").read_text(encoding="utf-8")
    rows = parse_contacts(table, codebook.places)
    import_contacts(connection, rows, sealer=house.sealer, now=now, actor="system")
    reader = next(person for person in people(connection, house.sealer) if READER in person.addresses)
    wish = subscriptions.make_wish("email", HOURS, "", codebook.places, codebook.zone)
    subscriptions.add(connection, reader.id, wish, now=now, actor="system")
