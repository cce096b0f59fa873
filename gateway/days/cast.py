"""The people of a day, found by name, first name, phone, mail address or role."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.contact_file import COLUMNS, ContactRow
from gateway.days.lines import Node
from outbox.address import Address, parse_mail, parse_phone
from parsers.normalize import fold

EVERYBODY = ("all", "everybody", "everyone", "anyone", "anybody", "todos")
ROLES = {
    "monitor": "monitor", "monitors": "monitor", "coordinator": "coordinator", "coordinators": "coordinator",
    "admin": "admin", "admins": "admin",
}  # fmt: skip
CONTACT_WORDS = {"language": "lang", "mail": "email", "e_mail": "email", "home": "place", "municipality": "place"}
SCHEMES = {"tel": "sms", "mailto": "email"}


@dataclass(frozen=True, slots=True)
class Member:
    """A person of the day; a stranger has the number or address as name. `addresses` are `tel:` and `mailto:`."""

    name: str
    role: str
    addresses: tuple[str, ...]

    def address(self, scheme: str) -> str | None:
        return next((found for found in self.addresses if found.startswith(scheme + ":")), None)


class Cast:
    """Everybody in the contacts of the day; others are strangers."""

    def __init__(self, rows: Iterable[ContactRow]) -> None:
        self.rows = tuple(rows)
        self.members = tuple(Member(row.name, row.role, row.addresses) for row in self.rows)

    def find(self, node: Node) -> tuple[Member, ...]:
        """Everybody that is meant: one person, a stranger, or all of a role. Raises DayError."""
        return tuple(dict.fromkeys(member for text in node.words("a person") for member in self._some(node, text)))

    def one(self, node: Node) -> Member:
        found = self.find(node)
        if len(found) != 1:
            raise node.wrong(f"{node.text('a person')!r} must be one person, and means {len(found)}")
        return found[0]

    def by_address(self, address: str) -> Member:
        found = (member for member in self.members if address in member.addresses)
        return next(found, None) or stranger(address)

    def _some(self, node: Node, text: str) -> Sequence[Member]:
        wanted = plain(text)
        if wanted in EVERYBODY:
            return self.members
        if wanted in ROLES:
            return [member for member in self.members if member.role == ROLES[wanted]]
        address = address_of(text)
        if address is not None:
            return [self.by_address(address)]
        return [self._named(node, text, wanted)]

    def _named(self, node: Node, text: str, wanted: str) -> Member:
        whole = [member for member in self.members if plain(member.name) == wanted]
        words = wanted.split()
        found = whole or [member for member in self.members if plain(member.name).split()[: len(words)] == words]
        found = found or [member for member in self.members if wanted in plain(member.name).split()]
        if len(found) > 1:
            raise node.wrong(f"{text!r} may be {' or '.join(member.name for member in found)}")
        if not found:
            raise node.wrong(f"nobody in the contacts is called {text!r}; write a name, a phone, an address or a role")
        return found[0]


def plain(text: str) -> str:
    """What is compared: without case, accents, and runs of white space."""
    return " ".join(fold(text).split())


def address_of(text: str) -> str | None:
    """A phone or mail address as an address string; None for any other word."""
    if "@" in text:
        mail = parse_mail(text.strip().removeprefix("mailto:"))
        return str(Address("mailto", mail)) if mail else None
    if not any(letter.isdigit() for letter in text):
        return None
    phone = parse_phone(text.strip().removeprefix("tel:"))
    return str(Address("tel", phone)) if phone else None


def stranger(address: str) -> Member:
    return Member(address.partition(":")[2], "stranger", (address,))


def read_contact(node: Node) -> dict[str | None, object]:
    """A contact written as a mapping, as the cells of a line of a contact table. Raises DayError."""
    cells: dict[str | None, object] = dict.fromkeys(COLUMNS, "")
    for name, value in node.fields(COLUMNS, "a contact", CONTACT_WORDS).items():
        cells[name] = "|".join(value.words(name))
    return cells
