"""A table of contacts as CSV (UTF-8): every line checked before any is used."""

import csv
import io
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import UsageError
from gateway.words import CONTACT_STATUSES, ROLES
from outbox.address import Address, parse_mail, parse_phone

COLUMNS = ("phone", "email", "name", "role", "village", "place", "department", "lang", "status", "places")
REQUIRED = ("phone", "email", "name", "role")
NAME_LENGTH = 80
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_CODE = re.compile(r"\d{2}|\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One person as a line of the table says; `phone` and `mail` are addresses (`tel:`, `mailto:`) or None."""

    line: int
    name: str
    role: str
    phone: str | None = None
    mail: str | None = None
    village: str | None = None
    place: str | None = None
    language: str = "es"
    status: str = "active"
    places: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(address for address in (self.phone, self.mail) if address)


class BadContacts(UsageError):
    """The table was not taken: `problems` are (line, what is wrong), naming no person and no number."""

    exit_code = 1

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__("\n".join(f"line {line}: {what}" for line, what in problems))
        self.problems = problems


def read_contact_file(path: Path, places: Container[str]) -> list[ContactRow]:
    """Raises UsageError when the file cannot be read, BadContacts when a line of it is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8. Save the table as CSV UTF-8.") from error
    return parse_contacts(text, places)


def parse_contacts(text: str, places: Container[str]) -> list[ContactRow]:
    """All rows of the table. `places` are the codes that exist. Raises BadContacts."""
    table = csv.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in REQUIRED if name not in (table.fieldnames or ())]
    if missing:
        raise BadContacts([(1, f"the heading lacks {', '.join(missing)}; it must be {','.join(COLUMNS)}")])
    problems: list[tuple[int, str]] = []
    rows = list(_rows(table, places, problems))
    problems += _repeated(rows)
    if problems:
        raise BadContacts(sorted(problems))
    return rows


def _rows(
    table: "csv.DictReader[str]", places: Container[str], problems: list[tuple[int, str]]
) -> Iterator[ContactRow]:
    try:
        for cells in table:
            if not any(cell for cell in cells.values() if isinstance(cell, str) and cell.strip()):
                continue
            row, found = parse_row(table.line_num, cells, places)
            problems += [(table.line_num, what) for what in found]
            if row is not None:
                yield row
    except csv.Error as error:
        problems.append((table.line_num, f"not CSV: {error}"))


def parse_row(
    line: int, cells: Mapping[str | None, object], places: Container[str]
) -> tuple[ContactRow | None, list[str]]:
    """One line as a contact and everything that is wrong with it; a wrong line gives no contact."""
    if None in cells or None in cells.values():
        return None, ["not as many cells as the heading has"]
    said = {str(name): str(value).strip() for name, value in cells.items()}
    phone, mail = parse_phone(said["phone"]), parse_mail(said["email"])
    covered = tuple(code for code in re.split(r"[|,; ]+", said.get("places", "")) if code)
    place = said.get("place") or None
    checks = (
        (said["phone"] and phone is None, "phone is not a number"),
        (said["email"] and mail is None, "email is not an address"),
        (not said["phone"] and not said["email"], "phone and email are both missing"),
        (not said["name"], "name is missing"),
        (len(said["name"]) > NAME_LENGTH, f"name is longer than {NAME_LENGTH} characters"),
        (said["role"] not in ROLES, f"role must be one of {', '.join(ROLES)}"),
        (
            (said.get("status") or "active") not in CONTACT_STATUSES,
            f"status must be one of {', '.join(CONTACT_STATUSES)}",
        ),
        (not _LANGUAGE.fullmatch(said.get("lang") or "es"), "lang must be a code of two or three letters"),
        (place is not None and not _is_place(place, places), "place is not a known code of 2 or 4 digits"),
        (any(not _is_place(code, places) for code in covered), "places must be known codes joined by |"),
    )
    problems = [what for wrong, what in checks if wrong]
    if problems:
        return None, problems
    row = ContactRow(
        line, said["name"], said["role"], str(Address("tel", phone)) if phone else None,
        str(Address("mailto", mail)) if mail else None, said.get("village") or None, place, said.get("lang") or "es",
        said.get("status") or "active", covered,
    )  # fmt: skip
    return row, []


def _is_place(code: str, places: Container[str]) -> bool:
    return bool(_CODE.fullmatch(code)) and code in places


def _repeated(rows: list[ContactRow]) -> list[tuple[int, str]]:
    first: dict[str, int] = {}
    problems = []
    for row in rows:
        for address in row.addresses:
            if address in first:
                kind = "phone" if address.startswith("tel:") else "email"
                problems.append((row.line, f"the same {kind} stands on line {first[address]}"))
            first.setdefault(address, row.line)
    return problems
