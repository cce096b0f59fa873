"""Mails that tell of several villages: one report a line, a bullet, a paragraph, a block of labels, a table's row."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from parsers import Context, compile_codebook, load_pack, read_message
from parsers.mail import read_mail

BOOK = compile_codebook(load_pack())
OFFICE = Context(datetime(2026, 3, 10, 16, tzinfo=UTC), registered=True, role="coordinator", home_place="1413")
Told = tuple[str, str, str]

MAILS: dict[str, tuple[str, str, list[Told]]] = {
    "bullets": (
        "Reporte semanal",
        "Buenos dias, les comparto lo de la semana:\n\n- Nebaj: robo de ganado el lunes, 4 vacas.\n"
        "- Chajul: amenazas a un lider ayer.\n- Cotzal: sin novedad.\n\nSaludos,\nMarta Brito",
        [("ABI", "1413", "2026-03-09"), ("AME", "1405", "2026-03-09")],
    ),
    "numbers and dashes": (
        "Informe",
        "1. Nebaj - 5 de marzo - asalto a un comerciante, 1 herido\n2. Chajul - 6 de marzo - bloqueo de carretera\n"
        "3. Uspantan - 7 de marzo - pleito de tierra, 12 familias",
        [("ROB", "1413", "2026-03-05"), ("BLO", "1405", "2026-03-06"), ("TIE", "1415", "2026-03-07")],
    ),
    "letters under a subject with a period": (
        "Semana del 2 al 8 de marzo",
        "a) Barillas: detenido un lider sin orden (3 de marzo).\n"
        "b) San Mateo Ixtatan: presencia militar (4 de marzo).\nc) Nenton: nada que reportar.",
        [("DET", "1326", "2026-03-03"), ("EJE", "1318", "2026-03-04")],
    ),
    "slashes": (
        "Varios",
        "Estimados:\n\nNebaj, robo, ayer / Chajul, balacera, hoy, 2 heridos / Cotzal, desalojo, 20 familias\n\nOficina",
        [("ROB", "1413", "2026-03-09"), ("BAL", "1405", "2026-03-10"), ("DSJ", "1411", "2026-03-10")],
    ),
    "blocks of labels": (
        "Reportes",
        "Municipio: Nebaj\nHecho: robo\nFecha: 5/3\n\nMunicipio: Chajul\nHecho: linchamiento\nFecha: 6/3\nHeridos: 2",
        [("ROB", "1413", "2026-03-05"), ("LIN", "1405", "2026-03-06")],
    ),
    "paragraphs": (
        "RV: novedades",
        "En Nebaj el dia 4 de marzo se robaron una moto frente al mercado.\n\n"
        "En Chajul el viernes hubo un bloqueo de los maestros.\n\nEn Cotzal la gente retuvo a dos policias ayer.",
        [("ROB", "1413", "2026-03-04"), ("BLO", "1405", "2026-03-06"), ("ALN", "1411", "2026-03-09")],
    ),
    "bare codes": (
        "Monitoreo",
        "1413 ROB ayer\n1405 AME 5/3\n1411 LES 3 heridos hoy",
        [("ROB", "1413", "2026-03-09"), ("AME", "1405", "2026-03-05"), ("LES", "1411", "2026-03-10")],
    ),
    "rows of a table": (
        "Consolidado",
        "Fecha | Municipio | Hecho\n02/03 | Nebaj | robo\n03/03 | Chajul | amenaza",
        [("ROB", "1413", "2026-03-02"), ("AME", "1405", "2026-03-03")],
    ),
    "one event told in several lines": (
        "Robo en Nebaj",
        "El dia de ayer a las 5 de la tarde dos hombres armados entraron a la cooperativa.\nSe llevaron Q20,000.\n"
        "Hay un herido.\nLa policia llego dos horas despues.",
        [("ROB", "1413", "2026-03-09")],
    ),
}


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_of_several_villages_is_as_many_reports(name: str) -> None:
    subject, body, told = MAILS[name]
    raw = f"From: office@org.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n"
    mail = read_mail(raw.encode())
    reading = read_message(mail.text, BOOK, replace(OFFICE, subject=mail.subject))
    found = [tuple(report.values[key].value for key in ("category", "place", "date")) for report in reading.reports]
    assert found == told
