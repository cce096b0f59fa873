"""A table of people: all rows or none, errors by line, nothing readable in the database file."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from gateway import audit
from gateway.codebook import pack_of
from gateway.contact_file import COLUMNS, BadContacts, parse_contacts, read_contact_file
from gateway.contacts import CONTACT, find, import_contacts, parse_address, people, set_status
from gateway.errors import NotFound, UsageError
from gateway.house import House, config_stamp
from parsers import compile_codebook

HEADING = ",".join(COLUMNS)
PLACES = compile_codebook(pack_of("gt")).places
ANA = "+50255550101,nebaj1@monitores.example,Ana Cobo,monitor,Acul,1413,14,ixl,active,"
MARTA = "+50255550201,marta@oficina.example,Marta Brito,coordinator,Nebaj,1413,14,es,active,14|07"


def table(*lines: str) -> str:
    return "\n".join((HEADING, *lines)) + "\n"


def take(house: House, *lines: str) -> object:
    rows = parse_contacts(table(*lines), PLACES)

    def job(conn: object) -> object:
        return import_contacts(conn, rows, sealer=house.sealer, now=house.clock(), actor="cli")  # type: ignore[arg-type]

    return house.writer.write_now(job)


def count(house: House) -> int:
    return house.read_now(lambda conn: conn.scalar(select(func.count()).select_from(CONTACT))) or 0


def test_people_are_taken_with_their_addresses_and_places(house: House) -> None:
    take(house, ANA, MARTA)
    ana, marta = house.read_now(lambda conn: people(conn, house.sealer))
    assert (ana.name, ana.village, ana.home_place, ana.language) == ("Ana Cobo", "Acul", "1413", "ixl")
    assert ana.addresses == ("tel:+50255550101", "mailto:nebaj1@monitores.example")
    assert marta.places == ("14", "07")
    assert house.read_now(lambda conn: find(conn, "tel:+50255550201", house.sealer)) == marta.id


def test_a_phone_or_an_email_may_be_missing_but_not_both(house: House) -> None:
    take(house, ",equipo@oficina.example,Equipo,monitor,,1612,16,es,active,", "55550109,,Rosa,monitor,,,,,,")
    both = house.read_now(lambda conn: people(conn, house.sealer))
    assert [person.addresses for person in both] == [("mailto:equipo@oficina.example",), ("tel:+50255550109",)]


BAD_LINES = {
    "no address": (",,Ana,monitor,,,,,,", "phone and email are both missing"),
    "phone": ("12,,Ana,monitor,,,,,,", "phone is not a number"),
    "mail": (",ana at home,Ana,monitor,,,,,,", "email is not an address"),
    "name": ("55550101,,,monitor,,,,,,", "name is missing"),
    "role": ("55550101,,Ana,chief,,,,,,", "role must be one of monitor, coordinator, admin"),
    "status": ("55550101,,Ana,monitor,,,,,gone,", "status must be one of active, pending, suspended, left"),
    "place": ("55550101,,Ana,monitor,,9999,,,,", "place is not a known code of 2 or 4 digits"),
    "places": ("55550101,,Ana,coordinator,,,,,,14|nebaj", "places must be known codes joined by |"),
    "language": ("55550101,,Ana,monitor,,,,<b>,,", "lang must be a code of two or three letters"),
    "too few cells": ("55550101,,Ana", "not as many cells as the heading has"),
    "too many cells": (ANA + ",more", "not as many cells as the heading has"),
}


@pytest.mark.parametrize(("line", "problem"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_wrong_line_is_named_with_what_is_wrong(line: str, problem: str) -> None:
    with pytest.raises(BadContacts) as caught:
        parse_contacts(table(MARTA, line), PLACES)
    assert (3, problem) in caught.value.problems


def test_the_error_tells_every_wrong_line_but_no_number_or_name() -> None:
    with pytest.raises(BadContacts) as caught:
        parse_contacts(table("55550199,,Secreta,jefe,,,,,,", MARTA, MARTA), PLACES)
    assert [line for line, _ in caught.value.problems] == [2, 4, 4]
    assert "5555" not in str(caught.value)
    assert "Secreta" not in str(caught.value)


def test_one_wrong_line_leaves_nobody_taken(house: House) -> None:
    take(house, ANA)
    with pytest.raises(BadContacts):
        take(house, MARTA, "55550102,,Rosa,chief,,,,,,")
    take(house, MARTA)
    with pytest.raises(BadContacts, match="two different contacts"):
        take(house, "55550777,,New,monitor,,,,,,", "55550101,marta@oficina.example,Mixed,monitor,,,,,,")
    assert count(house) == 2


def test_a_known_address_brings_its_contact_up_to_date(house: House) -> None:
    take(house, ANA)
    done = take(house, "+50255550101,ana.nueva@monitores.example,Ana C. Cobo,coordinator,,1405,14,es,active,14")
    (ana,) = house.read_now(lambda conn: people(conn, house.sealer))
    assert (done.added, done.updated) == (0, 1)  # type: ignore[attr-defined]
    assert (ana.name, ana.role, ana.home_place) == ("Ana C. Cobo", "coordinator", "1405")
    assert ana.address("mailto") == "mailto:ana.nueva@monitores.example"
    assert "mailto:nebaj1@monitores.example" in ana.addresses


def test_taking_the_same_table_again_changes_nothing(house: House) -> None:
    take(house, ANA, MARTA)
    before = house.read_now(lambda conn: people(conn, house.sealer))
    take(house, ANA, MARTA)
    assert house.read_now(lambda conn: people(conn, house.sealer)) == before


def test_running_processes_and_the_audit_log_hear_of_it(house: House) -> None:
    before = house.read_now(config_stamp)
    take(house, ANA)
    assert house.read_now(config_stamp) > before
    entries = house.read_now(lambda conn: conn.execute(select(audit.AUDIT)).all())
    assert [(entry.action, entry.data) for entry in entries][-1] == ("contact.import", {"added": 1, "updated": 0})
    assert house.read_now(audit.first_broken) is None


def test_a_contact_is_suspended_and_let_in_again(house: House) -> None:
    take(house, ANA)
    key = house.read_now(lambda conn: find(conn, "tel:+50255550101", house.sealer))
    assert key is not None
    for status in ("suspended", "active"):
        house.writer.write_now(lambda conn, to=status: set_status(conn, key, to, now=house.clock(), actor="cli"))
        assert house.read_now(lambda conn: people(conn, house.sealer))[0].status == status
    with pytest.raises(UsageError):
        house.writer.write_now(lambda conn: set_status(conn, key, "nonsense", now=house.clock(), actor="cli"))
    with pytest.raises(NotFound):
        house.writer.write_now(lambda conn: set_status(conn, house.node_id, "active", now=house.clock(), actor="cli"))


def test_no_name_or_number_can_be_found_in_the_database_file(house: House) -> None:
    take(house, ANA)
    path = house.settings.sqlite_path
    if path is None:
        return
    data = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))
    assert not [word for word in (b"55550101", b"Ana Cobo", b"Acul", b"monitores.example") if word in data]


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("5555 0101", "tel:+50255550101"),
        ("+502-5555-0101", "tel:+50255550101"),
        ("Ana@X.example", "mailto:ana@x.example"),
    ],
)
def test_a_typed_address_is_read(typed: str, address: str) -> None:
    assert parse_address(typed) == address


def test_nonsense_is_no_address() -> None:
    with pytest.raises(UsageError):
        parse_address("Nebaj")


def test_a_table_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(b"\xef\xbb\xbf" + table(ANA, MARTA).replace("\n", "\r\n").encode())
    assert [row.name for row in read_contact_file(file, PLACES)] == ["Ana Cobo", "Marta Brito"]


def test_a_table_that_is_not_utf8_is_refused_with_advice(tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(table(ANA).replace("Ana", "María").encode("latin-1"))
    with pytest.raises(UsageError, match="CSV UTF-8"):
        read_contact_file(file, PLACES)
