"""Mail as it is kept: tables row by row, files by their hash, authors by what our own server says."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import select

from gateway.incoming import File
from gateway.keeping import ATTACHMENT
from gateway.standing import CONTACT
from parsers.sheets import Table
from tests.gateway.desk import MARTA, STRANGER, Desk

ANA_MAIL = "mailto:nebaj1@monitores.example"
MARTA_MAIL = "mailto:marta.coordinadora@oficina.example"
HEADING = ("tipo", "lugar", "fecha", "heridos")


def table(*rows: tuple[str, ...], heading: tuple[str, ...] = HEADING, problem: str = "") -> dict[str, Any]:
    found = Table("semana.csv", tuple(enumerate((heading, *rows), 1)), problem)
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    return {"tables": (found,), "files": (File("semana.csv", "text/csv", 99, digest),)}


def write(desk: Desk, text: str, *, sender: str = ANA_MAIL, **more: Any) -> Any:
    return desk.say(sender, text, channel="mail", **more)


def test_each_row_is_a_report_with_a_line_of_its_own_in_one_answer(desk: Desk) -> None:
    write(
        desk, "Adjunto los robos de la semana. Saludos.",
        **table(
            ("robo", "Nebaj", "ayer", "2"), ("AME", "Atlantis", "", ""), ("", "", "", "5"), ("xyz", "Chajul", "", "")
        ),
    )  # fmt: skip
    assert desk.told(ANA_MAIL) == [
        "fila 2: R3000 Robo o asalto, Santa Maria Nebaj\n"
        "fila 3: lugar: no se reconocio. Queda como borrador.\n"
        "fila 4: falta: tipo. Queda como borrador.\n"
        "fila 5: tipo: no se reconocio. Queda como borrador."
    ]
    kept = desk.reports()
    assert sorted((row.state, row.ref or 0) for row in kept) == [("draft", 0)] * 3 + [("open", 3000)]
    assert desk.report(3000).fields == {"injured": 2}
    assert desk.questions() == []
    assert desk.folds_differ() == []


def test_grave_rows_alert_the_coordinators(desk: Desk) -> None:
    write(desk, "van los reportes", **table(("linchamiento", "Nebaj", "hoy", ""), ("robo", "Nebaj", "hoy", "")))
    assert [text[:12] for text in desk.told(MARTA)] == ["ALERTA R3000"]


def test_a_mail_that_opens_with_a_keyword_reports_beside_its_table(desk: Desk) -> None:
    write(desk, "INC EXT CHAJUL ayer", **table(("robo", "Nebaj", "ayer", "")))
    assert [row.category for row in desk.reports()] == ["EXT", "ROB"]
    assert desk.told(ANA_MAIL)[0].splitlines()[1] == "fila 2: R3001 Robo o asalto, Santa Maria Nebaj"


def test_several_lines_of_a_mail_are_several_reports_with_one_answer(desk: Desk) -> None:
    write(desk, "INC ROB NEBAJ ayer\nINC AME CHAJUL hoy\nINC EXT COTZAL ayer 2 familias", subject="Reportes")
    assert [(row.category, row.place) for row in desk.reports()] == [("ROB", "1413"), ("AME", "1405"), ("EXT", "1411")]
    assert desk.told(ANA_MAIL) == [
        "Recibidos 3 reportes: R3000 R3001 R3002. Si hay error: CORREGIR y el numero. Gracias."
    ]


def test_the_same_words_with_another_file_are_another_mail(desk: Desk) -> None:
    for day in ("ayer", "hoy", "ayer"):
        write(desk, "Adjunto", **table(("robo", "Nebaj", day, "")))
    assert [row.state for row in desk.messages()] == ["read", "read", "duplicate"]
    assert len(desk.reports()) == 2


def test_a_table_that_cannot_be_read_is_said_to_be_so(desk: Desk) -> None:
    write(desk, "Adjunto", **table(("Ana", "3"), heading=("nombre", "saldo")))
    assert desk.told(ANA_MAIL)[0].startswith("No se reconocieron las columnas")
    broken: dict[str, Any] = {
        "tables": (Table("x.xlsx", problem="too_large"),),
        "files": (File("x.xlsx", "a/b", 9, "00"),),
    }
    write(desk, "Adjunto otro", **broken)
    assert desk.told(ANA_MAIL)[1] == "El archivo es demasiado grande y no se abrio."
    assert desk.reports() == []


def test_more_rows_than_are_read_are_said_to_be_left_out(desk: Desk) -> None:
    rows = [("robo", "Nebaj", "ayer", str(n)) for n in range(200)]
    write(desk, "Adjunto", **table(*rows, problem="rows"))
    answer = desk.told(ANA_MAIL)[0].splitlines()
    assert len(desk.reports()) == 200
    assert (len(answer), answer[-1]) == (61, "y 141 filas mas; todas estan en el panel.")


def test_a_strangers_table_is_kept_and_does_not_count(desk: Desk) -> None:
    write(desk, "Adjunto", sender="mailto:nadie@example.org", **table(("robo", "Nebaj", "ayer", "")))
    assert [(row.registered, row.ref) for row in desk.reports()] == [(False, 3000)]
    assert desk.told("mailto:nadie@example.org")[0].startswith("Recibimos su mensaje y queda guardado")


def test_a_table_in_practice_is_practice(desk: Desk) -> None:
    write(desk, "PRUEBA", **table(("robo", "Nebaj", "ayer", "")))
    assert [(row.practice, row.ref) for row in desk.reports()] == [(True, None)]
    assert desk.told(ANA_MAIL) == ["fila 2: PRUEBA, no cuenta. Robo o asalto, Santa Maria Nebaj"]


def test_sensitive_rows_are_a_reserved_case_and_discreet_people_get_numbers(desk: Desk) -> None:
    write(desk, "Adjunto", **table(("violencia sexual", "Nebaj", "hace 5 dias", "")))
    assert desk.told(ANA_MAIL) == ["fila 2: R3000 caso reservado, Santa Maria Nebaj"]
    from sqlalchemy import update

    desk.house.writer.write_now(lambda conn: conn.execute(update(CONTACT).values(discreet=True)))
    write(desk, "Adjunto mas", **table(("robo", "Nebaj", "ayer", "")))
    assert desk.told(ANA_MAIL)[1] == "fila 2: recibida 3001"


def test_files_are_kept_by_name_size_and_hash(desk: Desk) -> None:
    kept = write(desk, "inc rob nebaj ayer", files=(File("foto.jpg", "image/jpeg", 12345, "ab" * 32),))
    rows = desk.house.read_now(lambda conn: conn.execute(select(ATTACHMENT)).all())
    (row,) = rows
    assert (row.message_id, row.size, row.content_type) == (kept.message_id, 12345, "image/jpeg")
    assert desk.house.sealer.open("attachment", "name", row.id, row.name_sealed) == "foto.jpg"
    assert row.content_hash == desk.house.sealer.hash("attachment", "ab" * 32)
    assert len(desk.reports()) == 1


def test_an_unreadable_mail_waits_for_a_person(desk: Desk) -> None:
    kept = desk.say("raw:", "inc rob nebaj ayer", channel="mail", unreadable=True, answerable=False)
    assert (desk.message(kept.message_id).state, desk.reports()) == ("unread", [])


@pytest.mark.parametrize("proof", ["fail", "none"])
def test_what_our_server_does_not_vouch_for_does_nothing_in_anybodys_name(desk: Desk, proof: str) -> None:
    desk.say("tel:+50255550101", "INC ROB NEBAJ ayer")
    desk.say(STRANGER, "REGISTRO Juana Brito Nebaj")
    told = len(desk.outbox())
    for text in ("CERRAR 3000", "VERIFICAR 3000 SI", "NOTA 3000 hola", "VISTO 3000", "APROBAR 1", "BAJA"):
        write(desk, text, sender=MARTA_MAIL, proof=proof)
    assert (desk.report(3000).state, desk.report(3000).verification) == ("open", "unverified")
    assert desk.events(desk.report(3000).id) == ["accepted"]
    write(desk, "INC AME CHAJUL", proof=proof)
    report = desk.report(3001)
    assert (report.registered, report.contact_id) == (False, None)
    assert "unproved" in desk.messages()[-1].flags
    assert len(desk.outbox()) == told
    status = desk.house.read_now(lambda conn: conn.scalar(select(CONTACT.c.status).where(CONTACT.c.registration == 1)))
    assert status == "pending"


def test_an_unproved_alarm_is_told_all_the_same(desk: Desk) -> None:
    write(desk, "ALERTA turba en Nebaj lo van a quemar", proof="fail")
    assert "sin registro" in desk.told(MARTA)[0]
    assert desk.told(ANA_MAIL) == []


def test_what_our_server_vouches_for_is_as_before(desk: Desk) -> None:
    write(desk, "INC AME CHAJUL", proof="pass")
    assert desk.report(3000).registered
    write(desk, "CERRAR 3000", sender=MARTA_MAIL, proof="pass")
    assert desk.report(3000).state == "closed"
